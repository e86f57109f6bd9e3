# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""HAProxy's servers, as its runtime socket tells and changes them.

Source: HAProxy's management guide, sections 9.1 (CSV format) and 9.3 (``show servers state``, ``show stat``,
``set server``).

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import csv
import io
import re
import socket
import time
from collections.abc import Iterable, Mapping
from typing import Any, Callable, NamedTuple

from ansible_collections.failover.vip.plugins.module_utils._finding import did_you_mean

READY, DRAIN, MAINT = "ready", "drain", "maint"
#: The bits of srv_admin_state. What is forced was asked for by the socket, or for maintenance by the configuration;
#: the rest comes from elsewhere and no command on the server lifts it.
_FORCED_MAINT, _TRACKED_MAINT, _FORCED_DRAIN, _TRACKED_DRAIN, _UNRESOLVED = 0x01, 0x02, 0x08, 0x10, 0x20
#: What HAProxy permits in a name (proxy and server identifiers); anything else could be a second command.
NAME = re.compile(r"[A-Za-z0-9_.:-]+")
#: Between two looks at what is waited for, in seconds.
_PAUSE = 0.1
#: More than any answer here; a socket that sends more is none of HAProxy's.
_MOST_BYTES = 64 * 1024 * 1024

#: Sends one command and returns HAProxy's answer.
Ask = Callable[[str], str]


class HaproxyError(Exception):
    """The socket could not be asked, or HAProxy refused, or what it answers is no answer."""


class Server(NamedTuple):
    """One server of one backend."""

    backend: str
    name: str
    #: Bits of srv_admin_state.
    admin: int
    #: Whether its checks, or those of the server that it tracks, have it up; one without checks is always.
    up: bool
    weight: int
    configured_weight: int
    #: HAProxy's own word, such as ``UP``, ``DOWN 1/2``, ``MAINT (via web/a)`` or ``no check``.
    status: str
    #: Sessions that it serves, and requests that wait for it alone.
    sessions: int
    queued: int
    #: What its last check said, such as ``L4CON Connection refused``; empty if it has none.
    last_check: str
    #: Whether the checks are as good as they can be. Out of maintenance it is up at once, and only a check tells.
    proven: bool

    @property
    def label(self) -> str:
        """As HAProxy's commands name it."""
        return f"{self.backend}/{self.name}"

    @property
    def state(self) -> str:
        """What was asked for: ready, drain or maint."""
        return MAINT if self.admin & _FORCED_MAINT else DRAIN if self.admin & _FORCED_DRAIN else READY

    @property
    def hindrance(self) -> str:
        """Why it takes no traffic although it is ready; empty if nothing is in the way."""
        if self.admin & (_TRACKED_MAINT | _TRACKED_DRAIN):
            return "a server that it tracks is in maintenance or drained: make that one ready"
        return "its name cannot be resolved" if self.admin & _UNRESOLVED else ""

    def as_data(self) -> dict[str, Any]:
        """As a module returns it."""
        kept = ("backend", "weight", "configured_weight", "status", "up", "sessions", "queued", "last_check")
        return {**{name: getattr(self, name) for name in kept}, "server": self.name, "state": self.state}


def _number(text: str) -> int:
    return int(text) if text.strip() else 0


def parse_states(text: str) -> dict[tuple[str, str], dict[str, str]]:
    """Of each (backend, server) the columns of ``show servers state``.

    :raises HaproxyError: if it is no such answer, in version 1.
    """
    lines = text.split("\n")
    if len(lines) < 2 or lines[0].strip() != "1" or not lines[1].startswith("# be_id "):
        raise HaproxyError(f"'show servers state' is answered with {text[:80].strip()!r}")
    columns = lines[1][1:].split()
    found = {}
    for line in lines[2:]:
        cells = line.split(" ")
        if line.startswith("#") or not line.strip():
            continue
        if len(cells) < len(columns):
            raise HaproxyError(f"'show servers state' has a line of {len(cells)} columns, not {len(columns)}: {line!r}")
        row = dict(zip(columns, cells))
        found[(row["be_name"], row["srv_name"])] = row
    return found


