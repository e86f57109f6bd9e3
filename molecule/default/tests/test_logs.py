# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Where each line of a log goes: once into its own file, once into the journal, and nowhere else."""

from __future__ import annotations

import datetime
import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from testinfra.host import Host

#: What logrotate has to go on with, and who writes to it under which facility.
LOGS = {"/var/log/keepalived.log": "/etc/logrotate.d/keepalived", "/var/log/haproxy.log": "/etc/logrotate.d/haproxy"}
ROLE = "failover.vip.keepalived"


def wait_for(host: Host, command: str) -> None:
    host.check_output(f"timeout 10 sh -c 'until {command}; do sleep 0.1; done'")


def files_with(host: Host, word: str) -> list[str]:
    """The files below /var/log, but for the journal's, that have it."""
    found: str = host.run(f"grep -rlF --exclude-dir=journal -e {word} /var/log").stdout
    return sorted(found.split())


def transitions(host: Host, since: float) -> list[str]:
    """What keepalived wrote about changes of state since then, from its own file."""
    text = host.check_output("cat /var/log/keepalived.log")
    lines = (line for line in text.splitlines() if re.search(r"Entering \w+ STATE", line))
    return [line for line in lines if datetime.datetime.fromisoformat(line.split()[0]).timestamp() >= since]


@pytest.mark.parametrize("name", ["ka1", "ka2"])
def test_s4_each_line_is_once_in_its_file_once_in_the_journal_and_nowhere_else(
    hosts: dict[str, Host], name: str
) -> None:
    host = hosts[name]
    word = uuid.uuid4().hex
    host.check_output(f"logger --tag Keepalived_vrrp --priority local6.info {word}")
    wait_for(host, f"grep -q {word} /var/log/keepalived.log")
    assert files_with(host, word) == ["/var/log/keepalived.log"]
    assert host.check_output(f"grep -c {word} /var/log/keepalived.log") == "1"
    assert host.check_output(f"journalctl --quiet --output=cat | grep -c {word}") == "1"
    # The same holds for what keepalived itself said, which is in no other file.
    assert files_with(host, "Keepalived_vrrp") == ["/var/log/keepalived.log"]
    started = "Starting VRRP child process"
    unit = "journalctl --quiet --unit=keepalived --output=cat"
    assert host.check_output(f"grep -c '{started}' /var/log/keepalived.log") == host.check_output(
        f"{unit} | grep -c '{started}'"
    )


@pytest.mark.parametrize("name", ["ka1", "ka2"])
def test_s4_times_have_microseconds_and_a_zone(hosts: dict[str, Host], name: str) -> None:
    lines = hosts[name].check_output("cat /var/log/keepalived.log").splitlines()
    assert lines
    for line in lines:
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d \S+ [\w-]+(\[\d+\])?: ", line), line


@pytest.mark.parametrize("name", ["ka1", "ka2"])
@pytest.mark.parametrize("log", LOGS)
def test_s4_after_a_rotation_the_lines_go_on_into_the_new_file(hosts: dict[str, Host], name: str, log: str) -> None:
    host = hosts[name]
    before = host.check_output(f"stat --format=%i {log}")
    host.check_output(f"logrotate --force {LOGS[log]}")
    if "keepalived" in log:
        # keepalived's own words, which change nothing: it writes its state down and says so.
        host.check_output("systemctl reload keepalived")
        wait_for(host, f"grep -q Reloading {log}")
    else:
        host.check_output("systemctl reload haproxy")
        wait_for(host, f"test -s {log}")
    assert host.check_output(f"stat --format=%i {log}") != before
    assert host.check_output(f"stat --format=%a:%U {log}") == "640:root"
    assert host.check_output(f"stat --format=%i {log}.1") == before


def test_s4_the_checks_of_haproxy_are_in_no_log_and_its_requests_in_its_own(
    hosts: dict[str, Host], vips: dict[str, str]
) -> None:
    word = uuid.uuid4().hex
    hosts["client"].check_output(
        f"python3 -c 'import urllib.request as u; u.urlopen(\"http://{vips['WEB_VIP']}/?{word}\")'"
    )
    host = hosts["ka1"]
    wait_for(host, f"grep -q {word} /var/log/haproxy.log")
    assert files_with(host, word) == ["/var/log/haproxy.log"]
    # keepalived asks each second whether HAProxy works.
    assert host.run("grep -c haproxy_health/ /var/log/haproxy.log").stdout.strip() == "0"


