# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Virtual servers: from text and from YAML into the model, and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import BadValue
from ansible_collections.failover.vip.plugins.module_utils._conf._keywords_lvs import CHECKS, LVS_BLOCKS
from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._plain import from_plain, to_plain
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._conf._variables_lvs import (
    virtual_server_groups,
    virtual_server_to_yaml,
    virtual_servers,
)
from ansible_collections.failover.vip.plugins.module_utils._conf._words_lvs import (
    entry_from_words,
    entry_words,
    method_from_words,
)
from ansible_collections.failover.vip.plugins.module_utils._conf._write import files
from ansible_collections.failover.vip.plugins.module_utils._finding import Finding
from ansible_collections.failover.vip.plugins.module_utils._model import (
    AddressRange,
    Block,
    Director,
    Fwmark,
    Origin,
    RealServer,
    Track,
)

#: Every kind of service, server and check, with the forms that are easy to lose.
EVERYTHING = """
track_file drain {
    file /run/drain
}
bfd_instance rs11 {
    neighbour_ip 172.25.254.10
    min_rx 50
    idle_tx 1000
    max_hops -1
    passive
    weight -10 reverse
}
virtual_server_group MANY {
    192.0.2.10-20 80
    192.0.2.250-192.0.3.10 81
    192.0.2.32/28
    192.0.2.9
    2001:db8::10-1f 80
    fwmark 3
    fwmark 4 inet6
}
virtual_server 172.25.254.100 80 {
    ip_family inet
    lvs_sched mh
    flag-1
    mh-port
    lvs_method TUN type gue port 6080 csum
    persistence_engine sip
    persistence_timeout 50
    persistence_granularity 255.255.255.0
    protocol tcp
    delay_before_retry 0.5
    warmup 0
    connect_timeout 2.5
    delay_loop 0.25
    retry 1
    virtualhost www.example.com
    smtp_alert off
    snmp_name web
    weight 7
    inhibit_on_failure
    ha_suspend
    alpha
    omega
    quorum 3
    hysteresis 1
    quorum_up "/etc/keepalived/up.sh 'a b'" root
    quorum_down /etc/keepalived/down.sh
    sorry_server 172.25.254.30 0080
    sorry_server_inhibit
    sorry_server_lvs_method DR
    real_server 172.25.254.10 80 {
        weight 0
        lvs_method NAT
        uthreshold 9
        lthreshold 1
        inhibit_on_failure false
        alpha yes
        notify_up "/etc/keepalived/up.sh up"
        SMTP_CHECK {
            host {
                connect_ip 172.25.254.10
            }
            host {
                connect_port 587
            }
        }
        MISC_CHECK {
            misc_path "/usr/bin/check -a \\"b c\\""
            misc_timeout 5
            misc_dynamic
            user nobody
        }
        SSL_GET {
            http_protocol 1.0c
            enable_sni
            fast_recovery no
            url {
                path "/a b"
                digest 9b3a0c85a887a256d6939da88aabd8cd
                status_code 200-299 301
                regex "^ok \\\\d+"
                regex_no_match
                regex_options caseless utf
                regex_stack 32 64
            }
            url {
                path /b
            }
        }
        TCP_CHECK {
            connect_ip 172.25.254.10
            bindto 172.25.254.50
            bind_if eth0
            fwmark 5
            log_all_failures
        }
        TCP_CHECK {
            connect_port 81
            retry 0
        }
    }
    real_server 2001:DB8:0::20 {
        UDP_CHECK {
            payload 01 0fA
            require_reply 0x 0X
            max_reply_length 9
        }
        UDP_CHECK {
            require_reply
        }
        DNS_CHECK {
            type aaaa
            name www.example.com.
        }
        PING_CHECK {
        }
        BFD_CHECK {
            name rs11
            alpha
        }
        FILE_CHECK {
            track_file drain
            weight 3 reverse
        }
    }
}
virtual_server fwmark 7 {
}
virtual_server group MANY {
}
virtual_server 2001:db8::100 {
}
"""


def director(content: str) -> tuple[Director, list[Finding]]:
    parsed = parse("/k.conf", from_texts({"/k.conf": content}), "ka1")
    found, findings = read(parsed.nodes)
    return found, [*parsed.findings, *findings]


def written(found: Director) -> str:
    """The whole tree as one text."""
    main, *fragments = files(found, "/etc/keepalived")
    return main.content.partition("include ")[0] + "\n".join(fragment.content for fragment in fragments)


