# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Connections that outlive the move of their VIP: what is read, and what real kernels do with the commands."""

from __future__ import annotations

import ipaddress
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ansible_collections.failover.vip.plugins.module_utils._live._handover import (
    Kept,
    Relayed,
    balanced,
    keep_script,
    keep_undo,
    relay_rules,
    relay_undo,
    sockets,
)

V4, V6 = ipaddress.ip_address("192.0.2.100"), ipaddress.ip_address("2001:db8::100")

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 640200C0:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 640200C0:0050 010200C0:D431 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 20 4 30 10 -1
   2: 640200C0:0050 010200C0:D432 06 00000000:00000000 00:00000000 00000000     0        0 0 3 0
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue
   0: B80D0120000000000000000000010000:01BB B80D0120000000000000000001000000:D431 08 00000000:00000000
   1: 0000000000000000FFFF0000640200C0:0050 0000000000000000FFFF0000010200C0:D433 01 00000000:00000000
"""
WIDE = "2001:0db8:0000:0000:0000:0000:0000:"
IPVS = f"""\
Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
TCP C0000201 D434 C0000264 0050 C000020A 0050 ESTABLISHED     899
TCP C0000201 0000 C0000264 0050 C000020A 0050 NONE            240
UDP C0000201 D435 C0000264 0035 C000020A 0035 UDP             299
TCP {WIDE}0001 D436 {WIDE}0100 0050 {WIDE}000a 0050 FIN_WAIT         99
"""


def shown(connections: list[object]) -> list[str]:
    return [" ".join(map(str, item)) for item in connections]  # type: ignore[call-overload]


@pytest.mark.skipif(sys.byteorder != "little", reason="the samples are of a little-endian machine")
def test_sockets() -> None:
    assert shown(list(sockets(TCP))) == [
        "192.0.2.1 54321 192.0.2.100 80 True",
        "192.0.2.1 54322 192.0.2.100 80 False",
    ]
    assert shown(list(sockets(TCP6))) == [
        "2001:db8::1 54321 2001:db8::100 443 True",
        "192.0.2.1 54323 192.0.2.100 80 True",
    ]


def test_balanced() -> None:
    assert shown(list(balanced(IPVS))) == [
        "192.0.2.1 54324 192.0.2.100 80 True",
        "2001:db8::1 54326 2001:db8::100 80 False",
    ]
    assert balanced("") == []


def test_only_the_vips_own_connections_are_known_to_the_rules() -> None:
    moves = [Relayed(V4, ipaddress.ip_address("192.0.2.2"), "eth0")]
    rules = relay_rules(moves, balanced(IPVS))
    assert "elements = { 192.0.2.1 . 54324 . 192.0.2.100 . 80 }" in rules
    assert "ip6" not in rules
    assert "elements" not in relay_rules(moves, [])


# A server that answers each line with its name and the number of lines so far, and a client that sends lines.
SERVE = """
import socket, sys, threading
family = socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET
# As HAProxy, which is bound to a VIP that is not there.
listener = socket.socket(family)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.setsockopt(*((socket.IPPROTO_IPV6, 78, 1) if ":" in sys.argv[2] else (socket.IPPROTO_IP, 15, 1)))
listener.bind((sys.argv[2], 80))
listener.listen(9)
def serve(connection):
    for number, _line in enumerate(connection.makefile(), start=1):
        connection.sendall(("%s %d\\n" % (sys.argv[1], number)).encode())
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""
ASK = """
import socket, sys
open_connections = []
for line in sys.stdin:
    try:
        if line.startswith("new"):
            made = socket.create_connection((sys.argv[1], 80), timeout=3)
            open_connections.append((made, made.makefile()))
            number = len(open_connections) - 1
        else:
            number = int(line)
        connection, answers = open_connections[number]
        connection.sendall(b"?\\n")
        print(answers.readline().strip() or "closed", flush=True)
    except OSError as reason:
        print(type(reason).__name__, flush=True)
"""


