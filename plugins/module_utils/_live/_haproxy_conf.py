# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""What the rules want to know of haproxy.cfg: what it binds, whom it balances to, and who may control it.

Source: HAProxy's configuration manual, sections 2.2 (quoting), 2.5 (time format), 3.1 (stats socket), 4.2 (bind, server
and stats) and 11.2.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple

from ansible_collections.failover.vip.plugins.module_utils._model import Origin

#: Keywords that begin a section.
_SECTIONS = frozenset(
    (
        "global",
        "defaults",
        "listen",
        "frontend",
        "backend",
        "peers",
        "resolvers",
        "mailers",
        "userlist",
        "cache",
        "program",
        "ring",
        "http-errors",
        "fcgi-app",
        "log-forward",
        "crt-store",
        "traces",
    )
)
#: Keywords with a duration, beside those of ``timeout``.
_DURATIONS = frozenset(("inter", "fastinter", "downinter", "slowstart", "hard-stop-after"))
#: Ports of one range that are listed; further ones are left out.
_MAX_RANGE = 1024
_PORTS = re.compile(r"^(\d{1,5})(?:-(\d{1,5}))?$")


class HaproxyConf(NamedTuple):
    """What one or several files say, in their order."""

    #: (address, ``*`` or ``::``; port; place).
    binds: list[tuple[str, int, Origin]]
    #: Places of those binds that need no ip_nonlocal_bind (``transparent``).
    freebind: list[Origin]
    #: Addresses of servers, where they are no names.
    servers: list[str]
    #: Stats sockets and pages; see ``_rules._haproxy``.
    stats: list[dict[str, Any]]
    #: Durations without a unit, as ``inter 3``, with their places.
    durations: list[tuple[str, Origin]]


def _words(line: str) -> list[str]:
    """A line's words: quotes join, # begins a comment; a line with an open quote is split at its blanks."""
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return line.partition("#")[0].split()


def listeners(text: str) -> Iterator[tuple[str, int]]:
    """The addresses and ports in the first argument of ``bind``: several with commas, ranges with a hyphen.

    Sockets that are files or inherited are left out, and so is what is only known at run time (environment variables).
    """
    for one in text.split(","):
        prefix, _at, rest = one.rpartition("@")
        if one.startswith("/") or prefix not in ("", "ipv4", "ipv6", "tcp", "tcp4", "tcp6") or "$" in one:
            continue
        host, _colon, port = rest.rpartition(":")
        ports = _PORTS.match(port)
        if not ports:
            continue
        low, high = int(ports[1]), int(ports[2] or ports[1])
        host = host.strip("[]")
        if host in ("", "*", "0.0.0.0"):  # noqa: S104 - read, not bound
            host = "::" if prefix in ("ipv6", "tcp6") else "*"
        for number in range(low, min(high, low + _MAX_RANGE - 1) + 1):
            yield host, number


def _server(word: str) -> str:
    """The address of a server's line, empty where it is a name or a file."""
    host = word.rpartition("@")[2]
    for candidate in (host, host.rpartition(":")[0]):
        try:
            return str(ipaddress.ip_address(candidate.strip("[]")))
        except ValueError:
            continue
    return ""


def _after(words: list[str], name: str, otherwise: str) -> str:
    """The word after a keyword."""
    return words[words.index(name) + 1] if name in words[:-1] else otherwise


class _Section:
    """One section while it is read; ``stats`` collects the words after ``stats``."""

    def __init__(self, kind: str, stats: set[str]) -> None:
        self.kind = kind
        self.stats = set(stats)
        self.binds: list[tuple[str, Origin]] = []

    def pages(self) -> Iterator[dict[str, Any]]:
        """The statistics pages that the section serves, one for each thing it binds."""
        if self.stats & {"enable", "uri"}:
            for address, origin in self.binds:
                yield {
                    "kind": "page",
                    "address": address,
                    "auth": "auth" in self.stats,
                    "admin": "admin" in self.stats,
                    "place": [origin.path, origin.line],
                }


def read_haproxy(files: list[tuple[str, str]]) -> HaproxyConf:
    """Reads configuration files in their order.

    :param files: (path, text) of each.
    """
    found = HaproxyConf([], [], [], [], [])
    defaults: set[str] = set()
    section = _Section("", set())
    for path, text in files:
        for number, line in enumerate(text.splitlines(), 1):
            words = _words(line)
            if not words:
                continue
            if words[0] in _SECTIONS:
                found.stats.extend(section.pages())
                if section.kind == "defaults":
                    defaults = section.stats
                proxy = words[0] in ("listen", "frontend")
                section = _Section(words[0], defaults if proxy else set())
                if not proxy or len(words) < 3:
                    continue
                # The old way to bind, on the section's own line.
                words = ["bind", *words[2:]]
            _line(found, section, words, Origin(path, number))
    found.stats.extend(section.pages())
    return found


def _line(found: HaproxyConf, section: _Section, words: list[str], origin: Origin) -> None:
    start = 1 if words[0] in ("server", "default-server") else 0
    for one, other in zip(words[start:], words[start + 1 :]):
        if other.isdecimal() and (one in _DURATIONS or (words[0] == "timeout" and one == words[1])):
            found.durations.append(("%s %s" % (one, other), origin))
    if words[0] == "bind" and section.kind in ("listen", "frontend") and len(words) > 1:
        for host, port in listeners(words[1]):
            found.binds.append((host, port, origin))
            section.binds.append(("[%s]:%d" % (host, port) if ":" in host else "%s:%d" % (host, port), origin))
        if "transparent" in words[2:]:
            found.freebind.append(origin)
    elif words[0] == "server" and section.kind in ("listen", "backend") and len(words) > 2:
        address = _server(words[2])
        if address and address not in found.servers:
            found.servers.append(address)
    elif words[:2] == ["stats", "socket"] and section.kind == "global" and len(words) > 2:
        found.stats.append(
            {
                "kind": "socket",
                "address": words[2],
                "mode": _after(words, "mode", ""),
                "level": _after(words, "level", "operator"),
                "place": [origin.path, origin.line],
            }
        )
    elif words[0] == "stats" and len(words) > 1:
        section.stats.add(words[1])
    elif words[:2] == ["http-request", "auth"]:
        section.stats.add("auth")