def test_everything_is_read() -> None:
    found, findings = director(EVERYTHING)
    assert [finding.text() for finding in findings] == []
    web, mark, group, every = found.virtual_servers
    assert (web.name, web.address, web.port, web.fwmark, web.group) == (
        "172.25.254.100 80",
        "172.25.254.100",
        80,
        None,
        "",
    )
    assert (web.lb_algo, web.lb_kind, web.protocol, web.delay_loop) == ("mh", "TUN", "TCP", 0.25)
    assert web.options["lvs_method"] == "TUN type gue port 6080 csum"
    assert web.options["quorum_up"] == "/etc/keepalived/up.sh 'a b'"
    assert web.options["smtp_alert"] is False
    assert web.sorry_server == RealServer("172.25.254.30 80", {}, Origin("/k.conf", 49), {}, "172.25.254.30", 80)
    one, two = web.real_servers
    assert [web.method_of(server) for server in (one, two, web.sorry_server)] == ["NAT", "TUN", "DR"]
    assert [web.weight_of(server) for server in (one, two)] == [0, 7]
    assert (one.place("weight"), one.origin) == (Origin("/k.conf", 53), Origin("/k.conf", 52))
    assert (two.name, two.port) == ("2001:db8::20", 0)
    assert [check.name for check in one.checks] == ["TCP_CHECK", "TCP_CHECK", "SSL_GET", "SMTP_CHECK", "MISC_CHECK"]
    assert [check.name for check in two.checks] == [
        *("DNS_CHECK", "UDP_CHECK", "UDP_CHECK", "PING_CHECK", "BFD_CHECK", "FILE_CHECK")
    ]
    first, second = one.checks[2].options["url"]
    assert (first["path"], first["status_code"], first["regex"]) == ("/a b", ["200-299", "301"], "^ok \\d+")
    assert second == {"path": "/b"}
    assert one.checks[2].options["http_protocol"] == "1.0C"
    assert one.checks[3].options["host"] == [{"connect_ip": "172.25.254.10"}, {"connect_port": 587}]
    assert one.checks[4].options["misc_path"] == '/usr/bin/check -a "b c"'
    assert two.checks[0].options == {"type": "AAAA", "name": "www.example.com."}
    assert [check.options["require_reply"] for check in two.checks[1:3]] == [["0x", "0X"], []]
    assert two.checks[5].options["weight"] == Track("", 3, True)
    assert (mark.fwmark, group.group, every.address, every.port) == (7, "MANY", "2001:db8::100", 0)
    assert [service.protocol for service in (mark, group)] == ["", ""]
    assert found.virtual_server_groups[0].addresses == [
        AddressRange("192.0.2.10", "192.0.2.20", 80),
        AddressRange("192.0.2.250", "192.0.3.10", 81),
        AddressRange("192.0.2.32", "192.0.2.47"),
        AddressRange("192.0.2.9", "192.0.2.9"),
        AddressRange("2001:db8::10", "2001:db8::1f", 80),
    ]
    assert found.virtual_server_groups[0].fwmarks == [Fwmark(3), Fwmark(4, "inet6")]
    assert found.bfd_instances[0].options["max_hops"] == -1


def test_text_and_back() -> None:
    found, _findings = director(EVERYTHING)
    again, findings = director(written(found))
    assert findings == []
    assert to_plain(again) == to_plain(found)
    assert written(again) == written(found)


def test_plain_data_and_back() -> None:
    found, _findings = director(EVERYTHING)
    again = from_plain("", json.loads(json.dumps(to_plain(found, places=True))))
    assert again == found
    without = from_plain("", json.loads(json.dumps(to_plain(found))))
    assert written(without) == written(found)


SERVICE = "virtual_server 192.0.2.1 80 {\n%s\nreal_server 192.0.2.2 80 {\n%s\n}\n}\n"