class Lab:
    """A client and two directors on a bridge, from which nothing leaves."""

    def __init__(self, stack: ExitStack, vip: str) -> None:
        self.vip = vip
        self._stack = stack
        self._prefix = "hand-%d-" % os.getpid()
        for host in ("switch", "client", "ka1", "ka2"):
            self._run("ip netns add " + self._prefix + host)
            stack.callback(self._run, "ip netns del " + self._prefix + host)
        self.run("switch", "ip link add br0 type bridge && ip link set br0 up")
        for number, host in enumerate(("client", "ka1", "ka2"), start=1):
            self.run(
                host,
                f"ip link add eth0 type veth peer name p{number} netns {self._prefix}switch;"
                "sysctl -qw net.ipv6.conf.eth0.accept_dad=0; ip link set lo up; ip link set eth0 up;"
                f"ip address add 192.0.2.{number}/24 dev eth0; ip address add fe80::{number}/64 dev eth0;"
                f"ip address add 2001:db8::{number}/64 dev eth0",
            )
            self.run("switch", f"ip link set p{number} master br0 up")
        for host in ("ka1", "ka2"):
            self.start(host, SERVE, host, vip)

    @staticmethod
    def _run(command: str) -> str:
        return subprocess.run(command.split(), check=True, capture_output=True, text=True).stdout

    def run(self, host: str, script: str, data: str | None = None) -> str:
        command = ["ip", "netns", "exec", self._prefix + host, "sh", "-c", script]
        done = subprocess.run(command, check=False, capture_output=True, text=True, input=data)
        assert done.returncode == 0, (script, data, done.stderr)
        return done.stdout

    def start(self, host: str, program: str, *arguments: str) -> Callable[[str], str]:
        """Starts a program; what it gives sends it a line and waits for the answer."""
        command = ["ip", "netns", "exec", self._prefix + host, sys.executable, "-c", program, *arguments]
        process = self._stack.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        )
        self._stack.callback(process.kill)
        assert process.stdin is not None
        assert process.stdout is not None
        if program == SERVE:
            assert process.stdout.readline() == "ready\n"

        def say(line: str) -> str:
            process.stdin.write(line + "\n")  # type: ignore[union-attr]
            return process.stdout.readline().strip()  # type: ignore[union-attr]

        return say

    def move(self, old: str, new: str) -> None:
        """As keepalived: the new one is there, then the old one leaves, and the neighbours are told."""
        version, width = (6, 128) if ":" in self.vip else (4, 24)
        self.run(new, f"ip address add {self.vip}/{width} dev eth0")
        if old:
            self.run(old, f"ip address del {self.vip}/{width} dev eth0")
        lladdr = self.run(new, "cat /sys/class/net/eth0/address").strip()
        self.run("client", f"ip -{version} neigh replace {self.vip} lladdr {lladdr} dev eth0 nud reachable")

    def own(self, host: str) -> str:
        return {"ka1": "%s2", "ka2": "%s3"}[host] % ("fe80::" if ":" in self.vip else "192.0.2.")

    def keep(self, host: str, state: Path) -> list[Kept]:
        kept = [Kept(ipaddress.ip_address(self.vip), "eth0")]
        self.run(host, "sh -s", keep_script(kept, str(state)))
        return kept

    def relay(self, host: str, to: str) -> None:
        tables = self.run(host, "cat /proc/net/tcp"), self.run(host, "cat /proc/net/tcp6")
        mine = [item for text in tables for item in sockets(text)]
        move = Relayed(ipaddress.ip_address(self.vip), ipaddress.ip_address(self.own(to)), "eth0")
        self.run(host, "nft -f -", relay_rules([move], mine))


@pytest.fixture(params=[str(V4), str(V6)])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    if os.geteuid() != 0 or not shutil.which("nft"):
        pytest.skip("network namespaces need root, and the rules nft")
    with ExitStack() as stack:
        yield Lab(stack, request.param)


