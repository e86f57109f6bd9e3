# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Tree to model: values, places and faults by tables, and the model as plain data and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import BadValue
from ansible_collections.failover.vip.plugins.module_utils._conf._keywords import (
    BLOCKS,
    DEPRECATED,
    READ_ONLY_BLOCKS,
    ROOT,
)
from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._plain import from_plain, to_plain
from ansible_collections.failover.vip.plugins.module_utils._conf._read import TABLES, command_words, read
from ansible_collections.failover.vip.plugins.module_utils._finding import Finding
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster, Director, Track, Vip
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import check

SAMPLE = Path(__file__).parents[3] / "data" / "sample.conf"


def director(content: str) -> tuple[Director, list[Finding]]:
    parsed = parse("/k.conf", from_texts({"/k.conf": content}), "ka1")
    assert parsed.findings == ()
    return read(parsed.nodes)


def test_the_sample() -> None:
    found, findings = director(SAMPLE.read_text(encoding="utf-8"))
    assert findings == []
    assert found.global_defs.options == {
        "router_id": "ka1",
        "notification_email": ["ops@example.com", "oncall@example.com"],
        "notification_email_from": "keepalived@example.com",
        "smtp_server": ["192.0.2.25", "25"],
        "enable_script_security": True,
        "script_user": ["keepalived_script"],
        "lvs_sync_daemon": ["eth0", "WEB_VIP"],
        "vrrp_version": 3,
        "vrrp_garp_interval": 0.01,
    }
    web = found.instances[0]
    assert (web.name, web.state, web.priority, web.advert_int) == ("WEB_VIP", "BACKUP", 254, 0.5)
    assert web.vips == [
        Vip("192.0.2.100", 24, "eth0", "eth0:0"),
        *(Vip("192.0.2.%d" % last, 24, "eth0", flags=("no_track",)) for last in (101, 102, 103)),
    ]
    assert web.excluded_vips == [Vip("2001:db8::100", 64)]
    assert web.options["track_script"] == [Track("chk_http"), Track("chk_plain", -3)]
    assert web.options["track_file"] == [Track("drain", -2, True)]
    assert web.options["virtual_routes"] == ["0.0.0.0/0 via 192.0.2.254 table 100"]
    assert web.options["notify_master"] == "/etc/keepalived/mail.sh INSTANCE WEB_VIP MASTER"
    assert web.options["smtp_alert"] is False
    assert web.options["unicast_peer"] == ["192.0.2.2"]
    assert [(script.name, script.options["script"], script.weight, script.reverse) for script in found.scripts] == [
        ("chk_http", "/usr/bin/sh -c \"curl -f 'http://127.0.0.1/a b'\"", -30, False),
        ("chk_plain", "/etc/keepalived/scripts/check.sh", 5, True),
    ]
    assert found.files[0].options == {"file": "/run/keepalived/drain", "weight": Track("", 1)}
    assert found.processes[0].options == {"process": ["haproxy"], "delay": 1.5}
    assert found.sync_groups[0].group == ["WEB_VIP", "DB_VIP"]
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    assert "priority 254" in lines[web.place("priority").line - 1]
    assert "virtual_ipaddress {" in lines[web.place("virtual_ipaddress").line - 1]
    assert "vrrp_instance WEB_VIP{" in lines[web.place().line - 1]