REFUSED = [
    ("virtual_server 192.0.2.300 80 {\n}\n", "'192.0.2.300' is no IP address: keepalived skips it"),
    ("virtual_server 192.0.2.1 http {\n}\n", "has the port 'http', which is no number from 1 to 65535"),
    ("virtual_server 192.0.2.1 65536 {\n}\n", "has the port '65536'"),
    ("virtual_server {\n}\n", "has no address, 'fwmark NUMBER' or 'group NAME'"),
    ("virtual_server group {\n}\n", "has nothing after 'group'"),
    ("virtual_server fwmark -1 {\n}\n", "has the firewall mark '-1'"),
    ("virtual_server fwmark 4294967296 {\n}\n", "has the firewall mark '4294967296'"),
    ("virtual_server 192.0.2.1 80\n", "'virtual_server' needs a block in braces"),
    ("virtual_server 192.0.2.1 80 x {\n}\n", "'virtual_server' is followed by more words"),
    ("virtual_server 192.0.2.1/24 80 {\n}\n", "keepalived drops '/24'"),
    ("virtual_server_group {\n192.0.2.1\n}\n", "'virtual_server_group' has no name"),
    ("virtual_server_group G\n", "'virtual_server_group' needs a block"),
    ("virtual_server_group G {\n192.0.2.1 {\n}\n}\n", "holds a block, '192.0.2.1'"),
    ("virtual_server_group G {\n192.0.2.10-5\n}\n", "'192.0.2.10-5' ends before it starts"),
    ("virtual_server_group G {\n192.0.2.9/24\n}\n", "the bits after the prefix must be 0"),
    ("virtual_server_group G {\n0.0.0.0/0\n}\n", "has no prefix length of 1 or more"),
    ("virtual_server_group G {\n192.0.2.1-2001:db8::1\n}\n", "'192.0.2.2001:db8::1' is no IP address"),
    ("virtual_server_group G {\nfwmark 3 ipv4\n}\n", "has the family 'ipv4'"),
    ("virtual_server_group G {\nfwmark\n}\n", "has the firewall mark ''"),
    (SERVICE % ("", ""), ""),
    (SERVICE.replace("192.0.2.2 80", "web1 80") % ("", ""), "'web1' is no IP address: keepalived skips it"),
    (SERVICE % ("lb_algo rrr", ""), "'lb_algo' is 'rrr', but must be rr or"),
    (SERVICE % ("lb_kind dr", ""), "Write 'DR'"),
    (SERVICE % ("lb_kind", ""), "'lb_kind' has no value"),
    (SERVICE % ("lb_kind DR type gue", ""), "has options after 'DR', which only TUN takes"),
    (SERVICE % ("lb_kind TUN type gue", ""), "must have a port with the tunnel type gue"),
    (SERVICE % ("lb_kind TUN type gue port", ""), "has the port 'none'"),
    (SERVICE % ("lb_kind TUN type ipip csum", ""), "has the checksum option csum"),
    (SERVICE % ("lb_kind TUN type vxlan", ""), "has the tunnel type 'vxlan'"),
    (SERVICE % ("lb_kind TUN fast", ""), "has the unknown tunnel option 'fast'"),
    (SERVICE % ("protocol ICMP", ""), "'protocol' is 'ICMP', but must be TCP or UDP or SCTP"),
    (SERVICE % ("persistence_granularity 300.0.0.0", ""), "must be a netmask, as 255.255.255.0"),
    (SERVICE % ("persistence_timeout 0", ""), "must be from 1 to 2678400"),
    (SERVICE % ("sorry_server web 80", ""), "'sorry_server' 'web' is no IP address"),
    (SERVICE % ("sorry_server 192.0.2.9 80 81", ""), "'sorry_server' is followed by more words"),
    (SERVICE % ("alpha false", ""), "'alpha' is followed by more words than it takes: it is on, whatever follows"),
    (SERVICE % ("retry 0", ""), "'retry' is 0, but must be from 1"),
    (SERVICE % ("weight 0", ""), "'weight' is 0, but must be from 1"),
    (SERVICE % ("TCP_CHECK {\n}", ""), "'TCP_CHECK' is no keyword of virtual_server"),
    (SERVICE % ("", "weight -1"), "'weight' is -1, but must be from 0 to 2147483647"),
    (SERVICE % ("", "TCP_CHEK {\n}"), "'TCP_CHEK' is no keyword of real_server"),
    (SERVICE % ("", "TCP_CHECK"), "'TCP_CHECK' needs a block in braces"),
    (SERVICE % ("", "TCP_CHECK {\nconnect_port 0\n}"), "'connect_port' is 0, but must be from 1 to 65535"),
    (SERVICE % ("", "TCP_CHECK {\nconnect_ip web\n}"), "'connect_ip' 'web' is no IP address"),
    (
        SERVICE % ("", "TCP_CHECK {\nbind_if a_name_of_16_char\n}"),
        "'bind_if' is 'a_name_of_16_char', but must be at most",
    ),
    (SERVICE % ("", "HTTP_GET {\nurl {\ndigest 9b3a\n}\n}"), "must be an MD5 digest of 32 hexadecimal digits"),
    (SERVICE % ("", "HTTP_GET {\nurl {\nstatus_code 200 600\n}\n}"), "'status_code' is '600', but must be a status"),
    (SERVICE % ("", "HTTP_GET {\nhttp_protocol 2\n}"), "'http_protocol' is '2', but must be 1.0 or 1.0C or 1.1"),
    (SERVICE % ("", "HTTP_GET {\nnb_get_retry 3\n}"), "'nb_get_retry' is deprecated"),
    (SERVICE % ("", "DNS_CHECK {\nname a..b\n}"), "must be a name without empty labels"),
    (SERVICE % ("", "DNS_CHECK {\nname a.b\n}"), "whose first has two characters"),
    (SERVICE % ("", "FILE_CHECK {\ntrack_file f\nweight 1e3\n}"), "'weight' must be a whole number, not '1e3'"),
    (SERVICE % ("delay_loop 99999999999999", ""), "but must be from 0.000001 to 18446744073709"),
    (SERVICE % ("", "UDP_CHECK {\npayload xx\n}"), "'payload' is 'xx', but must be hexadecimal digits"),
    (SERVICE % ("", "MISC_CHECK {\nmisc_timeout 2.5\n}"), "'misc_timeout' must be a whole number"),
    (SERVICE % ("", "FILE_CHECK {\ndynamic\n}"), "'dynamic' is no keyword of FILE_CHECK"),
    ("bfd_instance b {\nidle_tx 5\n}\n", "'idle_tx' is 5, but must be from 1000"),
    ("bfd_instance b {\nneighbor_ip web\n}\n", "'neighbor_ip' 'web' is no IP address"),
]


