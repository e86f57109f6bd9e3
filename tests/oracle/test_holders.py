# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Who holds the VIP, as ``_holders`` says and as two real keepalived do it: weights, faults, ties, nopreempt, sync groups.

All cases run side by side in one pair of daemons, each as a VRRP instance with checks of its own. Needs root and
keepalived; nothing leaves the two namespaces.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import groups
from ansible_collections.failover.vip.plugins.module_utils._rules._holders import after

HOSTS = {"one": "192.0.2.1", "two": "192.0.2.2"}
#: Seconds within which the daemons must come to what is predicted, and for which it must then last.
#: The slowest are scripts, which run once a second; the election itself takes 0.4 s.
LIMIT, LASTS = 15.0, 2.5

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


def config(host: str, place: Path) -> str:
    """One host's keepalived.conf."""
    index, source = list(HOSTS).index(host), HOSTS[host]
    peer = next(address for address in HOSTS.values() if address != source)
    lines = ["global_defs {\n vrrp_version 3\n enable_script_security\n script_user root\n}\n"]
    for case in CASES:
        tracked = {FILE: "", SCRIPT: ""}
        for name, kind, weight in checks(case):
            path = place / host / name
            body = " file %s\n init_file 0\n" % path
            if kind == SCRIPT:
                body = ' script "/usr/bin/test ! -e %s"\n interval 1\n timeout 1\n fall 1\n rise 1\n' % path
            lines.append("%s %s {\n%s weight %s\n}\n" % (kind, name, body, weight))
            tracked[kind] += "  %s\n" % name
        more = case.more + (case.more_on_two if host == "two" else "")
        lines.append(
            "vrrp_instance I%d {\n interface eth0\n virtual_router_id %d\n priority %d\n advert_int 0.1\n"
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


def predicted(place: Path, broken: bool) -> dict[str, str]:
    """Each case's holder as the table has it, while all is well or after it broke."""
    cluster = Cluster()
    for host in HOSTS:
        parsed = parse("main", from_texts({"main": config(host, place)}))
        cluster.directors[host], findings = read(parsed.nodes, host)
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


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Pair:
    """Two namespaces on one wire, with a second interface each, and the daemons in them."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.names = {host: "holders-%d-%s" % (os.getpid(), host) for host in HOSTS}
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}

    def build(self) -> None:
        for host, name in self.names.items():
            run("ip", "netns", "add", name)
            (self.place / host).mkdir()
        one, two = self.names.values()
        run("ip", "-n", one, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", two)
        for host, name in self.names.items():
            run("ip", "-n", name, "link", "add", "eth1", "type", "veth", "peer", "name", "far1")
            for link in ("lo", "eth0", "eth1", "far1"):
                run("ip", "-n", name, "link", "set", link, "up")
            run("ip", "-n", name, "address", "add", HOSTS[host] + "/24", "dev", "eth0")

    def start(self, host: str) -> None:
        own = self.place / host
        path = own / "keepalived.conf"
        path.write_text(config(host, self.place), encoding="utf-8")
        files = ["--pid", str(own / "pid"), "--vrrp_pid", str(own / "vrrp"), "--checkers_pid", str(own / "checkers")]
        command = ["keepalived", "--dont-fork", "--log-console", "--vrrp"]
        with (own / "log").open("wb") as log:
            self.daemons[host] = subprocess.Popen(
                ["ip", "netns", "exec", self.names[host], *command, "--use-file", str(path), *files],
                stdout=log,
                stderr=log,
            )

    def holders(self) -> dict[str, str]:
        """Each case's holder: '' for none, both with a comma."""
        held: dict[str, list[str]] = {}
        for host, name in self.names.items():
            for link in json.loads(run("ip", "-n", name, "-j", "-4", "address", "show")):
                for address in link["addr_info"]:
                    held.setdefault(address["local"], []).append(host)
        return {case.name: ", ".join(held.get(vip(case), [])) for case in CASES}

    def comes_to(self, expected: dict[str, str]) -> None:
        """Waits until the holders are these and stay so."""
        end, since = time.monotonic() + LIMIT, 0.0
        while True:
            found, now = self.holders(), time.monotonic()
            wrong = {name: (found[name], expected[name]) for name in expected if found[name] != expected[name]}
            since = 0.0 if wrong else since or now
            if since and now - since >= LASTS:
                return
            if now > end:
                log = "\n".join((self.place / host / "log").read_text()[-1500:] for host in HOSTS)
                pytest.fail("not as predicted (found, predicted): %s\n%s" % (wrong, log))
            time.sleep(0.05)

    def breaks(self) -> None:
        """Everything that the cases say, on both hosts."""
        for case in CASES:
            for host, own in case.then.items():
                for (name, kind, _weight), letter in zip(checks(case), "xyz", strict=False):
                    if kind == FILE and letter in own:
                        (self.place / host / name).write_text("%d\n" % own[letter])
                    elif own.get(letter):
                        (self.place / host / name).touch()
        run("ip", "-n", self.names["one"], "link", "set", "eth1", "down")

    def remove(self) -> None:
        for daemon in self.daemons.values():
            daemon.terminate()
            try:
                daemon.wait(5)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


@pytest.fixture
def pair() -> Iterator[Pair]:
    # Script security refuses what others than root could replace, and /tmp is open to all; /run is not.
    place = Path("/run/holders-%d" % os.getpid())
    place.mkdir(mode=0o700)
    found = Pair(place)
    try:
        found.build()
        yield found
    finally:
        found.remove()
        shutil.rmtree(place)


def test_the_holders_are_those_of_the_table(pair: Pair) -> None:
    well, broken = predicted(pair.place, False), predicted(pair.place, True)
    # The first one alone holds everything, then the second one takes what it is home to. So the history is the table's.
    pair.start("one")
    at_once = {case.name: "" if "no weight, reversed" in case.name else "one" for case in CASES}
    pair.comes_to(at_once)
    pair.start("two")
    pair.comes_to(well)
    pair.breaks()
    pair.comes_to(broken)
    # A test in which nothing moved, or nobody stayed, would prove little.
    moved = [name for name in well if well[name] != broken[name]]
    assert 5 < len(moved) < len(CASES) - 5
