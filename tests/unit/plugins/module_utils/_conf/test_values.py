# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Values from YAML, facts, and the text that is written."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import BadValue
from ansible_collections.failover.vip.plugins.module_utils._conf._keywords import BLOCKS
from ansible_collections.failover.vip.plugins.module_utils._conf._tree import Node, text
from ansible_collections.failover.vip.plugins.module_utils._conf._values import (
    from_yaml,
    normalise,
    parse_vip,
    vip_from_words,
    vip_words,
)
from ansible_collections.failover.vip.plugins.module_utils._conf._variables import interfaces_from_facts, topology
from ansible_collections.failover.vip.plugins.module_utils._conf._write import file_name, option_nodes
from ansible_collections.failover.vip.plugins.module_utils._finding import did_you_mean
from ansible_collections.failover.vip.plugins.module_utils._model import Track, Vip


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("172.25.254.100", Vip("172.25.254.100")),
        ("172.25.254.100/24", Vip("172.25.254.100", 24)),
        ("172.25.254.100/24 dev eth0 label eth0:0", Vip("172.25.254.100", 24, "eth0", "eth0:0")),
        ("2001:DB8:0::100/64", Vip("2001:db8::100", 64)),
        (
            "192.0.2.1/32 brd 192.0.2.255 scope global noprefixroute",
            Vip("192.0.2.1", 32, "", "", "global", "192.0.2.255", "", ("noprefixroute",)),
        ),
        ("192.0.2.1/32 preferred_lft forever", Vip("192.0.2.1", 32, flags=("preferred_lft", "forever"))),
        ({"address": "172.25.254.100/24", "dev": "eth0", "label": ""}, Vip("172.25.254.100", 24, "eth0")),
        ({"address": "192.0.2.1/24", "flags": ["home", "no_track"]}, Vip("192.0.2.1", 24, flags=("home", "no_track"))),
    ],
)
def test_vips(value: Any, expected: Vip) -> None:
    assert parse_vip(value) == expected
    assert vip_from_words(vip_words(expected)) == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "must not be empty"),
        ("172.25.254", "is no IP address"),
        ("172.25.254.100/", "no valid prefix length (0 to 32)"),
        ("2001:db8::1/129", "no valid prefix length (0 to 128)"),
        ("172.25.254.100/24 lable eth0:0", "unknown word 'lable'. Did you mean 'label'?"),
        ("172.25.254.100/24 dev", "'dev' has no value"),
        ({"dev": "eth0"}, "has no 'address'"),
        ({"adress": "192.0.2.1"}, "unknown key 'adress'. Did you mean 'address'?"),
        (42, "is no IP address"),
        (["192.0.2.1", None], "must be a string"),
    ],
)
def test_bad_vips(value: Any, words: str) -> None:
    with pytest.raises(BadValue) as reason:
        parse_vip(value)
    assert words in str(reason.value)


@pytest.mark.parametrize(
    ("block", "keyword", "value", "lines"),
    [
        ("global_defs", "vrrp_higher_prio_send_advert", True, "vrrp_higher_prio_send_advert"),
        ("global_defs", "vrrp_higher_prio_send_advert", False, "vrrp_higher_prio_send_advert false"),
        ("global_defs", "enable_script_security", False, ""),
        ("global_defs", "smtp_server", ["192.0.2.25", 25], "smtp_server 192.0.2.25 25"),
        ("global_defs", "router_id", "web # one", 'router_id "web # one"'),
        ("global_defs", "vrrp_garp_interval", 0.000001, "vrrp_garp_interval 0.000001"),
        ("global_defs", "lvs_flush_on_stop", True, "lvs_flush_on_stop"),
        ("vrrp_script", "weight", -30, "weight -30"),
        ("vrrp_script", "weight", "-30 reverse", "weight -30 reverse"),
        ("vrrp_script", "script", "/usr/bin/sh -c 'exit 1'", "script \"/usr/bin/sh -c 'exit 1'\""),
        ("vrrp_track_process", "process", "/usr/sbin/haproxy -Ws", "process /usr/sbin/haproxy -Ws"),
        ("vrrp_track_process", "process", ["/opt/a b", "-d"], 'process "/opt/a b" -d'),
        ("vrrp_instance", "advert_int", "0.1", "advert_int 0.1"),
        ("vrrp_instance", "unicast_peer", ["192.0.2.1"], "unicast_peer {\n    192.0.2.1\n}"),
        ("vrrp_instance", "unicast_peer", ["192.0.2.1 min_ttl 64"], "unicast_peer {\n    192.0.2.1 min_ttl 64\n}"),
        ("vrrp_instance", "unicast_peer", [], ""),
        (
            "vrrp_instance",
            "track_script",
            ["one", "two weight -5", {"name": "three", "weight": 7, "reverse": True}],
            "track_script {\n    one\n    two weight -5\n    three weight 7 reverse\n}",
        ),
        (
            "vrrp_instance",
            "virtual_routes",
            ["192.0.2.0/24 via 172.25.254.1 dev eth0"],
            "virtual_routes {\n    192.0.2.0/24 via 172.25.254.1 dev eth0\n}",
        ),
        (
            "vrrp_instance",
            "authentication",
            {"auth_type": "PASS", "auth_pass": "a b#!c"},
            'authentication {\n    auth_type PASS\n    auth_pass "a b#!c"\n}',
        ),
    ],
)
def test_written(block: str, keyword: str, value: Any, lines: str) -> None:
    options, findings = normalise(block, {keyword: value}, "here")
    assert findings == []
    assert text(option_nodes(block, options)).rstrip("\n") == lines