def test_without_it_a_connection_is_reset(lab: Lab) -> None:
    lab.move("", "ka1")
    client = lab.start("client", ASK, lab.vip)
    assert client("new") == "ka1 1"
    lab.move("ka1", "ka2")
    assert client("0") == "ConnectionResetError"
    assert client("new") == "ka2 1"


def test_a_connection_outlives_the_move_there_and_back(lab: Lab, tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    before = {host: lab.run(host, "ip route show table local; sysctl net.ipv4.conf.eth0") for host in ("ka1", "ka2")}
    lab.move("", "ka1")
    client = lab.start("client", ASK, lab.vip)
    assert client("new") == "ka1 1"

    kept_first = lab.keep("ka1", first)
    lab.relay("ka2", "ka1")
    assert client("0") == "ka1 2"
    lab.move("ka1", "ka2")
    # What had begun goes on where it began, what is new does not.
    assert client("0") == "ka1 3"
    assert client("new") == "ka2 1"
    assert client("1") == "ka2 2"

    # And back, while the first relay is still there.
    kept_second = lab.keep("ka2", second)
    lab.relay("ka1", "ka2")
    lab.move("ka2", "ka1")
    assert [client("0"), client("1"), client("new")] == ["ka1 4", "ka2 3", "ka1 1"]

    for host in ("ka1", "ka2"):
        lab.run(host, relay_undo())
    lab.run("ka1", keep_undo(kept_first, str(first)))
    lab.run("ka2", keep_undo(kept_second, str(second)))
    assert client("0") == "ka1 5"
    assert client("1") == "ConnectionResetError"
    lab.move("ka1", "ka2")
    lab.run("ka2", f"ip address del {lab.vip}/{128 if ':' in lab.vip else 24} dev eth0")
    after = {host: lab.run(host, "ip route show table local; sysctl net.ipv4.conf.eth0") for host in ("ka1", "ka2")}
    assert after == before
    assert not lab.run("ka1", "nft list tables")


def test_the_old_holder_keeps_silent(lab: Lab, tmp_path: Path) -> None:
    lab.move("", "ka1")
    client = lab.start("client", ASK, lab.vip)
    assert client("new") == "ka1 1"
    lab.keep("ka1", tmp_path)
    lab.relay("ka2", "ka1")
    lab.move("ka1", "ka2")
    # The client asks anew, and hears one answer: that of the new holder.
    lab.run("client", "ip neigh flush all; ip -6 neigh flush all")
    assert client("new") == "ka2 1"
    assert client("0") == "ka1 2"
    lladdr = lab.run("ka2", "cat /sys/class/net/eth0/address").strip()
    assert lladdr in lab.run("client", f"ip neigh show to {lab.vip}")
    # And it never asks in the name of the VIP, which would bend the client's table.
    lab.run("ka1", "ip neigh flush all; ip -6 neigh flush all")
    assert client("0") == "ka1 3"
    assert lladdr in lab.run("client", f"ip neigh show to {lab.vip}")


def test_a_packet_that_nobody_knows_does_not_go_to_and_fro(lab: Lab, tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    lab.move("", "ka1")
    lab.keep("ka1", first)
    lab.relay("ka2", "ka1")
    lab.keep("ka2", second)
    lab.relay("ka1", "ka2")
    family = "ip6" if ":" in lab.vip else "ip"
    counter = (
        f"table {family} count {{\n chain in {{\n type filter hook prerouting priority -400;\n"
        f" {family} daddr {lab.vip} counter\n }}\n}}\n"
    )
    for host in ("ka1", "ka2"):
        lab.run(host, "nft -f -", counter)
    client = lab.start("client", ASK, lab.vip)
    assert client("new") == "ka1 1"
    lab.run("ka1", f"nft flush set {family} failover_vip_handover here")
    # Now ka1 passes it on, and ka2 does not pass it on once more: it says that there is no such connection.
    assert client("0") == "ConnectionResetError"
    for host, most in (("ka1", 12), ("ka2", 2)):
        seen = lab.run(host, f"nft list table {family} count").split("counter packets ")[1]
        assert 0 < int(seen.split()[0]) <= most
