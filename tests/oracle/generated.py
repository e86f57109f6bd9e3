# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Configurations made from the keyword table: every keyword with values at the ends of its range, single mutations of
each, and files of many keywords with one mutation. The same ones in every run.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import NamedTuple

from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import Keyword
from ansible_collections.failover.vip.plugins.module_utils._conf._read import TABLES

PATH = "keepalived.conf"
#: How much of it is asked.
SHARE = float(os.environ.get("ORACLE_SHARE", "0.2"))


class Case(NamedTuple):
    """One configuration. ``kind``: what was done to it, for the table."""

    kind: str
    name: str
    files: dict[str, str]


_GLOBAL = "global_defs {\n    router_id ka1\n    enable_script_security\n    script_user root\n}\n"
_INSTANCE = (
    "vrrp_instance WEB {\n    interface eth0\n    virtual_router_id 51\n    priority 200\n"
    "    virtual_ipaddress {\n        172.25.254.100/24 dev eth0\n    }\n%s}\n"
)
_SERVER = "virtual_server 172.25.254.100 80 {\n    lb_algo rr\n    lb_kind NAT\n    protocol TCP\n%s}\n"
_REAL = "    real_server 172.25.254.10 80 {\n%s    }\n"

#: block -> (what stands before its content, the content itself without which nothing works, what stands after it)
PLACES: dict[str, tuple[str, dict[str, str], str]] = {
    "global_defs": (
        "global_defs {\n",
        {"router_id": "ka1", "enable_script_security": "", "script_user": "root"},
        "}\n" + _INSTANCE % "",
    ),
    "vrrp_script": (
        _GLOBAL + "vrrp_script check {\n",
        {"script": "/usr/bin/true", "interval": "2", "timeout": "1"},
        "}\n" + _INSTANCE % "    track_script {\n        check\n    }\n",
    ),
    "track_file": (
        _GLOBAL + "track_file check {\n",
        {"file": "/run/check"},
        "}\n" + _INSTANCE % "    track_file {\n        check\n    }\n",
    ),
    "vrrp_track_process": (
        _GLOBAL + "vrrp_track_process check {\n",
        {"process": "haproxy"},
        "}\n" + _INSTANCE % "    track_process {\n        check\n    }\n",
    ),
    "vrrp_sync_group": (
        _GLOBAL
        + "vrrp_script check {\n    script /usr/bin/true\n}\ntrack_file file {\n    file /run/check\n}\n"
        + "vrrp_track_process process {\n    process haproxy\n}\n"
        + _INSTANCE % ""
        + (_INSTANCE % "").replace("WEB", "DB").replace("51", "52").replace(".100", ".200")
        + "vrrp_sync_group BOTH {\n",
        {"group": "{\n    WEB\n    DB\n}"},
        "}\n",
    ),
    "vrrp_instance": (
        _GLOBAL
        + "vrrp_script check {\n    script /usr/bin/true\n}\ntrack_file file {\n    file /run/check\n}\n"
        + "vrrp_track_process process {\n    process haproxy\n}\nvrrp_instance WEB {\n",
        {
            "interface": "eth0",
            "virtual_router_id": "51",
            "priority": "200",
            "virtual_ipaddress": "{\n    172.25.254.100/24 dev eth0\n}",
        },
        "}\n",
    ),
    "authentication": (
        _GLOBAL + (_INSTANCE % "").rstrip("}\n") + "\n    }\n    authentication {\n",
        {"auth_type": "PASS", "auth_pass": "k8Xq2mZ7"},
        "    }\n}\n",
    ),
    "virtual_server": (
        _GLOBAL + _INSTANCE % "" + "virtual_server 172.25.254.100 80 {\n",
        {
            "lb_algo": "rr",
            "lb_kind": "NAT",
            "protocol": "TCP",
            "real_server": "172.25.254.10 80 {\n    TCP_CHECK {\n    }\n}",
        },
        "}\n",
    ),
    "real_server": (
        _GLOBAL + _INSTANCE % "" + (_SERVER % "").rstrip("}\n") + "\n    real_server 172.25.254.10 80 {\n",
        {"TCP_CHECK": "{\n    }"},
        "    }\n}\n",
    ),
    "bfd_instance": (_GLOBAL + "bfd_instance peer {\n", {"neighbor_ip": "172.25.254.60"}, "}\n" + _INSTANCE % ""),
    "garp_group": (
        _GLOBAL + "garp_group {\n",
        {"garp_interval": "0.5", "interface": "eth0"},
        "}\n" + _INSTANCE % "",
    ),
}
_CHECK_BASE: dict[str, dict[str, str]] = {
    "HTTP_GET": {"url": "{\n    path /\n    status_code 200\n}"},
    "SSL_GET": {"url": "{\n    path /\n    status_code 200\n}"},
    "MISC_CHECK": {"misc_path": "/usr/bin/true"},
    "DNS_CHECK": {"name": "example.com"},
    "BFD_CHECK": {"name": "peer"},
    "FILE_CHECK": {"track_file": "file"},
}
for _name in (
    "HTTP_GET",
    "SSL_GET",
    "TCP_CHECK",
    "SMTP_CHECK",
    "DNS_CHECK",
    "UDP_CHECK",
    "PING_CHECK",
    "MISC_CHECK",
    "FILE_CHECK",
    "BFD_CHECK",
):
    _before = (
        _GLOBAL
        + "track_file file {\n    file /run/check\n}\nbfd_instance peer {\n    neighbor_ip 172.25.254.60\n}\n"
        + _INSTANCE % ""
    )
    PLACES[_name] = (
        _before + (_SERVER % "").rstrip("}\n") + "\n    real_server 172.25.254.10 80 {\n        %s {\n" % _name,
        _CHECK_BASE.get(_name, {}),
        "        }\n    }\n}\n",
    )
