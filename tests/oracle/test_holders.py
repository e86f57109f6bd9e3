# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Who holds the VIP, as ``_holders`` says and as two real keepalived do it.

Weights, faults, ties, nopreempt, priority 255, files, interfaces and sync groups.

All cases run side by side in one pair of daemons, each as a VRRP instance with checks of its own. The pair has two
network namespaces inside a machine without a network, of each Debian release.
"""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import groups
from ansible_collections.failover.vip.plugins.module_utils._rules._holders import after
from ansible_collections.failover.vip.tests.oracle.machines import Machine

HOSTS = {"one": "192.0.2.1", "two": "192.0.2.2"}
#: Seconds within which the daemons must come to what is predicted, and for which it must then last. An election takes
#: three intervals and a skew, 2 s; a shorter interval would elect when a busy machine stops a daemon for a moment.
LIMIT, LASTS = 30.0, 4.0

#: Where a host's files stand in a machine. Script security refuses what others than root could replace.
PLACE = "/run/holders"

FILE, SCRIPT = "track_file", "vrrp_script"


class Case(NamedTuple):
    """An instance with the checks x, y, …, the same on both hosts, and what becomes of them."""

    name: str
    priorities: tuple[int, int]
    #: (FILE or SCRIPT, the words of its weight), named x, y, … in this order.
    checks: tuple[tuple[str, str], ...]
    #: Host to the checks' states: of a file its number, of a script 1 for failed.
    then: dict[str, dict[str, int]]
    #: More lines of the instance, on both hosts or on one.
    more: str = ""
    more_on_two: str = ""


CASES = [
    Case("negative weight beyond the gap", (200, 190), ((FILE, "-20"),), {"one": {"x": 1}}),
    Case("negative weight below the gap", (200, 170), ((FILE, "-20"),), {"one": {"x": 1}}),
    Case("negative weight equal to the gap", (200, 180), ((SCRIPT, "-20"),), {"one": {"x": 1}}),
    Case("two weights together", (200, 170), ((SCRIPT, "-20"), (FILE, "-20")), {"one": {"x": 1, "y": 1}}),
    Case("positive weight", (200, 190), ((SCRIPT, "20"),), {"one": {"x": 1}}),
    Case("positive weight cut at 254", (254, 233), ((SCRIPT, "20"),), {"one": {"x": 1}}),
    Case("positive weight, reversed", (190, 200), ((SCRIPT, "20 reverse"),), {"one": {"x": 1}}),
    Case("negative weight, reversed", (190, 200), ((SCRIPT, "-20 reverse"),), {"one": {"x": 1}}),
    Case("cut at 1", (100, 50), ((FILE, "-200"), (SCRIPT, "60")), {"one": {"x": 1}, "two": {"x": 1, "y": 1}}),
    Case("no weight", (200, 100), ((SCRIPT, "0"),), {"one": {"x": 1}}),
    Case("no weight on both", (200, 100), ((FILE, "0"),), {"one": {"x": 1}, "two": {"x": 5}}),
    Case("no weight, reversed", (200, 100), ((SCRIPT, "0 reverse"),), {"one": {"x": 0}, "two": {"x": 1}}),
    Case("a number in a file", (200, 190), ((FILE, "1"),), {"one": {"x": -11}}),
    Case("a number in a file that is a fault", (200, 1), ((FILE, "1"),), {"one": {"x": -254}}),
    Case("a number in a file that is none yet", (254, 1), ((FILE, "1"),), {"one": {"x": -252}}),
    Case("nopreempt and a weight", (200, 190), ((FILE, "-20"),), {"one": {"x": 1}}, " nopreempt\n"),
    Case("nopreempt and no weight", (200, 190), ((FILE, "0"),), {"one": {"x": 1}}, " nopreempt\n"),
    Case("nopreempt on the holder only", (200, 190), ((FILE, "-20"),), {"two": {"x": -1}}, "", " nopreempt\n"),
    Case("the owner's priority", (255, 190), ((FILE, "-20"), (FILE, "0")), {"one": {"x": 1}}),
    Case("the owner's fault", (255, 190), ((FILE, "-20"), (FILE, "0")), {"one": {"y": 1}}),
    Case("a VIP on another interface", (200, 190), (), {}, "OTHER"),
    Case("in a sync group, first", (200, 190), ((SCRIPT, "-20"),), {"one": {"x": 1}}),
    Case("in a sync group, second", (200, 190), (), {}),
    Case("with a faulty sibling", (200, 190), (), {}),
    Case("the faulty sibling", (200, 190), ((FILE, "0"),), {"one": {"x": 1}}),
]
NUMBERS = {case.name: number for number, case in enumerate(CASES, start=1)}
SYNC = (
    ("in a sync group, first", "in a sync group, second"),
    ("with a faulty sibling", "the faulty sibling"),
)


def vip(case: Case) -> str:
    return "192.0.2.%d" % (100 + NUMBERS[case.name])


def checks(case: Case) -> list[tuple[str, str, str]]:
    """(name, kind, weight)."""
    return [("c%d%s" % (NUMBERS[case.name], "xyz"[n]), *check) for n, check in enumerate(case.checks)]


def config(host: str) -> str:
    """One host's keepalived.conf."""
    index, source = list(HOSTS).index(host), HOSTS[host]
    peer = next(address for address in HOSTS.values() if address != source)
    lines = ["global_defs {\n vrrp_version 3\n enable_script_security\n script_user root\n}\n"]
    for case in CASES:
        tracked = {FILE: "", SCRIPT: ""}
        for name, kind, weight in checks(case):
            path = "%s/%s/%s" % (PLACE, host, name)
            body = " file %s\n init_file 0\n" % path
            if kind == SCRIPT:
                body = ' script "/usr/bin/test ! -e %s"\n interval 1\n timeout 1\n fall 1\n rise 1\n' % path
            lines.append("%s %s {\n%s weight %s\n}\n" % (kind, name, body, weight))
            tracked[kind] += "  %s\n" % name
        more = case.more + (case.more_on_two if host == "two" else "")
        lines.append(
            "vrrp_instance I%d {\n interface eth0\n virtual_router_id %d\n priority %d\n advert_int 0.5\n"
            " unicast_src_ip %s\n unicast_peer {\n  %s\n }\n virtual_ipaddress {\n  %s/24 dev %s\n }\n%s%s%s}\n"
            % (
                NUMBERS[case.name],
                NUMBERS[case.name],
                case.priorities[index],
                source,
                peer,
                vip(case),
                "eth1" if more == "OTHER" else "eth0",
                "" if more == "OTHER" else more,
                " track_file {\n%s }\n" % tracked[FILE] if tracked[FILE] else "",
                " track_script {\n%s }\n" % tracked[SCRIPT] if tracked[SCRIPT] else "",
            )
        )
    for number, names in enumerate(SYNC):
        members = "".join("  I%d\n" % NUMBERS[name] for name in names)
        lines.append("vrrp_sync_group G%d {\n group {\n%s }\n}\n" % (number, members))
    return "".join(lines)


