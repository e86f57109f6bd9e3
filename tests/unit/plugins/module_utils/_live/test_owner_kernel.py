# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""vip_owner_info against real kernels: four network namespaces on a bridge, from which nothing leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.failover.vip.plugins.module_utils._live import _owner

COLLECTIONS = next(
    parent.parent for parent in Path(os.path.abspath(_owner.__file__)).parents if parent.name == "ansible_collections"
)

ASK = """
import json, subprocess, sys
from pathlib import Path
from ansible_collections.failover.vip.plugins.module_utils._live import _owner
host = _owner.read_host(lambda c: subprocess.check_output(c, text=True), lambda p: Path(p).read_text())
asked = _owner.questions(host, sys.argv[1:])
print(json.dumps(_owner.judge(host, asked, _owner.ask(asked, 0.4, 0.2))))
"""

PROBE = """
import json, subprocess, sys
from pathlib import Path
from ansible_collections.failover.vip.plugins.module_utils._live import _outages, _owner, _probe
host = _owner.read_host(lambda c: subprocess.check_output(c, text=True), lambda p: Path(p).read_text())
asked = _owner.questions(host, ["192.0.2.100"])[0]
target = _outages.Target("VIP", "arp", "192.0.2.100", 80, interface=asked.interface, mac=asked.mac)
# Half a minute at most; it ends when the second holder has answered.
plan = _probe.Plan(0.005, 1.0, 30, 6000)
answered = {}

def record(samples):
    for sample in samples:
        answered[sample.reply.backend] = answered.get(sample.reply.backend, 0) + 1
    # In the midst of the run the address moves, as in a failover.
    if answered.get("52:54:00:00:00:02", 0) > 100:
        Path(sys.argv[1]).touch()

run = _probe.probe([target], plan, record, lambda: answered.get("52:54:00:00:00:03", 0) > 100)
print(json.dumps(_outages.summary(run.series[0], plan.interval, 0.0)))
"""

Network = Callable[[str, str], str]  # a host, a command there -> its output


def run(command: str) -> str:
    return subprocess.run(command.split(), check=True, capture_output=True, text=True).stdout


@pytest.fixture
def network() -> Iterator[Network]:
    """A client, two holders and a real server; all addresses are usable at once (no duplicate detection).

    For each test anew: ansible-test runs each in a child process that it ends without the clean-up of a wider scope.
    """
    names = {name: f"live-{os.getpid()}-{name}" for name in ("switch", "client", "first", "second", "server")}
    made: list[str] = []

    def inside(host: str, command: str) -> str:
        return run(f"ip netns exec {names[host]} {command}")

    try:
        try:
            for name in names.values():
                run(f"ip netns add {name}")
                made.append(name)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("network namespaces need root")
        inside("switch", "ip link add br0 type bridge")
        inside("switch", "ip link set br0 up")
        for number, host in enumerate(("client", "first", "second", "server"), start=1):
            mac = f"52:54:00:00:00:0{number}"
            inside(host, f"ip link add eth0 address {mac} type veth peer name p{number} netns {names['switch']}")
            inside("switch", f"ip link set p{number} master br0 up")
            inside(host, "sysctl -qw net.ipv6.conf.eth0.accept_dad=0")
            inside(host, "ip link set lo up")
            inside(host, "ip link set eth0 up")
            inside(host, f"ip address add 192.0.2.{number}/24 dev eth0")
            inside(host, f"ip address add 2001:db8::{number}/64 dev eth0 nodad")
        yield inside
    finally:
        for name in made:
            run(f"ip netns delete {name}")


def ask(network: Network, host: str, *vips: str) -> dict[str, tuple[int, str, list[str]]]:
    environment = f"env PYTHONPATH={COLLECTIONS}"
    script = Path(network("client", "mktemp").strip())
    try:
        script.write_text(ASK, encoding="utf-8")
        answers = json.loads(network(host, f"{environment} {sys.executable} {script} {' '.join(vips)}"))
    finally:
        script.unlink()
    return {a["address"]: (a["owners"], a["verdict"], sorted(x["mac"][-2:] for x in a["answers"])) for a in answers}