PLACES["url"] = (
    PLACES["HTTP_GET"][0] + "            url {\n",
    {"path": "/", "status_code": "200"},
    "            }\n" + PLACES["HTTP_GET"][2],
)

#: Values of keywords whose kind does not tell them; '*' for the block: the same in every block.
_VALUES: dict[tuple[str, str], tuple[str, ...]] = {
    ("global_defs", "smtp_server"): ("172.25.254.25", "172.25.254.25 587"),
    ("global_defs", "script_user"): ("root", "root root"),
    ("global_defs", "reload_time_file"): ("/run/reload",),
    ("global_defs", "include_check"): ("", "readable", "+match -wildcard_match"),
    ("global_defs", "tmp_config_directory"): ("/tmp",),
    ("global_defs", "config_save_dir"): ("/tmp",),
    ("global_defs", "default_interface"): ("eth0",),
    ("global_defs", "dynamic_interfaces"): ("", "allow_if_changes"),
    ("global_defs", "lvs_sync_daemon"): ("eth0 WEB", "eth0 inst WEB id 51"),
    ("global_defs", "lvs_timeouts"): ("tcp 900", "tcp 900 tcpfin 120 udp 300"),
    ("global_defs", "lvs_flush_on_stop"): ("", "VS"),
    ("global_defs", "vrrp_mcast_group4"): ("224.0.0.18", "224.0.0.44"),
    ("global_defs", "vrrp_mcast_group6"): ("ff02::12", "ff02::44"),
    ("*", "vrrp_garp_extra_if"): ("10", "all 10"),
    ("*", "garp_extra_if"): ("10", "all 10"),
    ("global_defs", "vrrp_iptables"): ("", "CHAIN", "IN OUT"),
    ("global_defs", "vrrp_ipsets"): ("", "set", "off"),
    ("global_defs", "nftables"): ("", "table"),
    ("global_defs", "nftables_ipvs"): ("", "table"),
    ("*", "vrrp_cpu_affinity"): ("0", "0 1"),
    ("*", "checker_cpu_affinity"): ("0", "0 1"),
    ("*", "bfd_cpu_affinity"): ("0", "0 1"),
    ("global_defs", "vrrp_rx_bufs_policy"): ("MTU", "ADVERT", "8192"),
    ("global_defs", "notify_fifo"): ("/run/fifo", "/run/fifo root"),
    ("global_defs", "vrrp_notify_fifo"): ("/run/fifo", "/run/fifo root"),
    ("global_defs", "lvs_notify_fifo"): ("/run/fifo", "/run/fifo root"),
    ("global_defs", "snmp_socket"): ("udp:127.0.0.1:705",),
    ("global_defs", "dbus_service_name"): ("org.example.vrrp",),
    ("global_defs", "reload_file"): ("", "/run/reload"),
    ("global_defs", "dbus_no_interface_name"): ("none",),
    ("vrrp_instance", "timer_expired_backup"): ("", "200"),
    ("global_defs", "umask"): ("022", "IRUSR|IWUSR", "0x1f"),
    ("global_defs", "vmac_prefix"): ("vmac",),
    ("global_defs", "vmac_addr_prefix"): ("vmac",),
    ("*", "state_dump_file"): ("/run/state",),
    ("*", "stats_dump_file"): ("/run/stats",),
    ("*", "json_dump_file"): ("/run/json",),
    ("global_defs", "notification_email"): ("{\n    ops@example.com\n}",),
    ("global_defs", "notification_email_from"): ("keepalived@example.com",),
    ("*", "user"): ("root", "root root"),
    ("track_file", "init_file"): ("", "0", "5 overwrite"),
    ("track_file", "file"): ("/run/check",),
    ("vrrp_track_process", "process"): ("haproxy", "/usr/sbin/haproxy -Ws"),
    ("vrrp_track_process", "param_match"): ("", "initial", "partial"),
    ("vrrp_sync_group", "group"): ("{\n    WEB\n    DB\n}",),
    ("vrrp_instance", "interface"): ("eth0",),
    ("vrrp_instance", "vrf"): (),
    ("vrrp_instance", "use_vmac"): ("", "vrrp51"),
    ("vrrp_instance", "use_ipvlan"): ("", "ipvl51"),
    ("vrrp_instance", "mcast_src_ip"): ("172.25.254.50",),
    ("vrrp_instance", "mcast_dst_ip"): ("224.0.0.44",),
    ("vrrp_instance", "unicast_src_ip"): ("172.25.254.50",),
    ("vrrp_instance", "unicast_peer"): ("{\n    172.25.254.60\n}", "{\n    172.25.254.60 min_ttl 60 max_ttl 255\n}"),
    ("vrrp_instance", "old_unicast_checksum"): ("", "never"),
    ("vrrp_instance", "auth_hmac"): (
        "{\n    key 1 0123456789abcdef0123456789abcdef0123456789abcdef\n    active_key 1\n}",
    ),
    ("vrrp_instance", "virtual_ipaddress"): (
        "{\n    172.25.254.100/24\n}",
        "{\n    172.25.254.100/24 brd 172.25.254.255 dev eth0 scope link label eth0:1\n}",
        "{\n    172.25.254.100/24 dev eth0 no_track\n}",
        "{\n    172.25.254.100 preferred_lft forever\n}",
        "{\n    2001:db8::100/64 dev eth0 home -nodad\n}",
        "{\n    172.25.254.100 peer 172.25.254.9\n}",
    ),
    ("vrrp_instance", "virtual_ipaddress_excluded"): ("{\n    172.25.254.101/24\n    2001:db8::101/64\n}",),
    ("vrrp_instance", "virtual_routes"): ("{\n    198.51.100.0/24 via 172.25.254.1 dev eth0\n}",),
    ("vrrp_instance", "virtual_rules"): ("{\n    from 198.51.100.0/24 table 100 priority 100\n}",),
    ("vrrp_instance", "lvs_sync_daemon_interface"): (),
    ("*", "track_interface"): ("{\n    eth1\n}", "{\n    eth1 weight -253\n}", "{\n    eth1 weight 253 reverse\n}"),
    ("*", "track_script"): ("{\n    check\n}", "{\n    check weight -253\n}", "{\n    check weight 2 reverse\n}"),
    ("*", "track_file"): ("{\n    file\n}", "{\n    file weight -254\n}", "{\n    file weight 2 reverse\n}"),
    ("*", "track_process"): ("{\n    process\n}", "{\n    process weight -254\n}"),
    ("*", "track_bfd"): (),
    ("authentication", "auth_pass"): ("k8Xq2mZ7", '"k8 q2mZ7"'),
    ("virtual_server", "real_server"): ("172.25.254.11 80 {\n    TCP_CHECK {\n    }\n}",),
    ("virtual_server", "persistence_granularity"): ("255.255.255.0",),
    ("virtual_server", "persistence_engine"): ("sip",),
    ("*", "lb_kind"): ("NAT", "DR", "TUN"),
    ("*", "lvs_method"): ("NAT", "DR", "TUN", "TUN type gue port 6080"),
    ("*", "sorry_server_lvs_method"): ("NAT", "DR"),
    ("*", "sorry_server"): ("172.25.254.12 80",),
    ("bfd_instance", "neighbor_ip"): ("172.25.254.60",),
    ("bfd_instance", "neighbour_ip"): ("172.25.254.60",),
    ("bfd_instance", "source_ip"): ("172.25.254.50",),
    ("*", "connect_ip"): ("172.25.254.10",),
    ("*", "bindto"): ("172.25.254.50",),
    ("*", "bind_if"): ("eth0",),
    ("*", "TCP_CHECK"): ("{\n    connect_timeout 1\n}",),
    ("*", "HTTP_GET"): ("{\n    url {\n        path /\n        status_code 200\n    }\n}",),
    ("*", "SSL_GET"): ("{\n    url {\n        path /\n        status_code 200\n    }\n}",),
    ("*", "SMTP_CHECK"): ("{\n    helo_name example.com\n}",),
    ("*", "DNS_CHECK"): ("{\n    type SOA\n    name example.com\n}",),
    ("*", "UDP_CHECK"): ("{\n    payload 0a0b\n}",),
    ("*", "PING_CHECK"): ("{\n    retry 3\n}",),
    ("*", "MISC_CHECK"): ("{\n    misc_path /usr/bin/true\n}",),
    ("*", "BFD_CHECK"): (),
    ("*", "FILE_CHECK"): (),
    ("*", "url"): ("{\n    path /a\n    status_code 200-299 302\n}",),
    ("*", "host"): (),
    ("url", "digest"): ("0123456789abcdef0123456789abcdef",),
    ("url", "status_code"): ("200", "100-599", "200 302"),
    ("url", "regex_options"): ("literal", "utf never_utf"),
    ("url", "regex_stack"): ("8192 65536",),
    ("url", "path"): ("/healthz",),
    ("UDP_CHECK", "payload"): ("0a0b", "0a 0b"),
    ("UDP_CHECK", "require_reply"): ("", "0a0b"),
    ("DNS_CHECK", "name"): (".", "example.com", "example.com."),
    ("BFD_CHECK", "name"): ("peer",),
    ("FILE_CHECK", "track_file"): ("file",),
    ("garp_group", "interface"): ("eth0",),
    ("garp_group", "interfaces"): ("{\n    eth1\n    eth2\n}",),
    ("vrrp_instance", "authentication"): ("{\n    auth_type PASS\n    auth_pass k8Xq2mZ7\n}",),
}
#: What a keyword needs beside itself.
_BESIDE: dict[tuple[str, str], str] = {
    ("vrrp_instance", "unicast_src_ip"): "unicast_peer {\n172.25.254.60\n}",
    ("vrrp_instance", "unicast_peer"): "unicast_src_ip 172.25.254.50",
    ("vrrp_instance", "unicast_ttl"): "unicast_src_ip 172.25.254.50\nunicast_peer {\n172.25.254.60\n}",
    ("vrrp_instance", "check_unicast_src"): "unicast_src_ip 172.25.254.50\nunicast_peer {\n172.25.254.60\n}",
    (
        "vrrp_instance",
        "old_unicast_checksum",
    ): "version 3\nunicast_src_ip 172.25.254.50\nunicast_peer {\n172.25.254.60\n}",
    ("vrrp_instance", "unicast_fault_no_peer"): "unicast_src_ip 172.25.254.50",
    ("vrrp_instance", "vmac_xmit_base"): "use_vmac",
    ("vrrp_instance", "use_ipvlan"): "mcast_src_ip 172.25.254.50",
    ("vrrp_instance", "timer_expired_backup"): "nopreempt",
    ("vrrp_instance", "owner_ignore_adverts"): "priority 255",
    ("vrrp_instance", "no_virtual_ipaddress"): "",
    ("virtual_server", "sorry_server_inhibit"): "sorry_server 172.25.254.12 80",
    ("virtual_server", "sorry_server_lvs_method"): "sorry_server 172.25.254.12 80",
    ("virtual_server", "omega"): "quorum_down /usr/bin/true",
    ("virtual_server", "hysteresis"): "quorum 1",
    ("bfd_instance", "vrrp"): "",
}


