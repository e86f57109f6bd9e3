# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""What the pair rules predict, against two real keepalived of each Debian release that are given the same files.

Each pair has two network namespaces of its own inside a machine without a network, and all pairs run side by side.
Not here, as they are not about what two daemons do with two files: KP013 and KP014 (another cluster), KP019, KP028 and
KP029 (failed checks, which test_holders measures), KP020 (two releases), KP021 (the order of a roll-out), KP023 (needs
2.4; test_hmac has what pairs of that did) and KP024 (which of two VIPs is where). Nor KP015 of a host's own address:
keepalived takes that away from the host, whose peer then no longer reaches it, and the VIP goes to and fro.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import pytest

from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._conf._variables import interfaces_of
from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, Finding
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import check
from ansible_collections.failover.vip.tests.oracle.machines import Machine, tables

ADDRESSES = {"ka1": "172.25.254.50", "ka2": "172.25.254.60"}
VIP = "172.25.254.100"
#: What an error of these rules means: both hosts hold the VIP.
TWO_HOLDERS = frozenset(("KP001", "KP002", "KP003", "KP004", "KP005", "KP007", "KP025"))
#: Of these it is so only if they are about this host: ka1, where the VIP is at home, sends to others than ka2 (KP008),
#: or nobody sends to ka2 (KP009). The other way round ka2 hears ka1 and stays backup.
UNHEARD = {"KP008": "ka1", "KP009": "ka2"}

#: The parts of a host's file; the version and the interval are the quickest.
BASE = {
    "global": "vrrp_version 3",
    "router_id": "{host}",
    "name": "WEB",
    "vrid": "51",
    "advert_int": "0.1",
    "transport": "unicast_src_ip {own}\n    unicast_peer {\n        {peer}\n    }",
    "vips": VIP + "/24",
    "more": "",
}
_MULTICAST = ""
_TWO = {"global": "vrrp_version 2", "advert_int": "1"}


def _auth(password: str) -> str:
    return "authentication {\n        auth_type PASS\n        auth_pass %s\n    }" % password


_SAME: Mapping[str, str] = MappingProxyType({})


class Pair(NamedTuple):
    """Two hosts' files: what both have instead of BASE, and what each has. ``rule``: the one that must be found."""

    rule: str
    what: str
    both: Mapping[str, str] = _SAME
    ka1: Mapping[str, str] = _SAME
    ka2: Mapping[str, str] = _SAME
    priorities: tuple[int, int] = (200, 190)