def predicted(broken: bool, release: tuple[int, ...]) -> dict[str, str]:
    """Each case's holder as the table has it, while all is well or after it broke."""
    cluster = Cluster()
    for host in HOSTS:
        parsed = parse("main", from_texts({"main": config(host)}))
        cluster.directors[host], findings = read(parsed.nodes, host, release=release)
        assert [*parsed.findings, *findings] == []
    states: dict[str, dict[tuple[str, str], int]] = {host: {} for host in HOSTS}
    for case in CASES if broken else ():
        for host, own in case.then.items():
            for (name, kind, _weight), letter in zip(checks(case), "xyz", strict=False):
                keyword = "track_file" if kind == FILE else "track_script"
                states[host][(keyword, name)] = own.get(letter, 0)
    if broken:
        states["one"][("track_interface", "eth1")] = 1
    by_name = {group.name: after(group, states)[0] for group in groups(cluster)}
    return {case.name: by_name["I%d" % NUMBERS[case.name]] for case in CASES}


def broken_files(host: str) -> dict[str, str]:
    """What is in the files of a host's checks when all that the cases say has come; a script fails if its file is."""
    found = {}
    for case in CASES:
        own = case.then.get(host, {})
        for (name, kind, _weight), letter in zip(checks(case), "xyz", strict=False):
            if (kind == FILE and letter in own) or own.get(letter):
                found[name] = "%d\n" % own[letter] if kind == FILE else ""
    return found