def values(block: str, keyword: Keyword) -> tuple[str, ...]:
    """Values that the table says are good, those at the ends of the range among them."""
    given = _VALUES.get((block, keyword.name), _VALUES.get(("*", keyword.name)))
    if given is not None:
        return given
    kind = keyword.kind
    if kind == "flag":
        return ("",)
    if kind == "switch":
        return ("", "on", "false")
    if kind in ("int", "number"):
        low, high = keyword.low, keyword.high
        ends = [number for number in (low, high) if number is not None]
        middle = 2 if (low is None or low <= 2) and (high is None or high >= 2) else ends[0]
        return tuple(dict.fromkeys(_number(number) for number in [*ends, middle]))
    if kind == "choice":
        return keyword.choices
    if kind == "weight":
        return tuple(_number(number) for number in (keyword.low, keyword.high, 2) if number is not None)
    if kind == "command":
        return ("/usr/bin/true", '"/usr/bin/true now"')
    if kind in ("word", "words"):
        return ("name",)
    raise AssertionError("say in _VALUES what %s of %s takes" % (keyword.name, block))


def _number(number: float) -> str:
    return ("%f" % number).rstrip("0").rstrip(".")


def render(block: str, lines: dict[str, str] | list[str], before: str = "", after: str = "") -> str:
    """A whole configuration with a block's content."""
    head, base, tail = PLACES[block]
    if isinstance(lines, dict):
        lines = ["%s %s" % item for item in {**base, **lines}.items()]
    content = "".join("    %s\n" % part.strip() for line in lines for part in line.split("\n"))
    return head + before + content + after + tail


