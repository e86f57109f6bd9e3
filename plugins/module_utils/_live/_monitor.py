# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""``ip monitor address`` (ip-monitor(8)) of this host, read while it runs.

Private to the collection failover.vip: it may change with any release.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import time

from ansible_collections.failover.vip.plugins.module_utils._live._holders import Event, parse_event

#: Documentation address (RFC 5737) that comes and goes on lo: once the monitor has told of it, it tells of all.
SENTINEL = "192.0.2.254"
PATIENCE = 15.0  # seconds for what takes milliseconds on an idle machine


class Monitor:
    """``ip monitor`` and the events that it has told of."""

    def __init__(self, ip: str) -> None:
        """Start listening."""
        self._ip = ip
        process = subprocess.Popen(  # noqa: S603 (the path that get_bin_path found)
            [ip, "-ts", "-oneline", "monitor", "address"],
            stdout=subprocess.PIPE,
            env={**os.environ, "TZ": "UTC", "LC_ALL": "C"},
        )
        self._process = process
        self._output = process.stdout.fileno() if process.stdout else -1
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._output, selectors.EVENT_READ)
        self._rest = b""
        self.events: list[Event] = []

    def read(self, seconds: float) -> bool:
        """Wait up to *seconds* for more; False when the monitor has ended."""
        if self._selector.select(seconds):
            data = os.read(self._output, 65536)
            if not data:
                return False
            *lines, self._rest = (self._rest + data).split(b"\n")
            found = (parse_event("", line.decode("ascii", "replace")) for line in lines)
            self.events += [event for event in found if event]
        return True

    def pass_sentinel(self) -> bool:
        """Let the sentinel come and go until the monitor has told of it: what the kernel told before is read then."""
        deadline, before = time.monotonic() + PATIENCE, self._told()
        while time.monotonic() < deadline:
            for action in ("add", "del"):
                command = [self._ip, "address", action, SENTINEL + "/32", "dev", "lo"]
                subprocess.run(command, check=False, stderr=subprocess.DEVNULL)  # noqa: S603 (as above)
            until = time.monotonic() + 0.2
            while time.monotonic() < until:
                if not self.read(until - time.monotonic()):
                    return False
                if self._told() >= before + 2:
                    return True
        return False

    def _told(self) -> int:
        return sum(event.address == SENTINEL for event in self.events)

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()
        self._selector.close()
