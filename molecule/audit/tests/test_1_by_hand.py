# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Two directors set up by hand, from the lesson's files: the audit finds every mistake that nobody warned of."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable

import pytest
from testinfra.host import Host

from ansible_collections.failover.vip.molecule.audit.tests.conftest import Audit
from ansible_collections.failover.vip.tests.lab_play import ROOT

MAIN = "/etc/keepalived/keepalived.conf"
#: The mission's list, as (rule, host, line); lines are those of tests/unit/data/lesson.
MISTAKES = {
    "enble_script_security": ("KH034", "ka1", 17),
    "and so scripts are not secured": ("KH026", "ka1", 22),
    "track_srcipt{": ("KH034", "ka1", 48),
    "one VIP with and without prefix": ("KP006", "ka2", 29),
    "which makes it a /32": ("KH009", "ka2", 29),
    "one instance under two names": ("KP026", "ka2", 38),
    "unicast beside multicast": ("KP007", "ka2", 38),
    "smtp_server 127.0.0.0 on ka1": ("KH048", "ka1", 10),
    "smtp_server 127.0.0.0 on ka2": ("KH048", "ka2", 10),
    "one router_id": ("KP016", "ka2", 12),
    "scripts run as root": ("KH027", "ka1", 18),
    "a password of four characters on ka1": ("KH007", "ka1", 36),
    "a password of four characters on ka2": ("KH007", "ka2", 44),
    "three milliseconds": ("KX005", "ka1", 14),
}


@pytest.fixture(scope="module", autouse=True)
def lesson(hosts: dict[str, Host], network_prefix: str) -> None:
    """keepalived from the distribution, with the lesson's files as they are but for the network's number."""
    for name in ("ka1", "ka2"):
        hosts[name].check_output("apt-get install -q -y --no-install-recommends keepalived && mkdir -p /etc/haproxy")
        for source, path in ((f"{name}.conf", MAIN), ("haproxy.cfg", "/etc/haproxy/haproxy.cfg")):
            text = (ROOT / "tests/unit/data/lesson" / source).read_text(encoding="utf-8")
            text = text.replace("172.25.254", network_prefix)
            hosts[name].check_output(f"printf %s {shlex.quote(text)} >{path}")
        hosts[name].check_output("systemctl restart keepalived")
    for name in ("ka1", "ka2"):
        # Both are MASTER of the second instance, which they speak of in different ways.
        hosts[name].check_output(
            "timeout 30 sh -c 'until ip -4 -o address show dev eth0 | grep -q -F %s.200/; do sleep 0.1; done'"
            % network_prefix
        )


def test_every_mistake_is_found(audit: Callable[..., Audit], network_prefix: str) -> None:
    result = audit("-e", "audit_hosts=directors")
    assert result.done.returncode != 0
    assert {name: mistake for name, mistake in MISTAKES.items() if mistake not in result.found()} == {}
    assert {one["path"] for one in result.report["findings"] if one["rule"] == "KH034"} == {MAIN}
    assert "1111" not in result.done.stdout + json.dumps(result.report)

    # What they do to each other at this moment: seen by the daemons, and on the wire.
    assert result.of("KD002") == ["split brain: ka1 and ka2 are MASTER at once"]
    (both,) = result.of("KW001")
    for host, last in (("ka1", 50), ("ka2", 60)):
        assert f"{host} ({network_prefix}.{last})" in both
    assert not {rule for rule, _host, _line in result.found()} & {"KI009", "KD001", "KD003", "KD005", "KP014"}

    # The table has each of them, and its last words are the end of the run.
    rules = set(re.findall(r"^ *(?:error|warning|info) +(K[A-Z]\d{3})", result.table, flags=re.MULTILINE))
    assert rules == {rule for rule, _host, _line in result.found()}
    assert re.search(r"\d+ errors, \d+ warnings.* on ka1, ka2\.", result.table)
    assert "(audit_fail_on is error)" in " ".join(result.done.stdout.split())

    results = result.sarif["runs"][0]["results"]
    assert {one["level"] for one in results} >= {"error", "warning"}
    assert f"file://ka2{MAIN}" in json.dumps(results)


def test_check_mode_finds_the_same(audit: Callable[..., Audit]) -> None:
    result = audit("-e", "audit_hosts=directors", "-e", "audit_listen_seconds=0", "--check")
    assert result.done.returncode != 0
    assert set(MISTAKES.values()) <= result.found()
    assert result.of("KW001") == []


def test_a_host_that_cannot_be_read_is_a_finding(audit: Callable[..., Audit]) -> None:
    # Nobody answers the one; for the other a task cannot even begin, which Ansible takes for a failure of another kind.
    gone = """
        gone:
          vars: {ansible_host: 127.0.0.1, ansible_port: 1}
          hosts:
            ka8: {ansible_connection: ssh, ansible_ssh_executable: /nonexistent/ssh}
            ka9: {ansible_connection: ssh}
    """
    arguments = ["-e", "audit_hosts=ka1,ka8,ka9", "-e", "audit_real_servers=ka8", "-e", "audit_fail_on=never"]
    result = audit(*arguments, more=gone)
    assert result.done.returncode == 0
    unread = {
        (one["host"], one["message"].split(": ")[0]) for one in result.report["findings"] if one["rule"] == "KI009"
    }
    assert unread == {
        ("ka8", "the configuration could not be read"),
        ("ka8", "the real server could not be read"),
        ("ka9", "the configuration could not be read"),
    }
    (why,) = [text for text in result.of("KI009") if text.startswith("the real server")]
    assert "/nonexistent/ssh" in why
    assert MISTAKES["track_srcipt{"] in result.found()


def test_what_is_allowed_is_silent(audit: Callable[..., Audit]) -> None:
    allowed = [
        {"rule": "KH007", "reason": "replaced next week"},
        {"rule": "KP016", "host": "ka2", "reason": "no mail is read by router_id"},
        {"rule": "KH009"},
        {"rule": "KH9999", "reason": "mistyped"},
    ]
    result = audit("-e", "audit_hosts=directors", "-e", json.dumps({"keepalived_allowed_findings": allowed}))
    rules = {rule for rule, _host, _line in result.found()}
    assert not rules & {"KH007", "KP016"}
    assert {"KH009", "KI006", "KI007"} <= rules
    assert {one["rule"] for one in result.report["allowed"]} == {"KH007", "KP016"}
    suppressed = [one for one in result.sarif["runs"][0]["results"] if "suppressions" in one]
    assert {one["ruleId"] for one in suppressed} == {"KH007", "KP016"}


def test_what_a_comment_allows_is_silent(audit: Callable[..., Audit], hosts: dict[str, Host]) -> None:
    host = hosts["ka2"]
    host.check_output(
        f"sed -i '12s/$/ # failover.vip: allow KP016 because nobody reads it/;"
        f" 30s/$/ # failover.vip: allow KH009 because it is routed/' {MAIN}"
    )
    result = audit("-e", "audit_hosts=directors", "-e", "audit_listen_seconds=0")
    assert not {("KP016", "ka2", 12), ("KH009", "ka2", 29)} & result.found()
    assert {(one["rule"], one["allowed_at"]) for one in result.report["allowed"]} == {
        ("KP016", f"{MAIN}:12"),
        ("KH009", f"{MAIN}:30"),
    }