def with_line(block: str, keyword: str, line: str) -> str:
    """A configuration in which one line says what a keyword is to be."""
    beside = _BESIDE.get((block, keyword), "")
    others = {keyword, *(one.split()[0] for one in beside.split("\n") if one)}
    base = {name: value for name, value in PLACES[block][1].items() if name not in others}
    return render(block, ["%s %s" % item for item in base.items()] + [beside] * bool(beside) + [line])


def cases() -> list[Case]:
    """A part that the two machines manage in a minute, the same in every run; ORACLE_SHARE=1 asks everything."""
    every = [*keyword_cases(), *structure_cases(), *random_cases()]
    chance = random.Random(5798)
    return [case for case in every if chance.random() < SHARE]


def _misspelt(word: str, table: dict[str, Keyword], chance: random.Random) -> str:
    """The word with two letters in each other's place, or one letter less; no other keyword."""
    while True:
        at = chance.randrange(len(word) - 1)
        changed = word[:at] + chance.choice((word[at + 1] + word[at] + word[at + 2 :], word[at + 1 :]))
        if changed and changed not in table and changed.strip("_-"):
            return changed


def keyword_cases() -> Iterator[Case]:
    """Each keyword in its block: good values, and one thing wrong with it."""
    chance = random.Random(112)
    for block in PLACES:
        table = dict(TABLES[block])
        for name, keyword in table.items():
            good = values(block, keyword)
            blocky = keyword.kind in ("items", "vips", "tracks", "lines", "block")

            def case(kind: str, line: str, block: str = block, name: str = name) -> Case:
                shown = " ".join(line.split())
                return Case(kind, "%s %s: %s" % (kind, block, shown), {PATH: with_line(block, name, line)})

            for value in good:
                yield case("valid", ("%s %s" % (name, value)).strip())
            if not good:
                continue
            first = good[0]
            yield case("misspelt", ("%s %s" % (_misspelt(name, table, chance), first)).strip())
            if keyword.kind in ("int", "number", "weight"):
                step = 1 if keyword.kind != "number" else 0.000001
                if keyword.low is not None:
                    yield case("out of range", "%s %s" % (name, _number(keyword.low - step)))
                if keyword.high is not None:
                    yield case("out of range", "%s %s" % (name, _number(keyword.high + step)))
                yield case("no number", "%s ten" % name)
                yield case("no number", "%s %ss" % (name, first))
            if keyword.kind == "choice":
                yield case("unknown word", "%s WRONG" % name)
            if keyword.kind == "switch":
                yield case("unknown word", "%s maybe" % name)
            if keyword.kind not in ("flag", "switch", "words") and not blocky:
                yield case("no value", name)
            if blocky:
                yield case("no block", name)
            if keyword.kind in ("int", "number", "choice", "word"):
                yield case("a block", "%s {\n%s\n}" % (name, first))
            if not keyword.many and not blocky and keyword.kind != "flag":
                yield case("twice", "%s %s\n%s %s" % (name, first, name, first))
            if keyword.kind in ("int", "number", "choice"):
                yield case("a word too many", "%s %s surplus" % (name, first))
            if name in TABLES[""]:
                continue
            other = chance.choice([one for one in PLACES if name not in TABLES[one]])
            line = ("%s %s" % (name, first)).strip()
            yield Case(
                "wrong block",
                "wrong block %s: %s" % (other, " ".join(line.split())),
                {PATH: with_line(other, "", line)},
            )