@pytest.mark.parametrize(
    ("content", "rule", "severity", "line", "message", "hint"),
    [
        (
            "global_defs {\nenble_script_security\n}",
            "KH034",
            "error",
            2,
            "'enble_script_security' is no keyword of global_defs",
            "Did you mean 'enable_script_security'?",
        ),
        (
            "vrrp_instance A {\ntrack_srcipt{\nchk\n}\n}",
            "KH034",
            "error",
            2,
            "'track_srcipt' is no keyword of vrrp_instance; keepalived skips the word and not its braces",
            "Did you mean 'track_script'?",
        ),
        ("vrrp_instnace A {\n}", "KH034", "error", 1, "no keyword outside all blocks", "Did you mean 'vrrp_instance'?"),
        ("priority 3", "KH034", "error", 1, "'priority' is no keyword outside", "It belongs into vrrp_instance."),
        (
            "vrrp_script a {\nvirtual_router_id 3\n}",
            "KH034",
            "error",
            2,
            "'virtual_router_id' is no keyword of vrrp_script",
            "It belongs into vrrp_instance.",
        ),
        (
            "vrrp_instance A {\nvrrp_instance B {\n}\n}",
            "KH034",
            "error",
            2,
            "'vrrp_instance' stands inside vrrp_instance",
            "Close the block before it: a '}' is missing above.",
        ),
        ("vrrp_instance A {\npriority 256\n}", "KH042", "error", 2, "is 256, but must be from 1 to 255", ""),
        ("vrrp_instance A {\npriority 1e2\n}", "KH042", "error", 2, "must be a whole number, not '1e2'", ""),
        ("vrrp_instance A {\npreempt_delay 10s\n}", "KH042", "error", 2, "must be a number, not '10s'", ""),
        ("vrrp_instance A {\npriority\n}", "KH042", "error", 2, "'priority' has no value", ""),
        ("vrrp_instance A {\nstate MASTR\n}", "KH042", "error", 2, "is 'MASTR', but must be MASTER or BACKUP", ""),
        ("vrrp_instance A {\nsmtp_alert maybe\n}", "KH042", "error", 2, "is 'maybe', but must be one of", ""),
        ("vrrp_instance A {\nstate {\n}\n}", "KH042", "error", 2, "'state' takes no block", ""),
        ("vrrp_instance A {\nvirtual_ipaddress 192.0.2.1\n}", "KH042", "error", 2, "needs a block in braces", ""),
        ("vrrp_instance A {\nvirtual_ipaddress {\nx\n}\n}", "KH042", "error", 3, "'x' is no IP address", ""),
        ("vrrp_instance A {\ntrack_file {\nx wieght 3\n}\n}", "KH042", "error", 3, "unknown word 'wieght'", ""),
        ("vrrp_instance A {\ntrack_file {\nx {\n}\n}\n}", "KH042", "error", 3, "holds a block, 'x'", ""),
        ("vrrp_script A {\nweight 3 noreverse\n}", "KH042", "error", 2, "unknown word 'noreverse'", ""),
        ("bfd_instance A {\nweight 3 noreverse\n}", "KH042", "error", 2, "unknown word 'noreverse'", ""),
        ("vrrp_instance {\n}", "KH042", "error", 1, "'vrrp_instance' has no name", "Write 'vrrp_instance NAME {'."),
        ("vrrp_instance A", "KH042", "error", 1, "'vrrp_instance' needs a block in braces", ""),
        ("vrrp_instance A {\nnopreempt yes\n}", "KH042", "warning", 2, "more words than it takes", "Drop them."),
        (
            "vrrp_instance A {\nauthentication { auth_type PASS auth_pass 1111 }\n}",
            "KH042",
            "warning",
            2,
            "'auth_pass' among them is lost",
            "Write each keyword on a line of its own.",
        ),
        ("vrrp_instance A {\npriority 1\npriority 2\n}", "KH050", "warning", 3, "also in line 2", "Drop one."),
        ("global_defs {\n}\nglobal_defs {\n}", "KH033", "warning", 3, "the first is in /k.conf:1", "Join them"),
        (
            "virtual_server 192.0.2.1 80 {\nlb_algo rrr\n}",
            "KH042",
            "error",
            2,
            "is 'rrr', but must be",
            "",
        ),
        (
            "virtual_server 192.0.2.1 80 {\nreal_server 192.0.2.2 80 {\nHTTP_GET {\nnb_get_retry 3\n}\n}\n}",
            "KH041",
            "warning",
            4,
            "'nb_get_retry' is deprecated",
            "Write 'retry'.",
        ),
        ("vrrp_instance A {\nnative_ipv6\n}", "KH041", "warning", 2, "'native_ipv6' is deprecated", "Drop it."),
        ("vrrp_script a {\nscript /bin/test -f /x\n}", "KH028", "error", 2, "keepalived drops them", "Put the whole"),
        (
            "vrrp_instance A {\nnotify_master /mail.sh a b c\n}",
            "KH028",
            "error",
            2,
            "keepalived takes them for a user and a group",
            "Put the whole",
        ),
    ],
)
def test_faults(content: str, rule: str, severity: str, line: int, message: str, hint: str) -> None:
    _director, findings = director(content)
    found = [finding for finding in findings if message in finding.message]
    assert found, findings
    assert (found[0].rule, found[0].severity, found[0].path, found[0].line) == (rule, severity, "/k.conf", line)
    assert found[0].hint.startswith(hint)