PAIRS = [
    Pair("", "a healthy pair"),
    Pair("", "a healthy pair, multicast, version 2", {**_TWO, "transport": _MULTICAST}),
    Pair("KP001", "VRID differs", ka2={"vrid": "52"}),
    Pair("KP001", "VRID differs, multicast", {"transport": _MULTICAST}, ka2={"vrid": "52"}),
    Pair("KP002", "auth_pass differs", _TWO, {"more": _auth("k8Xq2mZ7")}, {"more": _auth("k8Xq2mZ8")}),
    Pair("KP002", "authentication on one side", _TWO, {"more": _auth("k8Xq2mZ7")}),
    Pair("", "passwords alike in 8 characters", _TWO, {"more": _auth("k8Xq2mZ7")}, {"more": _auth("k8Xq2mZ7more")}),
    Pair("KP003", "advert_int differs, version 2", _TWO, ka2={"advert_int": "2"}),
    Pair("KP003", "advert_int differs, version 3", ka2={"advert_int": "0.2"}),
    Pair("KP004", "version 2 and 3", {"advert_int": "1"}, ka2={"global": "vrrp_version 2"}),
    Pair("KP005", "one VIP more", ka2={"vips": VIP + "/24\n        172.25.254.101/24"}),
    Pair("KP005", "one VIP more on the other, version 2", _TWO, {"vips": VIP + "/24\n        172.25.254.101/24"}),
    Pair("KP006", "prefix differs", ka2={"vips": VIP}),
    Pair("KP007", "unicast and multicast", ka2={"transport": _MULTICAST}),
    Pair(
        "KP007",
        "two multicast groups",
        {"transport": _MULTICAST},
        ka2={"global": "vrrp_version 3\n    vrrp_mcast_group4 224.0.0.44"},
    ),
    Pair("KP008", "home sends to a stranger", ka1={"transport": BASE["transport"].replace("{peer}", "172.25.254.61")}),
    Pair(
        "KP008",
        "the other sends to a stranger",
        ka2={"transport": BASE["transport"].replace("{peer}", "172.25.254.51")},
    ),
    Pair("KP010", "equal priorities", priorities=(200, 200)),
    Pair("KP011", "both MASTER", {"more": "state MASTER"}),
    Pair("KP011", "both MASTER, equal priorities", {"more": "state MASTER"}, priorities=(200, 200)),
    Pair("KP012", "nopreempt on one", ka1={"more": "nopreempt"}),
    Pair(
        "KP015",
        "one VIP in two instances",
        ka2={
            "name": "OTHER",
            "vrid": "52",
            "vips": "172.25.254.101/24",
            "more": "virtual_ipaddress_excluded {\n        " + VIP + "/24\n    }",
        },
    ),
    Pair("KP016", "one router_id", {"router_id": "ka"}),
    Pair("KP017", "on one host only", ka2={"name": "OTHER", "vrid": "52", "vips": "172.25.254.101/24"}),
    Pair("KP018", "weight smaller than the gap", {"more": "track_interface {\n        lo weight -5\n    }"}),
    Pair(
        "KP022",
        "skip_check_adv_addr over differing VIPs",
        {"more": "skip_check_adv_addr"},
        ka2={"vips": VIP + "/24\n        172.25.254.101/24"},
    ),
    Pair(
        "KP025",
        "one unicast_src_ip",
        ka2={"transport": BASE["transport"].replace("{own}", ADDRESSES["ka1"]).replace("{peer}", ADDRESSES["ka2"])},
    ),
    Pair("KP026", "two names", ka2={"name": "VI_60"}),
    Pair("KP027", "priority 255 on both", priorities=(255, 255)),
    Pair("KP030", "down_timer_adverts differs", ka1={"more": "down_timer_adverts 9"}),
]


def config(pair: Pair, host: str) -> str:
    """One host's file."""
    (peer,) = (address for name, address in ADDRESSES.items() if name != host)
    part = {**BASE, **pair.both, **(pair.ka1 if host == "ka1" else pair.ka2)}
    text = (
        "global_defs {\n    router_id %(router_id)s\n    %(global)s\n}\nvrrp_instance %(name)s {\n    interface eth0\n"
        "    virtual_router_id %(vrid)s\n    priority %(priority)s\n    advert_int %(advert_int)s\n    %(transport)s\n"
        "    virtual_ipaddress {\n        %(vips)s\n    }\n    %(more)s\n}\n"
    ) % {**part, "priority": str(pair.priorities[list(ADDRESSES).index(host)])}
    return text.replace("{host}", host).replace("{own}", ADDRESSES[host]).replace("{peer}", peer)


def found(pair: Pair, release: tuple[int, ...]) -> list[Finding]:
    """What the rules say of a pair, both of this release."""
    cluster = Cluster()
    for host, address in ADDRESSES.items():
        parsed = parse("main", from_texts({"main": config(pair, host)}))
        interfaces = interfaces_of({"interfaces": {"eth0": [address + "/24"]}})
        cluster.directors[host], findings = read(parsed.nodes, host, interfaces)
        cluster.directors[host].machine.release = release
        assert [*parsed.findings, *findings] == []
    return check(cluster)


def predicted(findings: list[Finding]) -> int:
    """How many hosts hold the VIP, by the rules alone: of an error two, unless it says that one is in FAULT."""
    bad = {(one.rule, one.host) for one in findings if one.severity == ERROR and "FAULT" not in one.message}
    rules = {rule for rule, _host in bad}
    if any(one.rule == "KP017" for one in findings):
        # Nobody else runs the instance, so a second holder has the VIP from another one.
        return 2 if "KP015" in rules else 1
    return 2 if rules & TWO_HOLDERS or bad & set(UNHEARD.items()) else 1


