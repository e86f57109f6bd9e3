# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Pairs of configurations from every source, and the lesson's two files with all that is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.failover.vip.plugins.action.vrrp_validate import (
    ARGUMENT_SPEC,
    _backend,
    answered,
    outcome,
    validated,
)
from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import BadValue
from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._plain import fingerprint, to_plain
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._finding import Finding
from ansible_collections.failover.vip.plugins.modules import vrrp_validate
from ansible_collections.failover.vip.tests.unit.plugins.action.test_plan import run as plan

LESSON = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parents[2] / "data" / "lesson").glob("*.conf"))
}
MAIN = "/etc/keepalived/keepalived.conf"
CONF = """
global_defs {
    router_id %(host)s
    enable_script_security
}
vrrp_instance WEB_VIP {
    interface eth0
    virtual_router_id 51
    priority %(priority)s
    authentication {
        auth_type PASS
        auth_pass abcd-efg
    }
    virtual_ipaddress {
        172.25.254.100/24
    }
}
"""
PAIR = {"ka1": CONF % {"host": "ka1", "priority": 254}, "ka2": CONF % {"host": "ka2", "priority": 253}}


def check(configs: dict[str, Any], **arguments: Any) -> list[Finding]:
    return parted(configs, **arguments)[0]


def parted(configs: dict[str, Any], **arguments: Any) -> tuple[list[Finding], list[dict[str, Any]]]:
    """The findings, and the allowed ones."""
    return validated(complete(configs, arguments))[:2]