@pytest.mark.parametrize(
    ("content", "release", "words"),
    [
        (
            "global_defs {\nvrrp_delay_after_boot 5\n}",
            (2, 2, 7),
            "'vrrp_delay_after_boot' exists since keepalived 2.4.0, and this host has 2.2.7",
        ),
        ("global_defs {\nvrrp_delay_after_boot 5\n}", (2, 4, 0), ""),
        ("global_defs {\nvrrp_delay_after_boot 5\n}", (2, 4), ""),
        ("global_defs {\nvrrp_delay_after_boot 5\n}", None, ""),
        ("\ninterface_up_down_delays {\neth0 1\n}", (2, 2, 2), "exists since keepalived 2.2.3"),
        ("vrrp_instance A {\ntimer_expired_backup\n}", (2, 2, 7), "exists since keepalived 2.2.8"),
        ("vrrp_instance A {\ntimer_expired_backup\n}", (2, 3, 3), ""),
    ],
)
def test_what_the_hosts_keepalived_does_not_know_yet(content: str, release: tuple[int, ...] | None, words: str) -> None:
    found, findings = read(parse("/k.conf", from_texts({"/k.conf": content})).nodes, release=release)
    assert [(one.rule, one.severity, one.line, words in one.message) for one in findings] == [
        ("KH034", "error", 2, True)
    ] * bool(words)
    # keepalived skips it, and so does the model.
    options = found.global_defs.options or {key: 1 for one in found.instances for key in one.options}
    assert bool(options) == (not words)


@pytest.mark.parametrize(
    ("release", "messages"),
    [
        ((2, 2, 7), ["'interval' must be a whole number before keepalived 2.3.2, not 0.5"]),
        ((2, 3, 3), []),
        (None, []),
    ],
)
def test_decimals_that_the_hosts_keepalived_does_not_read(release: tuple[int, ...] | None, messages: list[str]) -> None:
    parsed = parse("/k.conf", from_texts({"/k.conf": "vrrp_script a {\nscript /x\ninterval 0.5\ntimeout 1\n}"}))
    assert [one.message for one in read(parsed.nodes, release=release)[1]] == messages


def test_what_stands_twice_is_kept_for_the_rules() -> None:
    found, findings = director(
        "vrrp_script a {\nscript /x\n}\nvrrp_script a {\nscript /x\n}\n"
        "vrrp_instance A {\npriority 1\npriority 2\n"
        "virtual_ipaddress { 192.0.2.1/24 }\nvirtual_ipaddress { 192.0.2.2/24 }\n}"
    )
    assert [script.name for script in found.scripts] == ["a", "a"]
    assert [finding.rule for finding in findings] == ["KH050"]
    assert found.instances[0].priority == 2
    assert [vip.address for vip in found.instances[0].vips] == ["192.0.2.1", "192.0.2.2"]