def _structures(text: str, chance: random.Random) -> Iterator[tuple[str, str]]:
    """A file with one thing wrong with its shape: what it is, and the file."""
    lines = text.splitlines()
    closing = [number for number, line in enumerate(lines) if line.strip() == "}"]
    opening = [number for number, line in enumerate(lines) if line.endswith("{")]
    outer = [number for number in opening if not lines[number].startswith(" ")]
    named = [number for number in outer if len(lines[number].split()) > 2]

    def changed(number: int, *instead: str) -> str:
        return "\n".join([*lines[:number], *instead, *lines[number + 1 :]]) + "\n"

    number = chance.choice(closing)
    yield "dropped brace", changed(number)
    number = chance.choice(closing)
    yield "brace too many", changed(number, lines[number], "}")
    number = chance.choice(opening)
    yield "dropped opening brace", changed(number, lines[number].rstrip("{ "))
    if named:
        number = chance.choice(named)
        yield "missing name", changed(number, lines[number].split()[0] + " {")
    number = chance.choice(outer)
    words = lines[number].split()
    yield "misspelt block", changed(number, " ".join([_misspelt(words[0], dict(TABLES[""]), chance), *words[1:]]))
    number = chance.randrange(len(lines))
    yield "open quote", changed(number, lines[number] + ' "')
    yield "stray word", changed(number, lines[number], "stray")