@pytest.mark.parametrize(
    ("block", "keyword", "value", "words"),
    [
        ("vrrp_instance", "priority", 256, "is 256, but must be from 1 to 255"),
        ("vrrp_instance", "priority", 1.5, "must be a whole number, not 1.5"),
        ("vrrp_instance", "priority", True, "must be a number, not bool"),
        ("vrrp_instance", "priority", "high", "must be a number, not 'high'"),
        ("vrrp_instance", "advert_int", float("nan"), "must be a finite number"),
        ("vrrp_script", "rise", 0, "is 0, but must be at least 1"),
        ("vrrp_script", "weight", 254, "is 254, but must be from -253 to 253"),
        ("vrrp_script", "weight", "-30 revers", "unknown word 'revers'"),
        ("vrrp_script", "script", "a\nb", "one string, without line breaks"),
        ("vrrp_script", "script", ["a"], "one string, without line breaks"),
        ("vrrp_instance", "unicast_peer", "192.0.2.1", "must be a list"),
        ("vrrp_instance", "track_script", [{"nam": "x"}], "unknown key 'nam'. Did you mean 'name'?"),
        ("vrrp_instance", "track_script", [{"weight": 3}], "has no 'name'"),
        ("vrrp_instance", "virtual_routes", ["x { y"], "without braces"),
        ("vrrp_instance", "authentication", "PASS", "must be a mapping"),
        ("vrrp_instance", "interface", 'eth"0', "double quotes"),
        ("vrrp_instance", "state", "master", "must be MASTER or BACKUP"),
    ],
)
def test_refused(block: str, keyword: str, value: Any, words: str) -> None:
    options, (finding,) = normalise(block, {keyword: value}, "here")
    assert options == {}
    assert (finding.rule, finding.severity, finding.path) == ("KH042", "error", "here.%s" % keyword)
    assert words in finding.message


def test_null_means_keepaliveds_own_default() -> None:
    assert normalise("global_defs", {"vrrp_version": None}, "here") == ({}, [])


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
_ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(BLOCKS)), st.data())
def test_any_value_is_taken_or_refused_but_never_breaks(block: str, data: st.DataObject) -> None:
    keyword = data.draw(st.sampled_from(sorted(BLOCKS[block])))
    options, findings = normalise(block, {keyword: data.draw(_ANYTHING)}, "here")
    written = text(option_nodes(block, options))
    assert "\x00" not in written
    # Whatever is taken keeps its lines and braces: no value can open a block or end one.
    outside = [line.split('"')[0] for line in written.splitlines()]
    assert sum(line.count("{") for line in outside) == sum(line.count("}") for line in outside)
    assert not (options and findings and BLOCKS[block][keyword].kind != "block")


def test_track_weight_of_the_definition_is_left_to_it() -> None:
    assert from_yaml(BLOCKS["vrrp_instance"]["track_script"], ["chk"]) == [Track("chk", None, False)]


def test_an_empty_block_is_written_whole() -> None:
    assert (
        text(
            [
                Node(
                    ("a",),
                    (
                        Node(
                            ("b", "c d"),
                        ),
                        Node(("e",), ()),
                    ),
                )
            ]
        )
        == 'a {\n    b "c d"\n    e {\n    }\n}\n'
    )