@pytest.mark.parametrize(("content", "words"), REFUSED)
def test_refused(content: str, words: str) -> None:
    _found, findings = director(content)
    if not words:
        assert findings == []
        return
    assert [finding for finding in findings if words in finding.message + " " + finding.hint], findings
    assert all(finding.line for finding in findings)


def test_a_check_that_the_host_does_not_know_yet() -> None:
    parsed = parse("/k.conf", from_texts({"/k.conf": SERVICE % ("", "PING_CHECK {\n}\nTCP_CHECK {\n}")}), "ka1")
    found, findings = read(parsed.nodes, release=(2, 0, 20))
    assert [(finding.rule, finding.line) for finding in findings] == [("KH034", 4)]
    assert [check.name for check in found.virtual_servers[0].real_servers[0].checks] == ["TCP_CHECK"]


def test_a_missing_brace_loses_nothing() -> None:
    text = SERVICE.replace("}\n}\n", "}\n") % ("", "TCP_CHECK {\n}") + "virtual_server fwmark 3 {\n}\n"
    found, findings = director(text)
    assert [service.name for service in found.virtual_servers] == ["fwmark 3", "192.0.2.1 80"]
    assert "'virtual_server' stands inside virtual_server" in " ".join(finding.message for finding in findings)


_PIECES = st.sampled_from(
    [
        *(
            "virtual_server ",
            "virtual_server_group ",
            "real_server ",
            "sorry_server ",
            "192.0.2.1 ",
            "80 ",
            "fwmark 3 ",
        ),
        *(
            "group G ",
            "{\n",
            "}\n",
            "\n",
            "lb_kind TUN type gue ",
            "url {",
            "status_code 1-2",
            "192.0.2.1-300",
            "::1/0",
        ),
        *(name + " {" for name in CHECKS),
    ]
)


@given(st.lists(_PIECES | st.text(max_size=4), max_size=30).map("".join))
def test_anything_is_read(content: str) -> None:
    found, findings = director(content)
    assert all(finding.severity in ("error", "warning", "info") for finding in findings)
    again = from_plain("", json.loads(json.dumps(to_plain(found, places=True))))
    assert again.virtual_servers == found.virtual_servers


