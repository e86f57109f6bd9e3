# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""What the tests of LVS share: the client's requests, the kernel's table, and what ARP says."""

from __future__ import annotations

import ctypes
import ipaddress
import socket
import struct
import threading
from collections import defaultdict

from testinfra.host import Host

ETH_P_ALL, ETH_P_ARP = 0x0003, 0x0806
SO_ATTACH_FILTER = 26
#: ldh [12]; jeq #0x806, 0, 1; ret #65535; ret #0
FILTER = ((0x28, 0, 0, 12), (0x15, 0, 1, ETH_P_ARP), (0x06, 0, 0, 65535), (0x06, 0, 0, 0))
DIRECTORS = {"ka1": 50, "ka2": 60}
REAL_SERVERS = {"rs11": 10, "rs22": 20}
CLIENT = 150


def ask(hosts: dict[str, Host], vip: str, times: int, path: str = "/") -> list[str]:
    """The pages that the client gets from a VIP, one connection each: the names of the real servers that answered."""
    fetch = f"curl --silent --show-error --fail --max-time 5 'http://{vip}{path}'"
    pages: str = hosts["client"].check_output(f"for i in $(seq {times}); do {fetch} || exit; done")
    return pages.split()


def table(host: Host) -> dict[str, dict[str, tuple[str, int]]]:
    """The kernel's table: of each virtual service its real servers, each with the way of forwarding and the weight.

    ``/proc/net/ip_vs`` has addresses and ports in hexadecimal digits, as in ``TCP  AC19FE64:0050 rr``.
    """

    def readable(pair: str) -> str:
        address, port = pair.split(":")
        return f"{ipaddress.ip_address(int(address, 16))}:{int(port, 16)}"

    found: dict[str, dict[str, tuple[str, int]]] = {}
    servers: dict[str, tuple[str, int]] = {}
    for line in host.check_output("cat /proc/net/ip_vs").splitlines()[3:]:
        words = line.split()
        if words[0] == "->":
            servers[readable(words[1])] = (words[2], int(words[3]))
        else:
            servers = found.setdefault(f"{words[0]} {readable(words[1])} {words[2]}", {})
    return found


class ArpWatch:
    """Every ARP packet on every interface of this machine, requests and answers: who said that an address is its own.

    All containers' cables end here, so nothing that they say is missed, also while they restart.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        steps = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in FILTER))
        program = struct.pack("HL", len(FILTER), ctypes.addressof(steps))  # struct sock_fprog
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        self._socket.settimeout(0.5)
        self._lock = threading.Lock()
        self._said: dict[str, set[str]] = defaultdict(set)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def _read(self) -> None:
        while not self._stop.is_set():
            try:
                frame = self._socket.recv(64)
            except TimeoutError:
                continue
            if len(frame) >= 42 and frame[14:20] == b"\0\1\x08\0\6\4":
                with self._lock:
                    self._said[socket.inet_ntoa(frame[28:32])].add(frame[22:28].hex(":"))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()

    def speakers(self, address: str) -> set[str]:
        """The MAC addresses that called an IPv4 address their own."""
        with self._lock:
            return set(self._said[address])