def test_file_names_are_plain() -> None:
    assert file_name(20, "vrrp_instance", "../WEB VIP*") == "conf.d/20-vrrp_instance-.._WEB_VIP_.conf"


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("nopreemt", ["nopreempt", "preempt"], "Did you mean 'nopreempt'?"),
        ("xyz", ["a", "b"], "Known here: a, b."),
        ("xyz", ["key%d" % number for number in range(20)], ""),
    ],
)
def test_did_you_mean(word: str, known: list[str], hint: str) -> None:
    assert did_you_mean(word, known) == hint


FACTS = {
    "interfaces": ["lo", "eth0", "eth0:0", "br-lan", "ghost"],
    "lo": {"device": "lo", "ipv4": {"address": "127.0.0.1", "netmask": "255.0.0.0"}},
    "eth0": {
        "device": "eth0",
        "active": True,
        "macaddress": "02:00:00:00:00:01",
        "ipv4": {"address": "172.25.254.50", "netmask": "255.255.255.0", "prefix": "24"},
        "ipv4_secondaries": [{"address": "172.25.254.100", "prefix": "24"}, {"address": "rubbish", "prefix": "24"}],
        "ipv6": [{"address": "2001:db8::50", "prefix": "64"}],
    },
    "eth0_0": {"device": "eth0:0", "ipv4": {"address": "172.25.254.100", "prefix": "24"}},
    "br_lan": {"device": "br-lan", "active": False},
}


def test_facts() -> None:
    found = interfaces_from_facts(FACTS)
    assert found is not None
    assert set(found) == {"lo", "eth0", "br-lan"}
    assert [str(address) for address in found["eth0"].addresses] == [
        "172.25.254.50/24",
        "172.25.254.100/24",
        "2001:db8::50/64",
    ]
    assert found["lo"].addresses == (ipaddress.ip_interface("127.0.0.1/8"),)
    assert (found["eth0"].up, found["br-lan"].up) == (True, False)
    assert interfaces_from_facts({"os_family": "Debian"}) is None


@pytest.mark.parametrize(
    ("variables", "path", "words"),
    [
        ({"vrrp_instances": "WEB_VIP"}, "keepalived_vrrp_instances", "must be a list of mappings"),
        ({"vrrp_instances": ["WEB_VIP"]}, "keepalived_vrrp_instances[0]", "must be a mapping"),
        ({"vrrp_instances": [{}]}, "keepalived_vrrp_instances[0].name", "must be one word"),
        ({"vrrp_instances": [{"name": "WEB VIP"}]}, "keepalived_vrrp_instances[0].name", "must be one word"),
        ({"vrrp_scripts": [{"name": "a"}, {"name": "a"}]}, "keepalived_vrrp_scripts[1].name", "is already that of"),
        ({"vrrp_instances": [{"name": "A", "hosts": "ka1"}]}, "keepalived_vrrp_instances[0].hosts", "must be a list"),
        ({"auth_pass": ["x"]}, "keepalived_auth_pass", "must be a mapping"),
        ({"vrrp_instances": [{"name": "A"}], "auth_pass": {"A": 1234}}, "keepalived_auth_pass.A", "must be a string"),
        ({"vrrp_instances": [{"name": "A"}], "auth_pass": {"A": "ab\\"}}, "keepalived_auth_pass.A", "backslashes"),
        (
            {"vrrp_instances": [{"name": "A", "authentication": {"auth_type": "PASS"}}]},
            "keepalived_vrrp_instances[0].authentication",
            "no password for it",
        ),
    ],
)
def test_variables_of_the_wrong_shape(variables: dict[str, Any], path: str, words: str) -> None:
    _topology, findings = topology(variables, {})
    assert [(finding.path, words in finding.message) for finding in findings] == [(path, True)]


def test_overrides_of_the_wrong_shape() -> None:
    variables = {"vrrp_instances": [{"name": "A"}]}
    hosts: dict[str, dict[str, Any]] = {
        "ka1": {"overrides": ["A"]},
        "ka2": {"overrides": {"B": {}}},
        "ka3": {"overrides": {"A": 1}},
        "ka4": {"overrides": {"A": {"priorty": 1}}},
    }
    _topology, findings = topology(variables, hosts)
    assert [(finding.host, finding.rule) for finding in findings] == [
        ("ka1", "KH042"),
        ("ka2", "KI004"),
        ("ka3", "KH042"),
        ("ka4", "KH034"),
    ]