@given(st.ip_addresses(), st.integers(0, 70000), st.integers(0, 65535))
def test_any_range(first: Any, size: int, port: int) -> None:
    last = type(first)(min(int(first) + size, 2**first.max_prefixlen - 1))
    entry = AddressRange(str(first), str(last), port)
    assert entry_from_words(entry_words(entry)) == entry


@pytest.mark.parametrize(
    "method", ["NAT", "DR", "TUN", "TUN type gre csum", "TUN type gue port 6080 remcsum", "TUN nocsum"]
)
def test_methods(method: str) -> None:
    assert method_from_words(method.split()) == method


WANTED: dict[str, Any] = {
    "address": "172.25.254.100",
    "port": 80,
    "lb_algo": "rr",
    "lb_kind": "DR",
    "protocol": "TCP",
    "sorry_server": {"address": "172.25.254.30", "port": 80},
    "real_servers": [
        {"address": "172.25.254.10", "port": 80, "weight": 2, "HTTP_GET": {"url": [{"path": "/", "status_code": 200}]}},
        {"address": "172.25.254.20", "port": "80", "TCP_CHECK": None, "PING_CHECK": True, "MISC_CHECK": [{}, {}]},
    ],
}


def test_the_inventory() -> None:
    findings: list[Finding] = []
    (found,) = virtual_servers([WANTED], findings)
    assert findings == []
    text = written(Director("ka1", virtual_servers=[found]))
    again, more = director(text)
    assert more == []
    assert virtual_server_to_yaml(again.virtual_servers[0]) == virtual_server_to_yaml(found)
    assert found.place("lb_kind") == Origin("keepalived_virtual_servers[0].lb_kind")
    assert found.sorry_server
    assert found.sorry_server.place() == Origin("keepalived_virtual_servers[0].sorry_server")
    one, two = found.real_servers
    assert one.checks == [
        Block(
            "HTTP_GET",
            {"url": [{"path": "/", "status_code": ["200"]}]},
            Origin("keepalived_virtual_servers[0].real_servers[0].HTTP_GET"),
            {"url": Origin("keepalived_virtual_servers[0].real_servers[0].HTTP_GET.url")},
        )
    ]
    assert [check.name for check in two.checks] == ["TCP_CHECK", "PING_CHECK", "MISC_CHECK", "MISC_CHECK"]
    assert two.checks[3].origin.path.endswith("real_servers[1].MISC_CHECK[1]")
    assert virtual_servers(None, findings) == []


WRONG: list[tuple[Any, str, str, str]] = [
    ("web", "", "KH042", "must be a list of mappings"),
    (["web"], "[0]", "KH042", "must be a mapping with an 'address'"),
    ([{"lb_algo": "rr"}], "[0]", "KH042", "must have one of 'address', 'fwmark' and 'group', and has none"),
    ([{"address": "192.0.2.1", "fwmark": 3}], "[0]", "KH042", "and has 'address' and 'fwmark'"),
    ([{"fwmark": 3, "port": 80}], "[0]", "KH042", "has a 'port', which only an 'address' takes"),
    ([{"address": "web"}], "[0]", "KH042", "'web' is no IP address"),
    ([{"address": True}], "[0]", "KH042", "must be a string"),
    ([{"address": "192.0.2.1", "port": 99999}], "[0]", "KH042", "has the port '99999'"),
    ([{"group": "a b"}], "[0]", "KH042", "must have one word as its 'group'"),
    ([{**WANTED, "lb_alog": "rr"}], "[0].lb_alog", "KH034", "Did you mean 'lb_algo'?"),
    ([{**WANTED, "lb_algo": "rrr"}], "[0].lb_algo", "KH042", "'lb_algo' is 'rrr', but must be rr"),
    ([{**WANTED, "lb_kind": "dr"}], "[0].lb_kind", "KH042", "Write 'DR'"),
    ([{**WANTED, "real_server": []}], "[0].real_server", "KH034", "Did you mean 'real_servers'?"),
    ([{**WANTED, "real_servers": {}}], "", "", ""),
    (
        [{**WANTED, "real_servers": "x"}],
        "[0].real_servers",
        "KH042",
        "must be a list of mappings, each with an 'address'",
    ),
    ([{**WANTED, "real_servers": [{"port": 80}]}], "[0].real_servers[0]", "KH042", "a real server "),
    ([{**WANTED, "sorry_server": {"adress": "x"}}], "[0].sorry_server", "KH042", "has the unknown key 'adress'"),
    ([{**WANTED, "places": {}}], "[0].places", "KH034", "'places' is no keyword of virtual_server"),
]