def test_a_missing_brace_does_not_hide_the_next_instance() -> None:
    parsed = parse(
        "/k.conf", from_texts({"/k.conf": "vrrp_instance A {\npriority 3\nvrrp_instance B {\npriority 4\n}"})
    )
    found, findings = read(parsed.nodes)
    assert {(instance.name, instance.priority) for instance in found.instances} == {("A", 3), ("B", 4)}
    assert [finding.rule for finding in (*parsed.findings, *findings)] == ["KH049", "KH034"]


@pytest.mark.parametrize(
    "block",
    ["auth_type PASS auth_pass canary", "auth_pas canary", "canary", "auth_pass canary {\ncanary\n}", "{canary"],
)
def test_a_password_is_in_no_finding(block: str) -> None:
    parsed = parse("/k.conf", from_texts({"/k.conf": "vrrp_instance A {\nauthentication {\n%s\n}\n}" % block}))
    found, findings = read(parsed.nodes)
    every = [*parsed.findings, *findings, *check(Cluster({"a": found}))]
    assert every
    assert "canary" not in " ".join(finding.text() for finding in every)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a b", ["a", "b"]),
        ('"a b" c', ["a b", "c"]),
        ("'a \"b' c", ['a "b', "c"]),
        ('ab"c d"ef', ["abc def"]),
        ('"a \\"b\\" c"', ['a "b" c']),
        ("a\\ b", ["a b"]),
        ("\\x41\\102\\t\\cA\\q", ["AB\t\x01q"]),
        ('""', [""]),
        ("a \\", ["a"]),
    ],
)
def test_command_words(line: str, words: list[str]) -> None:
    assert command_words([line]) == words


def test_plain_data_and_back() -> None:
    found, _findings = director(SAMPLE.read_text(encoding="utf-8"))
    data = json.loads(json.dumps(to_plain(found, places=True)))
    again = from_plain("", data)
    assert to_plain(again, places=True) == data
    assert again.instances[0].place("priority") == found.instances[0].place("priority")
    assert again.instances[0].vips == found.instances[0].vips
    assert again.scripts == found.scripts
    assert again.files == found.files


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"vrrp_instance": []}, "unknown key 'vrrp_instance'. Did you mean 'vrrp_instances'?"),
        ({"vrrp_instances": {}}, ""),
        ({"vrrp_instances": "x"}, "'vrrp_instances' must be a list"),
        ({"vrrp_instances": ["x"]}, "vrrp_instance must be a mapping"),
        ({"vrrp_instances": [{"name": "A", "priorty": 1}]}, "'priorty' is no keyword of vrrp_instance. Did you mean"),
        ({"vrrp_instances": [{"name": "A", "priority": 0}]}, "'priority' of vrrp_instance is 0"),
        ({"vrrp_instances": [{"name": "A", "authentication": "x"}]}, "must be a mapping"),
        ({"vrrp_instances": [{"name": "A", "places": {"x": 1}}]}, "'places' of vrrp_instance must be"),
        ({"vrrp_instances": [{"name": "A", "virtual_ipaddress": [{"prefixlen": 24}]}]}, "is no IP address"),
    ],
)
def test_plain_data_of_the_wrong_shape(data: dict[str, Any], words: str) -> None:
    if not words:
        assert from_plain("a", data).instances == []
        return
    with pytest.raises(BadValue) as reason:
        from_plain("a", data)
    assert words in str(reason.value)


def test_the_tables_of_files_are_sound() -> None:
    assert not set(BLOCKS) & set(READ_ONLY_BLOCKS)
    for block, table in TABLES.items():
        for name, keyword in table.items():
            assert name == keyword.name, block
            assert keyword.kind != "block" or keyword.block in TABLES
            assert keyword.header in ("", "name", "words")
        for old, new in DEPRECATED.get(block, {}).items():
            assert old not in table
            assert not new or new in table
    assert set(DEPRECATED) <= set(TABLES)
    assert set(ROOT) == set(TABLES[""])