#: Starts the first host, the second, breaks what the cases say, and waits each time until the holders are those given
#: and stay so. ``result``: what was otherwise, and the end of the logs; empty if nothing was.
_RUN = r"""
import json, os, subprocess, time

def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout

def start(host):
    own = os.path.join(given["place"], host)
    with open(own + "/keepalived.conf", "w") as stream:
        stream.write(given["configs"][host])
    files = ["--pid", own + "/pid", "--vrrp_pid", own + "/vrrp", "--checkers_pid", own + "/checkers"]
    command = ["keepalived", "--dont-fork", "--log-console", "--vrrp", "--use-file", own + "/keepalived.conf", *files]
    with open(own + "/log", "wb") as log:
        daemons.append(subprocess.Popen(["ip", "netns", "exec", host, *command], stdout=log, stderr=log))

def holders():
    held = {}
    for host in hosts:
        for link in json.loads(ip("-n", host, "-json", "-4", "address", "show")):
            for address in link["addr_info"]:
                held.setdefault(address["local"], []).append(host)
    return {name: ", ".join(held.get(vip, [])) for name, vip in given["vips"].items()}

def wait_until(expected):
    end, since = time.monotonic() + given["limit"], 0.0
    while True:
        found, now = holders(), time.monotonic()
        wrong = {name: [found[name], expected[name]] for name in expected if found[name] != expected[name]}
        since = 0.0 if wrong else since or now
        if since and now - since >= given["lasts"]:
            return {}
        if now > end:
            logs = [open(os.path.join(given["place"], host, "log"), errors="replace").read()[-1500:]
                    for host in hosts if os.path.exists(os.path.join(given["place"], host, "log"))]
            return {"(found, predicted)": wrong, "logs": logs}
        time.sleep(0.05)

hosts, daemons = list(given["configs"]), []
for host in hosts:
    os.makedirs(os.path.join(given["place"], host), mode=0o700)
    ip("netns", "add", host)
one, two = hosts
ip("-n", one, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", two)
for host in hosts:
    ip("-n", host, "link", "add", "eth1", "type", "veth", "peer", "name", "far1")
    for link in ("lo", "eth0", "eth1", "far1"):
        ip("-n", host, "link", "set", link, "up")
    ip("-n", host, "address", "add", given["addresses"][host] + "/24", "dev", "eth0")

# The first one alone holds everything, then the second one takes what it is home to. So the history is the table's.
start(one)
result = wait_until(given["alone"])
if not result:
    start(two)
    result = wait_until(given["well"])
if not result:
    for host, files in given["breaks"].items():
        for name, text in files.items():
            with open(os.path.join(given["place"], host, name), "w") as stream:
                stream.write(text)
    ip("-n", one, "link", "set", "eth1", "down")
    result = wait_until(given["broken"])
for daemon in daemons:
    daemon.terminate()
for daemon in daemons:
    daemon.wait()
for host in hosts:
    ip("netns", "delete", host)
"""


def test_the_holders_are_those_of_the_table(machines: list[Machine]) -> None:
    for machine in machines:
        well, broken = predicted(False, machine.version), predicted(True, machine.version)
        # A test in which nothing moved, or nobody stayed, would prove little.
        moved = [name for name in well if well[name] != broken[name]]
        assert 5 < len(moved) < len(CASES) - 5
        found = machine.python(
            _RUN,
            {
                "place": PLACE,
                "configs": {host: config(host) for host in HOSTS},
                "addresses": HOSTS,
                "vips": {case.name: vip(case) for case in CASES},
                "alone": {case.name: "" if "no weight, reversed" in case.name else "one" for case in CASES},
                "well": well,
                "breaks": {host: broken_files(host) for host in HOSTS},
                "broken": broken,
                "limit": LIMIT,
                "lasts": LASTS,
            },
        )
        assert not found, "%s: %s" % (machine.release, found)