def test_s4_a_handover_is_a_few_lines_however_many_advertisements(hosts: dict[str, Host]) -> None:
    """A returning director sees 20 advertisements a second of lower priority, and tells of each until it takes over."""
    host = hosts["ka1"]
    since = float(host.check_output("date +%s.%N"))
    host.check_output("systemctl restart keepalived")
    for name in ("WEB_VIP", "DB_VIP"):
        wait_for(host, f'journalctl --quiet --unit=keepalived --since=@{since:.3f} | grep -q "({name}) Entering"')
    wait_for(host, f'journalctl --quiet --unit=keepalived --since=@{since:.3f} | grep -q "(WEB_VIP) Entering MASTER"')
    text = host.check_output("cat /var/log/keepalived.log")
    lines = [line for line in text.splitlines() if datetime.datetime.fromisoformat(line.split()[0]).timestamp() > since]
    discarded = [line for line in lines if "- discarding" in line]
    print(f"{len(lines)} lines, {len(discarded)} of them about an advertisement of lower priority")
    # 18 advertisements make the wait before it takes over, for each of two instances.
    assert len(discarded) <= 2 * 20
    assert len(lines) - len(discarded) <= 120
    states = [re.sub(r".*\((\w+)\) Entering (\w+) STATE.*", r"\1 \2", line) for line in transitions(host, since)]
    assert [state for state in states if state.startswith("WEB_VIP")][-1] == "WEB_VIP MASTER"


@pytest.fixture
def journal_only(
    hosts: dict[str, Host], tasks_on: Callable[..., list[dict[str, Any]]]
) -> Iterator[Callable[[str], None]]:
    """Gives ka2's log a place, by the role's own tasks; it is back in its file afterwards."""

    def place(target: str) -> None:
        tasks = [
            {"name": "Plan", "ansible.builtin.include_role": {"name": ROLE, "tasks_from": "plan"}},
            {
                "name": "Place the log",
                "ansible.builtin.include_role": {"name": ROLE, "tasks_from": "logs"},
                "vars": {"__keepalived_install": {}},
                "when": "inventory_hostname == 'ka2'",
            },
        ]
        tasks_on("directors", tasks, "-e", json.dumps({"keepalived_log_target": target}))

    yield place
    place("rsyslog")
    hosts["ka2"].check_output("logger --tag Keepalived_vrrp --priority local6.info back-in-the-file")
    wait_for(hosts["ka2"], "grep -q back-in-the-file /var/log/keepalived.log")
    assert hosts["ka2"].file("/etc/logrotate.d/keepalived").exists


def test_s4_without_rsyslog_the_journal_has_it(
    hosts: dict[str, Host], tasks_on: Callable[..., list[dict[str, Any]]], journal_only: Callable[[str], None]
) -> None:
    host = hosts["ka2"]
    journal_only("journald")
    host.check_output("systemctl stop rsyslog.service syslog.socket")
    try:
        for path in ("/etc/rsyslog.d/10-keepalived.conf", "/etc/logrotate.d/keepalived", "/var/log/keepalived.log"):
            assert not host.file(path).exists, path
        assert host.file("/var/log/keepalived.log.old").exists
        host.check_output("systemctl reload keepalived")
        wait_for(host, 'journalctl --quiet --unit=keepalived --since=-1min | grep -q "Reloading"')
        # What a drill reads, and what an audit says of a host that has only the journal.
        (watched,) = tasks_on(
            "ka2",
            [
                {
                    "name": "Watch",
                    "failover.vip.vip_watch": {"vips": ["192.0.2.100"], "duration": 1},
                }
            ],
        )
        assert isinstance(watched["log"], list)
        (linted,) = tasks_on("ka2", [{"name": "Lint", "failover.vip.keepalived_lint": {"fail_on": "never"}}])
        assert [finding for finding in linted["findings"] if finding["rule"] == "KE011"] == []
    finally:
        host.check_output("systemctl start syslog.socket rsyslog.service && rm -f /var/log/keepalived.log.old")