def complete(configs: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """All arguments of the module."""
    defaults = {name: option.get("default") for name, option in ARGUMENT_SPEC.items()}
    return {**defaults, **arguments, "configs": configs}


def model(text: str, key: str = "") -> dict[str, Any]:
    """What keepalived_lint returns for a text."""
    director, _findings = read(parse(MAIN, from_texts({MAIN: text})).nodes)
    data: dict[str, Any] = json.loads(
        json.dumps(to_plain(director, lambda secret, length: fingerprint(secret, length, key), places=True))
    )
    return data


def test_a_pair_that_fits() -> None:
    assert check(PAIR) == []
    assert check({host: model(text) for host, text in PAIR.items()}) == []


UNICAST = {
    "ka1": "unicast_src_ip 172.25.254.50\n    unicast_peer {\n        172.25.254.60\n    }\n",
    "ka2": "unicast_src_ip 172.25.254.60\n    unicast_peer {\n        172.25.254.50\n    }\n",
}
UNICAST_PAIR = {
    host: text.replace("interface eth0\n", "interface eth0\n    " + UNICAST[host]) for host, text in PAIR.items()
}
VIP, ONE_MORE = "        172.25.254.100/24\n", "        172.25.254.100/24\n        172.25.254.101/24\n"
ANOTHER = "        172.25.254.101/24\n"
AUTH = "    authentication {\n        auth_type PASS\n        auth_pass abcd-efg\n    }\n"
SECURITY = "enable_script_security\n"
#: Both hosts hold the VIP in each, measured with two real keepalived 2.2.7, though each file passes ``keepalived -t``.
SPLIT: list[tuple[str, dict[str, str], str, str, str]] = [
    ("VRID", PAIR, "virtual_router_id 51", "virtual_router_id 61", "KP001"),
    ("password", PAIR, "abcd-efg", "abcd-efh", "KP002"),
    ("authentication on one side", PAIR, AUTH, "", "KP002"),
    ("advert_int", PAIR, "interface eth0\n", "interface eth0\n    advert_int 2\n", "KP003"),
    ("version", PAIR, AUTH, "    version 3\n", "KP004"),
    ("one VIP more", PAIR, VIP, ONE_MORE, "KP005"),
    ("another VIP, multicast", PAIR, VIP, ANOTHER, "KP005"),
    ("another VIP, unicast", UNICAST_PAIR, VIP, ANOTHER, "KP005"),
    ("unicast and multicast", UNICAST_PAIR, UNICAST["ka2"], "", "KP007"),
    ("wrong peer", UNICAST_PAIR, "172.25.254.50", "172.25.254.51", "KP008"),
    ("another VIP, unchecked", PAIR, VIP, ANOTHER + "    }\n    skip_check_adv_addr\n    virtual_routes {\n", "KP005"),
    ("multicast group", PAIR, SECURITY, SECURITY + "    vrrp_mcast_group4 224.0.0.44\n", "KP007"),
]


@pytest.mark.parametrize(("name", "pair", "old", "new", "rule"), SPLIT, ids=[case[0] for case in SPLIT])
def test_every_measured_split_brain(name: str, pair: dict[str, str], old: str, new: str, rule: str) -> None:
    assert check(pair) == [], name
    changed = {**pair, "ka2": pair["ka2"].replace(old, new)}
    assert changed != pair
    found = {finding.rule for finding in check(changed) if finding.severity == "error"}
    assert rule in found, check(changed)
    assert rule in {one.rule for one in check({host: model(text, "key") for host, text in changed.items()})}


#: What the lesson's author was not warned of, as keepalived's rules see it.
MISTAKES = [
    ("ka1", 17, "KH034", "'enble_script_security' is no keyword", "Did you mean 'enable_script_security'?"),
    ("ka1", 48, "KH034", "'track_srcipt' is no keyword", "Did you mean 'track_script'?"),
    ("ka2", 29, "KP006", "VIP 172.25.254.100 is /24 on ka1 and /32 on ka2", ""),
    ("ka2", 29, "KH009", "VIP 172.25.254.100 has no prefix length", ""),
    ("ka2", 38, "KP026", "the instance's name differs (ka1: DB_vip, ka2: VI_60)", ""),
    ("ka2", 38, "KP007", "the transport differs (ka1: unicast, ka2: multicast to 224.0.0.44)", ""),
    ("ka1", 10, "KH048", "smtp_server 127.0.0.0", ""),
    ("ka2", 10, "KH048", "smtp_server 127.0.0.0", ""),
    ("ka2", 12, "KP016", "router_id KA1 is that of ka1 too", ""),
    ("ka1", 18, "KH027", "all scripts run as root", ""),
    ("ka1", 22, "KH026", "enable_script_security is not set", ""),
    ("ka1", 36, "KH007", "has 4 characters", ""),
    ("ka2", 44, "KH007", "has 4 characters", ""),
    ("ka1", 27, "KH020", "timeout 2 s is not below its interval of 1 s", ""),
]


@pytest.mark.parametrize(("host", "line", "rule", "words", "hint"), MISTAKES)
def test_the_lessons_two_files(host: str, line: int, rule: str, words: str, hint: str) -> None:
    found = [finding for finding in check(LESSON) if words in finding.message and finding.rule == rule]
    assert (host, MAIN, line) in {(finding.host, finding.path, finding.line) for finding in found}
    assert all(finding.hint.startswith(hint) for finding in found)


def test_the_lesson_has_no_findings_but_these() -> None:
    explained = {
        ("KP008", "DB_vip"),  # the other side of unicast beside multicast
        ("KH022", ""),  # the script that only the misspelt block names
        ("KH007", "WEB_VIP"),
        ("KH007", "DB_vip"),
    }
    named = {(rule, line) for _host, line, rule, _words, _hint in MISTAKES}
    rest = [one for one in check(LESSON) if (one.rule, one.line) not in named]
    assert {(one.rule, one.instance) for one in rest} == explained


def test_models_give_what_texts_give() -> None:
    """All but what only the text has: the faults of single words, and the password."""
    of_text = {one for one in check(LESSON) if one.rule not in ("KH034", "KH007")}
    assert set(check({host: model(text) for host, text in LESSON.items()})) == of_text


def test_passwords_are_compared_by_their_fingerprints() -> None:
    other = {**PAIR, "ka2": PAIR["ka2"].replace("abcd-efg", "abcd-efh")}
    assert [finding.rule for finding in check(other)] == ["KP002"]
    assert [one.rule for one in check({host: model(text, "key") for host, text in other.items()})] == ["KP002"]
    assert check({host: model(text, "key") for host, text in PAIR.items()}) == []
    assert "abcd" not in repr(check(other))


def test_files_as_the_plan_makes_them() -> None:
    files = plan()["files"]
    assert check(files) == []
    files["ka2"][1]["content"] = files["ka2"][1]["content"].replace("virtual_router_id 51", "virtual_router_id 61")
    (finding,) = check(files)
    assert (finding.rule, finding.host) == ("KP001", "ka2")
    assert finding.path == "/etc/keepalived/conf.d/20-vrrp_instance-WEB_VIP.conf"
    assert "virtual_router_id" in files["ka2"][1]["content"].splitlines()[finding.line - 1]


def test_interfaces_and_facts() -> None:
    facts = {"interfaces": ["eth0"], "eth0": {"device": "eth0", "ipv4": {"address": "192.0.2.1", "prefix": "24"}}}
    assert {one.rule for one in check(PAIR, interfaces={"ka1": {"eth0": ["192.0.2.1/24"]}})} == {"KH010"}
    assert {one.host for one in check(PAIR, facts={"ka2": facts})} == {"ka2"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"configs": {"a": 1}}, "configs.a must be text, files, or what keepalived_lint returned"),
        ({"configs": {"a": None}}, "configs.a must be text, files, or what keepalived_lint returned"),
        ({"configs": {"a": []}}, "configs.a must be files, each with 'path' and 'content'"),
        ({"configs": {"a": [{"path": "x"}]}}, "configs.a must be files"),
        ({"configs": {"a": {"instances": []}}}, "configs.a: unknown key 'instances'"),
        ({"configs": {"a": ""}, "interfaces": {"a": {"eth0": ["x"]}}}, "the interfaces of a"),
        ({"configs": {"a": ""}, "interfaces": {"a": 1}}, "the interfaces of a"),
        ({"configs": {"a": ""}, "releases": {"a": "new"}}, "releases.a must be a version, as 2.2.7, not 'new'"),
        ({"configs": {"a": {"model": 1}}}, "configs.a"),
        ({"configs": {"a": {"model": {}, "findings": [1]}}}, "configs.a"),
        ({"configs": {"a": {"model": {}, "findings": [{"rule": "KH001"}]}}}, "configs.a"),
        ({"configs": {"a": ""}, "daemons": {"a": 1}}, "the daemon of a"),
        ({"configs": {"a": PAIR["ka1"]}, "daemons": {"a": {"running": True, "instances": [1]}}}, "daemons must be"),
        ({"configs": {"a": ""}, "wires": {"a": {"routers": [{}]}}}, "wires what vrrp_advert_info did"),
        ({"configs": {"a": ""}, "backends": {"b": {"sysctls": 1}}}, "backends.b"),
    ],
)
def test_refusals(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(BadValue) as reason:
        check(**arguments)
    assert words in str(reason.value)


@pytest.mark.parametrize("release", ["2.2.7", "1:2.2.7-1+b2", "v2.2.7"])
def test_what_a_hosts_release_does_not_know(release: str) -> None:
    newer = dict(PAIR)
    newer["ka1"] = newer["ka1"].replace("global_defs {", "global_defs {\n    vrrp_delay_after_boot 5", 1)
    found = check(newer, releases={"ka1": release, "ka2": release})
    (finding,) = (one for one in found if one.rule == "KH034")
    assert (finding.host, finding.severity) == ("ka1", "error")
    assert "exists since keepalived 2.4.0, and this host has 2.2.7" in finding.message
    for known in ({}, {"ka1": "2.4.3", "ka2": "2.4.3"}):
        assert "KH034" not in {one.rule for one in check(newer, releases=known)}


def lint_result(text: str, findings: Any = (), allowed: Any = (), comments: Any = ()) -> dict[str, Any]:
    """All that keepalived_lint returns."""
    return {
        "changed": False,
        "failed": False,
        "findings": [one.as_dict() for one in findings],
        "allowed": list(allowed),
        "allowances": list(comments),
        "model": model(text, "key"),
        "files": [MAIN],
    }


SPELLING = Finding("KH034", "error", "'x' is no keyword", "Drop it.", path=MAIN, line=3)


def test_results_of_keepalived_lint() -> None:
    results = {host: lint_result(text) for host, text in PAIR.items()}
    assert check(results) == []
    results["ka1"] = lint_result(PAIR["ka1"], [SPELLING])
    assert check(results) == [Finding(**{**SPELLING.as_dict(), "host": "ka1"})]


def test_what_keepalived_lint_allowed_is_judged_again_with_all_that_is_known() -> None:
    comment = {"rule": "KH034", "reason": "of 2.4", "path": MAIN, "line": 3, "written": MAIN, "written_line": 2}
    pair_rule = {**comment, "rule": "KP002", "line": 0, "path": ""}
    stale = Finding("KI008", "info", "nothing that KP002 finds is left to allow", path=MAIN, line=2)
    allowed = {**SPELLING.as_dict(), "reason": "of 2.4", "allowed_at": MAIN + ":2"}
    other = PAIR["ka2"].replace("abcd-efg", "abcd-efh")
    results = {"ka1": lint_result(PAIR["ka1"], [stale], [allowed], [comment]), "ka2": lint_result(other)}
    left, silent = parted(results)
    assert [one.rule for one in left] == ["KP002"]
    assert silent == [{**allowed, "host": "ka1"}]
    results["ka2"]["allowances"] = [pair_rule]
    left, silent = parted(results)
    assert left == []
    assert {one["rule"] for one in silent} == {"KH034", "KP002"}


def test_a_comment_in_a_text() -> None:
    text = PAIR["ka2"].replace(
        VIP, "        # failover.vip: allow KH009 because it is routed\n        172.25.254.100\n"
    )
    left, silent = parted({"ka1": PAIR["ka1"], "ka2": text})
    assert [one.rule for one in left] == ["KP006"]
    assert [(one["rule"], one["host"], one["reason"]) for one in silent] == [("KH009", "ka2", "it is routed")]
    left, _silent = parted({"ka1": text, "ka2": text}, allowed_findings=[{"rule": "KP016"}])
    assert {one.rule for one in left} == {"KI006", "KP010", "KP016"}


def test_the_inventory_allows() -> None:
    item = {"rule": "KH034", "host": "ka1", "reason": "of 2.4"}
    results = {"ka1": lint_result(PAIR["ka1"], [SPELLING]), "ka2": lint_result(PAIR["ka2"])}
    left, (one,) = parted(results, allowed_findings=[item])
    assert (left, one["allowed_at"]) == ([], "keepalived_allowed_findings[0]")
    left, silent = parted(results, allowed_findings=[{**item, "host": "ka2"}])
    assert ([one.rule for one in left], silent) == (["KH034", "KI008"], [])


@pytest.mark.parametrize("option", ["configs", "daemons", "wires", "backends"])
def test_results_that_failed_are_findings_and_skipped_ones_are_none(option: str) -> None:
    given: dict[str, Any] = {"configs": dict(PAIR)}
    given.setdefault(option, {}).update(
        {
            "ka3": {"unreachable": True, "msg": "Failed to connect\nvia ssh", "changed": False},
            "ka4": {"skipped": True, "changed": False},
        }
    )
    (finding,) = check(**given)
    assert (finding.rule, finding.severity, finding.host) == ("KI009", "error", "ka3")
    assert "could not be read: Failed to connect via ssh" in finding.message


def advert(source: str, **said: Any) -> dict[str, Any]:
    return {
        "interface": "eth0",
        "family": "ipv4",
        "vrid": 51,
        "version": 2,
        "source": source,
        "mac": "52:54:00:00:00:02",
        "priority": 254,
        "advert_int": 1.0,
        "addresses": ["172.25.254.100"],
        "auth_type": "pass",
        "checksum": "ok",
        "transport": "multicast",
        "destinations": ["224.0.0.18"],
        "own": False,
        **said,
    }


def test_what_is_heard_is_compared_as_files_are() -> None:
    facts = {
        host: {"interfaces": ["eth0"], "eth0": {"device": "eth0", "ipv4": {"address": address, "prefix": "24"}}}
        for host, address in (("ka1", "172.25.254.50"), ("ka2", "172.25.254.60"))
    }
    wire = {"routers": [advert("172.25.254.50", own=True)], "split": [], "undecoded": []}
    assert check(PAIR, facts=facts, wires={"ka1": wire}) == []
    both = {**wire, "routers": [*wire["routers"], advert("172.25.254.60", priority=253, addresses=["172.25.254.101"])]}
    (finding,) = check(PAIR, facts=facts, wires={"ka1": both})
    assert (finding.rule, finding.host, finding.instance, finding.path) == ("KP005", "ka2", "WEB_VIP", "VRRP on eth0")
    assert "ka1: 172.25.254.100, ka2: 172.25.254.101" in finding.message
    in_files = {**PAIR, "ka2": PAIR["ka2"].replace(VIP, ANOTHER)}
    assert [one.rule for one in check(in_files, facts=facts, wires={"ka1": both})].count("KP005") == 1


def test_daemons_reach_their_rules() -> None:
    daemons = {"ka1": {"running": False, "instances": []}}
    assert [(one.rule, one.host) for one in check(PAIR, daemons=daemons)] == [("KD001", "ka1")]


def test_backends_reach_the_cluster() -> None:
    given = {"rs11": {"interfaces": {"lo": ["127.0.0.1/8"]}, "sysctls": {"net.ipv4.conf.all.arp_ignore": 1}}}
    assert check(PAIR, backends=given) == []
    backend = _backend("rs11", given["rs11"])
    assert backend.machine.sysctls == {"net.ipv4.conf.all.arp_ignore": "1"}
    assert list(backend.interfaces or {}) == ["lo"]


def test_who_holds_what() -> None:
    tracked = "    track_interface {\n        eth1\n    }\n    virtual_ipaddress {"
    pair = {host: text.replace("    virtual_ipaddress {", tracked) for host, text in PAIR.items()}
    assert "holders" not in answered(complete(pair, {}))
    found = answered(complete(pair, {"holders": True}))["holders"]
    assert list(found) == ["WEB_VIP"]
    assert found["WEB_VIP"]["covers"] == "all"
    rows = found["WEB_VIP"]["rows"]
    assert rows[0] == {"failed": {}, "holder": "ka1", "tie": False, "priorities": {"ka1": 254, "ka2": 253}}
    by_failed = {tuple(sorted(row["failed"])): row["holder"] for row in rows}
    assert by_failed == {(): "ka1", ("ka1",): "ka2", ("ka2",): "ka1", ("ka1", "ka2"): ""}
    json.dumps(found)


def test_outcome() -> None:
    warning = Finding("KP010", "warning", "equal")
    assert outcome([warning], [], "error") == {"changed": False, "findings": [warning.as_dict()], "allowed": []}
    assert "failed" not in outcome([warning], [], "never")
    failed = outcome([warning], [], "info")
    assert (failed["failed"], failed["findings"]) == (True, [warning.as_dict()])
    assert "warning KP010 equal." in failed["msg"]


def test_the_documentation() -> None:
    documented = yaml.safe_load(vrrp_validate.DOCUMENTATION)["options"]
    assert set(documented) == set(ARGUMENT_SPEC)
    for name, option in documented.items():
        for key in ("type", "elements", "required", "default", "choices"):
            assert option.get(key) == ARGUMENT_SPEC[name].get(key), (name, key)
        assert set(option.get("suboptions", {})) == set(ARGUMENT_SPEC[name].get("options", {}))
    finding = Finding("KP010", "warning", "equal").as_dict()
    documented = yaml.safe_load(vrrp_validate.RETURN)
    assert set(documented["findings"]["contains"]) == set(finding)
    assert set(documented["allowed"]["contains"]) == {*finding, "reason", "allowed_at"}
    example = yaml.safe_load(vrrp_validate.EXAMPLES)[0]["failover.vip.vrrp_validate"]
    assert check(**example) == []
