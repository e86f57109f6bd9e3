# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""vrrp_advert_info against a real kernel: two network namespaces on one cable, from which nothing leaves."""

from __future__ import annotations

import ipaddress
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.module_utils._wire import _listen

COLLECTIONS = next(
    parent.parent for parent in Path(os.path.abspath(_listen.__file__)).parents if parent.name == "ansible_collections"
)
HERE, THERE = "52:54:00:00:00:01", "52:54:00:00:00:02"

# Listens until as many packets came as its argument says, and says when it is ready.
LISTEN = """
import json, subprocess, sys
from ansible_collections.failover.vip.plugins.module_utils._wire import _listen
links = subprocess.check_output(["ip", "-j", "-d", "link", "show"], text=True)
names = _listen.interfaces_of(links)
with _listen.opened(names) as receive:
    print(json.dumps(names), flush=True)
    heard = _listen.collect(receive, 20, int(sys.argv[1]))
print(json.dumps(_listen.report(heard, {"192.0.2.2"})))
"""
# Sends its arguments, whole Ethernet frames.
SEND = """
import socket, sys
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
    sock.bind(("eth0", 0))
    for frame in sys.argv[1:]:
        sock.send(bytes.fromhex(frame))
"""

Namespaces = dict[str, str]


def run(command: str) -> str:
    return subprocess.run(command.split(), check=True, capture_output=True, text=True).stdout


@pytest.fixture
def network() -> Iterator[Namespaces]:
    """A host and another one. For each test anew, as in test_owner_kernel.py."""
    names = {name: f"wire-{os.getpid()}-{name}" for name in ("here", "there")}
    made: list[str] = []
    try:
        try:
            for name in names.values():
                run(f"ip netns add {name}")
                made.append(name)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("network namespaces need root")
        there = f"peer name eth0 address {THERE} netns {names['there']}"
        run(f"ip -n {names['here']} link add eth0 address {HERE} type veth {there}")
        for name in names.values():
            run(f"ip netns exec {name} sysctl -qw net.ipv6.conf.eth0.accept_dad=0")
            run(f"ip -n {name} link set lo up")
            run(f"ip -n {name} link set eth0 up")
        yield names
    finally:
        for name in made:
            run(f"ip netns delete {name}")