#: Runs all pairs, waits until no VIP has moved for longer than any of them needs, and counts who holds it.
_RUN = r"""
import json, os, signal, subprocess, time

def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout

os.makedirs("/run/netns", exist_ok=True)
top, daemons = "/run/pairs", []
def name(number, host):
    return "%s-%d" % (host, number)

def holders():
    held = {}
    for number in range(len(given["pairs"])):
        for host in given["addresses"]:
            links = json.loads(ip("-n", name(number, host), "-json", "-4", "address", "show", "dev", "eth0"))
            own = [one["local"] for link in links for one in link["addr_info"]]
            held.setdefault(number, []).extend([host] if given["vips"][number] in own else [])
    return held

for number, files in enumerate(given["pairs"]):
    for host in files:
        ip("netns", "add", name(number, host))
    one, two = (name(number, host) for host in files)
    ip("-n", one, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", two)
    for host, text in files.items():
        place = os.path.join(top, name(number, host))
        os.makedirs(place)
        with open(place + "/keepalived.conf", "w") as stream:
            stream.write(text)
        for link in ("lo", "eth0"):
            ip("-n", name(number, host), "link", "set", link, "up")
        ip("-n", name(number, host), "address", "add", given["addresses"][host] + "/24", "dev", "eth0")
for number, files in enumerate(given["pairs"]):
    for host in files:
        place = os.path.join(top, name(number, host))
        log = open(place + "/log", "wb")
        command = ["ip", "netns", "exec", name(number, host), "keepalived", "--dont-fork", "--log-console", "--vrrp",
                   "--use-file", place + "/keepalived.conf"]
        for process in ("", "vrrp_", "checkers_", "bfd_"):
            command += ["--%spid" % process, place + "/%spid" % process]
        daemons.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
begin = still = time.monotonic()
last = None
while time.monotonic() - begin < given["limit"]:
    now = holders()
    if now != last:
        last, still = now, time.monotonic()
    if time.monotonic() - still > given["settled"] and all(last.values()):
        break
    time.sleep(0.25)
alive = [daemon.poll() is None for daemon in daemons]
for daemon in daemons:
    daemon.terminate()
for daemon in daemons:
    daemon.wait()
logs = {}
for number, files in enumerate(given["pairs"]):
    logs[number] = ""
    for host in files:
        logs[number] += open(os.path.join(top, name(number, host), "log"), errors="replace").read()[-600:]
        ip("netns", "delete", name(number, host))
result = {"holders": last, "alive": alive, "logs": logs}
"""


def test_the_holders_are_as_many_as_predicted(machines: list[Machine], capsys: pytest.CaptureFixture[str]) -> None:
    wrong: list[str] = []
    given = {
        "pairs": [{host: config(pair, host) for host in ADDRESSES} for pair in PAIRS],
        "vips": [pair.both.get("vips", VIP).partition("/")[0] for pair in PAIRS],
        "addresses": ADDRESSES,
        # The longest that a backup waits is three intervals of 2 s and a skew of 0.3 s.
        "settled": 7.5,
        "limit": 60,
    }
    rows: list[tuple[object, ...]] = [(pair.rule or "-", pair.what) for pair in PAIRS]
    for machine in machines:
        findings = [found(pair, machine.version) for pair in PAIRS]
        wrong += [
            "%s, %s (%s): found are %s"
            % (machine.release, pair.what, pair.rule or "no error", sorted({one.rule for one in said}))
            for pair, said in zip(PAIRS, findings, strict=True)
            if (
                pair.rule not in {one.rule for one in said}
                if pair.rule
                else any(one.rule.startswith("KP") for one in said)
            )
        ]
        measured = machine.python(_RUN, given)
        dead = [PAIRS[index // 2].what for index, lives in enumerate(measured["alive"]) if not lives]
        wrong += ["%s, %s: keepalived ended" % (machine.release, what) for what in dead]
        for number, pair in enumerate(PAIRS):
            hosts = measured["holders"][str(number)]
            expected = predicted(findings[number])
            if len(hosts) != expected:
                log = measured["logs"][str(number)]
                wrong.append(
                    "%s, %s: predicted %d, held by %s\n%s" % (machine.release, pair.what, expected, hosts, log)
                )
            rows[number] += (expected, "%d: %s" % (len(hosts), " ".join(hosts)))
    with capsys.disabled():
        heads = [head for machine in machines for head in ("predicted", "measured on " + machine.release)]
        print("\n" + tables([("rule", "pair", *heads), *rows]))
    assert not wrong, "\n".join(wrong)