def structure_cases() -> Iterator[Case]:
    """Files of every kind of block with one brace, name or quote wrong."""
    chance = random.Random(18)
    for block in PLACES:
        text = render(block, {})
        for round_ in range(3):
            for kind, changed in _structures(text, chance):
                yield Case(kind, "%s %s %d" % (kind, block, round_), {PATH: changed})


#: Keywords that only go with some others, or say the opposite of each other.
_APART = frozenset(
    (
        "accept",
        "advert_int",
        "authentication",
        "lvs_sync_daemon",
        "max_hops",
        "mcast_dst_ip",
        "mcast_src_ip",
        "native_ipv6",
        "no_accept",
        "no_virtual_ipaddress",
        "nopreempt",
        "owner_ignore_adverts",
        "preempt",
        "preempt_delay",
        "priority",
        "reload_file",
        "state",
        "strict_mode",
        "unicast_fault_no_peer",
        "unicast_src_ip",
        "use_ipvlan",
        "use_vmac",
        "use_vmac_addr",
        "v3_checksum_as_v2",
        "version",
        "vmac_xmit_base",
        "vrrp_strict",
        "vrrp_version",
    )
)


def random_cases(rounds: int = 60) -> Iterator[Case]:
    """Files with many keywords each, good and with one thing wrong."""
    chance = random.Random(3768)
    blocks = [block for block in PLACES if block not in ("authentication", "url")]
    for number in range(rounds):
        block = chance.choice(blocks)
        table = {
            name: keyword
            for name, keyword in TABLES[block].items()
            if name not in _APART and not keyword.since and (block, name) not in _BESIDE and values(block, keyword)
        }
        chosen = {
            name: chance.choice(values(block, table[name])) for name in chance.sample(sorted(table), min(5, len(table)))
        }
        text = render(block, chosen)
        yield Case("many keywords", "many keywords %s %d" % (block, number), {PATH: text})
        for kind, changed in _structures(text, chance):
            yield Case(kind, "%s %s many %d" % (kind, block, number), {PATH: changed})