def test_none_one_split_and_silent(network: Network) -> None:
    vips = ["192.0.2.100", "192.0.2.101", "192.0.2.102", "2001:db8::100", "2001:db8::101", "2001:db8::102"]
    for vip in ("192.0.2.100/24", "192.0.2.101/24"):
        network("first", f"ip address add {vip} dev eth0")
    network("second", "ip address add 192.0.2.101/32 dev eth0")
    for vip in ("2001:db8::100/128", "2001:db8::101/128"):
        network("first", f"ip address add {vip} dev eth0 nodad")
    network("second", "ip address add 2001:db8::101/128 dev eth0 nodad")
    network("server", "sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2")
    for vip in vips:
        network("server", f"ip address add {vip} dev lo")

    owners: list[tuple[int, str, list[str]]] = [(1, "one", ["02"]), (2, "split", ["02", "03"]), (0, "none", [])]
    expected = {vip: owners[number % 3] for number, vip in enumerate(vips)}
    assert ask(network, "client", *vips) == expected
    assert ask(network, "server", *vips) == expected, "its own silent addresses on lo count for nothing"
    owners = [(1, "one", []), (2, "split", ["03"]), (0, "none", [])]
    expected = {vip: owners[number % 3] for number, vip in enumerate(vips)}
    assert ask(network, "first", *vips) == expected, "the holder counts itself and hears its rival"
    neighbours = network("first", "ip -4 neighbour show") + network("second", "ip -4 neighbour show")
    assert neighbours == "", "an ARP probe leaves no trace in the caches of those asked"


def test_split_behind_one_virtual_mac(network: Network) -> None:
    for host in ("first", "second", "client"):
        network(host, "sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.rp_filter=0")
        network(host, "ip link add vrrp.51 link eth0 address 00:00:5e:00:01:33 type macvlan mode private")
        network(host, "sysctl -qw net/ipv4/conf/vrrp.51/rp_filter=0")
        network(host, "ip link set vrrp.51 up")
    network("first", "ip address add 192.0.2.110/32 dev vrrp.51")
    assert ask(network, "client", "192.0.2.110") == {"192.0.2.110": (1, "one", ["33"])}
    assert ask(network, "first", "192.0.2.110") == {"192.0.2.110": (1, "one", [])}
    network("second", "ip address add 192.0.2.110/32 dev vrrp.51")
    assert ask(network, "client", "192.0.2.110") == {"192.0.2.110": (2, "split", ["33"])}
    assert ask(network, "first", "192.0.2.110") == {"192.0.2.110": (2, "split", ["33"])}


def test_an_arp_probe_sees_the_address_move(network: Network, tmp_path: Path) -> None:
    network("first", "ip address add 192.0.2.100/32 dev eth0")
    signal, script = tmp_path / "move", tmp_path / "probe.py"
    script.write_text(PROBE, encoding="utf-8")

    def move() -> None:
        until = time.monotonic() + 60
        while not signal.exists() and time.monotonic() < until:
            time.sleep(0.005)
        network("first", "ip address delete 192.0.2.100/32 dev eth0")
        network("second", "ip address add 192.0.2.100/32 dev eth0")

    mover = threading.Thread(target=move)
    mover.start()
    found = json.loads(network("client", f"env PYTHONPATH={COLLECTIONS} {sys.executable} {script} {signal}"))
    mover.join()
    assert list(found["backends"]) == ["52:54:00:00:00:02", "52:54:00:00:00:03"]
    assert set(found["errors"]) <= {"timeout"}
    # Nobody had it while the two commands ran; at 5 ms that may fall between two probes. A busy machine may miss an
    # answer as well, and the same host then answers before and after.
    outages = [(outage["before"], outage["after"]) for outage in found["outages"]]
    assert [pair for pair in outages if pair[0] != pair[1]] in ([], [("52:54:00:00:00:02", "52:54:00:00:00:03")])
    assert found["sent"] == sum(found["backends"].values()) + found["failed"]