def parse_stats(text: str) -> dict[tuple[str, str], dict[str, str]]:
    """Of each (proxy, server) the columns of ``show stat``. Texts of checks are quoted, and may have any character.

    :raises HaproxyError: if it is no such answer.
    """
    if not text.startswith("# pxname,svname,"):
        raise HaproxyError(f"'show stat' is answered with {text[:80].strip()!r}")
    try:
        rows = [row for row in csv.reader(io.StringIO(text[2:], newline=""), strict=True) if row]
    except csv.Error as reason:
        raise HaproxyError(f"'show stat' cannot be read: {reason}") from None
    if any(len(row) < 3 for row in rows):
        raise HaproxyError("'show stat' has a line without values")
    return {(row[0], row[1]): dict(zip(rows[0], row)) for row in rows[1:]}


def parse_servers(states: str, stats: str) -> list[Server]:
    """The servers of two answers, in HAProxy's order.

    :raises HaproxyError: if one of them is no answer.
    """
    counted = parse_stats(stats)
    return [_server(key, row, counted[key]) for key, row in parse_states(states).items() if key in counted]


def _server(key: tuple[str, str], row: Mapping[str, str], stat: Mapping[str, str]) -> Server:
    try:
        health, rise, fall = (_number(stat.get("check_" + name, "")) for name in ("health", "rise", "fall"))
        # A check that is under way is marked so.
        code = stat.get("check_status", "").lstrip("* ")
        up = int(row["srv_op_state"]) != 0
        return Server(
            *key,
            admin=int(row["srv_admin_state"]),
            up=up,
            weight=int(row["srv_uweight"]),
            configured_weight=int(row["srv_iweight"]),
            status=stat["status"],
            sessions=_number(stat["scur"]),
            queued=_number(stat["qcur"]),
            last_check=" ".join(part for part in (code, stat.get("last_chk", "")) if part),
            proven=up and health >= rise + fall - 1,
        )
    except (KeyError, ValueError) as reason:
        raise HaproxyError(f"what HAProxy says of {key[0]}/{key[1]} cannot be read: {reason}") from None


def read_servers(ask: Ask) -> list[Server]:
    """All servers of the running HAProxy."""
    return parse_servers(ask("show servers state"), ask("show stat -1 4 -1"))


def choose(servers: Iterable[Server], backend: str, name: str) -> list[Server]:
    """The server in that backend, or with ``*`` in every backend that has it.

    :raises HaproxyError: if there is none, with the nearest name.
    """
    every = list(servers)
    within = [one for one in every if backend in ("*", one.backend)]
    if not within:
        known = {one.backend for one in every}
        raise HaproxyError(f"no backend '{backend}' with servers. {did_you_mean(backend, known)}".strip())
    found = [one for one in within if one.name == name]
    if not found:
        where = "any backend" if backend == "*" else f"backend '{backend}'"
        hint = did_you_mean(name, {one.name for one in within})
        raise HaproxyError(f"no server '{name}' in {where}. {hint}".strip())
    return found


def command(ask: Ask, text: str) -> None:
    """Sends a command that HAProxy answers with nothing.

    :raises HaproxyError: with HAProxy's words if it refuses.
    """
    answer = ask(text).strip()
    if answer.lower().startswith("permission denied"):
        raise HaproxyError(f"'{text}' is not permitted here: the socket must have 'level admin'")
    if answer:
        raise HaproxyError(f"'{text}' is refused: {answer}")


def wait_until(
    look: Callable[[], list[Server]], good: Callable[[Server], bool], seconds: float
) -> tuple[list[Server], list[Server]]:
    """Looks until all servers are good or the time is over; returns all, and those that are not."""
    end = time.monotonic() + seconds
    while True:
        servers = look()
        bad = [one for one in servers if not good(one)]
        if not bad or time.monotonic() >= end:
            return servers, bad
        time.sleep(_PAUSE)


def unix_socket(path: str, timeout: float = 10.0) -> Ask:
    """Asks the HAProxy behind a socket of the file system; each command has its own connection.

    :param timeout: seconds without a word from it.
    """

    def ask(text: str) -> str:
        if "\n" in text or ";" in text:
            raise HaproxyError(f"{text!r} is more than one command")
        received = bytearray()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(timeout)
                connection.connect(path)
                connection.sendall(text.encode() + b"\n")
                while True:
                    part = connection.recv(65536)
                    if not part:
                        return received.decode("utf-8", "replace")
                    received += part
                    if len(received) > _MOST_BYTES:
                        raise HaproxyError(f"'{text}' is answered without an end")
        except OSError as reason:
            why = reason.strerror or str(reason)
            raise HaproxyError(f"the socket cannot be asked ({why}): does HAProxy run, and is this root?") from reason

    return ask