@pytest.fixture
def listen(network: Namespaces) -> Callable[[int, Callable[[], None]], dict[str, Any]]:
    """Listens in `here` for so many packets while a function sends them; gives the report."""

    def listen(packets: int, send: Callable[[], None]) -> dict[str, Any]:
        command = ["ip", "netns", "exec", network["here"], "env", f"PYTHONPATH={COLLECTIONS}"]
        with subprocess.Popen(
            [*command, sys.executable, "-c", LISTEN, str(packets)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            interfaces = json.loads(process.stdout.readline())
            send()
            report: dict[str, Any] = json.loads(process.stdout.read())
        return {**report, "interfaces": interfaces}

    return listen


# ---- packets of our own making


def checksum(data: bytes) -> bytes:
    """RFC 1071."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data)) % 0xFFFF
    return struct.pack("!H", 0xFFFF - total)


def packet(source: str, destination: str, vrid: int, *vips: str, protocol: int = 112) -> bytes:
    """An advertisement of version 3 from its IP header on, with the priority 100 and an interval of a second."""
    start, end = ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed
    message = struct.pack("!BBBBHH", 0x31, vrid, 100, len(vips), 100, 0)
    message += b"".join(ipaddress.ip_address(vip).packed for vip in vips)
    total = checksum(start + end + struct.pack("!HH", 112, len(message)) + message)
    message = message[:6] + total + message[8:]
    if len(start) == 16:
        return struct.pack("!IHBB", 0x60000000, len(message), protocol, 255) + start + end + message
    header = struct.pack("!BBHIBBH", 0x45, 0xC0, 20 + len(message), 0, 255, protocol, 0) + start + end
    return header[:10] + checksum(header) + header[12:] + message


def frame(content: bytes, to: str, sender: str = THERE, vlan: int = 0) -> str:
    kind = "0800" if content[0] >> 4 == 4 else "86dd"
    return to.replace(":", "") + sender.replace(":", "") + (f"8100{vlan:04x}" if vlan else "") + kind + content.hex()


GROUP4, GROUP6 = "01:00:5e:00:00:12", "33:33:00:00:00:12"
MULTICAST = packet("192.0.2.2", "224.0.0.18", 51, "192.0.2.100")


def test_all_that_concerns_this_host_is_heard_and_nothing_else(
    network: Namespaces, listen: Callable[[int, Callable[[], None]], dict[str, Any]]
) -> None:
    def send() -> None:
        sent = [f"ip netns exec {network[host]} {sys.executable} -c" for host in ("here", "there")]
        here = [frame(packet("192.0.2.1", "192.0.2.2", 54, "192.0.2.104"), THERE, sender=HERE)]
        there = [
            # Nothing of these may come through: another protocol, another host's, another network's
            frame(packet("192.0.2.2", "224.0.0.18", 61, protocol=17), GROUP4),
            frame(packet("fe80::2", "ff02::12", 61, protocol=17), GROUP6),
            frame(packet("192.0.2.2", "192.0.2.3", 62), "52:54:00:00:00:03"),
            frame(packet("192.0.2.2", "224.0.0.18", 63), GROUP4, vlan=7),
            # These must, none of whose addresses this host has
            frame(MULTICAST, GROUP4),
            frame(packet("fe80::2", "ff02::12", 52, "2001:db8::100", "2001:db8::101"), GROUP6),
            frame(packet("192.0.2.3", "192.0.2.1", 53), HERE),
        ]
        for command, frames in zip(sent, (here, there), strict=True):
            subprocess.run([*command.split(), SEND, *frames], check=True)

    report = listen(4, send)
    assert report["interfaces"] == ["eth0"]
    keys = ("interface", "family", "vrid", "source", "mac", "transport", "addresses", "checksum", "own", "stranger")
    assert [tuple(router[key] for key in keys) for router in report["routers"]] == [
        ("eth0", "ipv4", 51, "192.0.2.2", THERE, "multicast", ["192.0.2.100"], "ok", False, False),
        ("eth0", "ipv4", 53, "192.0.2.3", THERE, "unicast", [], "ok", False, True),
        ("eth0", "ipv4", 54, "192.0.2.1", HERE, "unicast", ["192.0.2.104"], "ok", True, False),
        ("eth0", "ipv6", 52, "fe80::2", THERE, "multicast", ["2001:db8::100", "2001:db8::101"], "ok", False, True),
    ]
    assert (report["packets"], report["undecoded"], report["split"]) == (4, [], [])


def test_a_vlan_is_heard_on_its_own_interface(
    network: Namespaces, listen: Callable[[int, Callable[[], None]], dict[str, Any]]
) -> None:
    try:
        run(f"ip -n {network['here']} link add link eth0 name eth0.7 type vlan id 7")
    except subprocess.CalledProcessError:
        pytest.skip("this kernel has no VLANs")
    run(f"ip -n {network['here']} link set eth0.7 up")

    def send() -> None:
        command = f"ip netns exec {network['there']} {sys.executable} -c".split()
        subprocess.run([*command, SEND, frame(MULTICAST, GROUP4, vlan=7), frame(MULTICAST, GROUP4)], check=True)

    report = listen(2, send)
    assert report["interfaces"] == ["eth0", "eth0.7"]
    assert [(router["interface"], router["packets"]) for router in report["routers"]] == [("eth0", 1), ("eth0.7", 1)]


def test_a_bridge_and_virtual_macs_are_heard_once(
    network: Namespaces, listen: Callable[[int, Callable[[], None]], dict[str, Any]]
) -> None:
    for command in (
        "link add br0 type bridge",
        "link set eth0 master br0",
        "link set br0 up",
        "link add vrrp.51 link br0 address 00:00:5e:00:01:33 type macvlan mode private",
        "link set vrrp.51 up",
    ):
        run(f"ip -n {network['here']} {command}")

    def send() -> None:
        command = f"ip netns exec {network['there']} {sys.executable} -c".split()
        subprocess.run([*command, SEND, frame(MULTICAST, GROUP4), frame(MULTICAST, GROUP4)], check=True)

    report = listen(2, send)
    assert report["interfaces"] == ["br0"]
    assert [(router["interface"], router["packets"]) for router in report["routers"]] == [("br0", 2)]


def test_the_joined_group_is_left_again(network: Namespaces) -> None:
    """A switch that follows MLD hears of the group by a report, which the kernel makes for a joined one."""

    def groups() -> str:
        return run(f"ip -n {network['here']} maddress show dev eth0")

    script = (
        "import sys\n"
        "from ansible_collections.failover.vip.plugins.module_utils._wire import _listen\n"
        "with _listen.opened(['eth0']):\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = ["ip", "netns", "exec", network["here"], "env", f"PYTHONPATH={COLLECTIONS}", sys.executable, "-c", script]
    assert "ff02::12" not in groups()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        joined = groups()
        process.stdin.close()
        process.wait()
    assert "ff02::12" in joined
    assert GROUP4 in joined
    assert "ff02::12" not in groups()
    assert GROUP4 not in groups()