WRONG_SERVERS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"wieght": 1}, ".wieght", "KH034", "Did you mean 'weight'?"),
    ({"weight": -1}, ".weight", "KH042", "must be from 0"),
    ({"TCP_CHEK": {}}, ".TCP_CHEK", "KH034", "'TCP_CHEK' is no keyword of real_server"),
    ({"TCP_CHECK": "yes"}, ".TCP_CHECK", "KH042", "must be a mapping of the keywords of its block"),
    ({"TCP_CHECK": [{}, {"conect_port": 1}]}, ".TCP_CHECK[1].conect_port", "KH034", "Did you mean 'connect_port'?"),
    ({"HTTP_GET": {"url": "x"}}, ".HTTP_GET.url", "KH042", "'url' must be a mapping"),
    ({"HTTP_GET": {"url": [{"paht": "/"}]}}, ".HTTP_GET.url[0].paht", "KH034", "Did you mean 'path'?"),
    ({"HTTP_GET": {"url": {"digest": "0"}}}, ".HTTP_GET.url.digest", "KH042", "an MD5 digest"),
]


@pytest.mark.parametrize(
    ("value", "place", "rule", "words"),
    [
        *WRONG,
        *(
            (
                [{**WANTED, "real_servers": [{"address": "192.0.2.2", **server}]}],
                "[0].real_servers[0]" + place,
                rule,
                words,
            )
            for server, place, rule, words in WRONG_SERVERS
        ),
    ],
)
def test_what_the_inventory_has_wrong(value: Any, place: str, rule: str, words: str) -> None:
    findings: list[Finding] = []
    virtual_servers(value, findings)
    if not rule:
        assert findings == []
        return
    (finding,) = findings
    assert (finding.rule, finding.path) == (rule, "keepalived_virtual_servers" + place)
    assert words in finding.message + " " + finding.hint


def test_groups_of_the_inventory() -> None:
    findings: list[Finding] = []
    given_groups = [
        {
            "name": "A",
            "addresses": ["192.0.2.10-20 80", {"address": "192.0.2.9", "port": 81}],
            "fwmarks": [3, "4 inet6"],
        },
        {"name": "B", "addresses": ["x", "fwmark 3", True], "fwmarks": ["y"], "adresses": []},
        {"name": "two words"},
        {"name": "C", "addresses": "192.0.2.1"},
        7,
    ]
    one, two, three = virtual_server_groups(given_groups, findings)
    assert one.addresses == [AddressRange("192.0.2.10", "192.0.2.20", 80), AddressRange("192.0.2.9", "192.0.2.9", 81)]
    assert one.fwmarks == [Fwmark(3), Fwmark(4, "inet6")]
    assert not (two.addresses)
    assert not (two.fwmarks)
    assert not (three.addresses)
    variable = "keepalived_virtual_server_groups"
    assert [(finding.rule, finding.path.removeprefix(variable)) for finding in findings] == [
        ("KH042", "[4]"),
        ("KH034", "[1].adresses"),
        ("KH042", "[1].addresses[0]"),
        ("KH042", "[1].addresses[1]"),
        ("KH042", "[1].addresses[2]"),
        ("KH042", "[1].fwmarks[0]"),
        ("KH042", "[2].name"),
        ("KH042", "[3].addresses"),
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"virtual_servers": [{"address": "x"}]}, "virtual_servers[0] a virtual server 'x' is no IP address"),
        ({"virtual_servers": [{"fwmark": 1, "places": 7}]}, "virtual_servers[0].places must be keywords"),
        ({"virtual_servers": 7}, "virtual_servers must be a list"),
        ({"virtual_server_groups": [{}]}, "virtual_server_groups[0].name must be one word"),
        ({"virtual_server": []}, "Did you mean 'virtual_servers'?"),
    ],
)
def test_plain_data_of_the_wrong_shape(data: dict[str, Any], words: str) -> None:
    with pytest.raises(BadValue) as reason:
        from_plain("a", data)
    assert words in str(reason.value)


def test_the_table_is_sound() -> None:
    assert set(CHECKS) <= set(LVS_BLOCKS["real_server"]) & set(LVS_BLOCKS)
    for table in LVS_BLOCKS.values():
        for keyword in table.values():
            assert bool(keyword.pattern) == bool(keyword.shape)
