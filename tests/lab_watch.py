# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Who held a VIP, from when to when: the kernel's own account of a failover, from every director of the lab.

``ip -ts -oneline monitor address`` (ip-monitor(8)) runs in each director's network namespace while a test does its
work. All containers share the machine's clock, so their events lie on one line of time, and intervals without a holder
or with two are read off it, with no sleeping and no asking in turns::

    with HolderWatch({"ka1": "ka1", "ka2": "ka2"}, ["172.25.254.100"]) as watch:
        stop_keepalived_on_ka1()
        watch.wait_for("172.25.254.100", {"ka2"}, seconds=10)
    timeline = watch.timeline("172.25.254.100")
    assert not timeline.doubled, timeline
    assert timeline.longest_gap_ms < 1000, timeline
"""

from __future__ import annotations

import ipaddress
import subprocess
import threading
import time
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Self

from ansible_collections.failover.vip.plugins.module_utils._live._holders import (
    Event,
    Timeline,
    draw_timeline,
    parse_addresses,
    parse_event,
)

#: What the first backup waits after a clean stop: its Skew_Time, (256 - 253)/256 of the advertisement interval of 1 s
#: (RFC 9568 section 6.1).
SKEW_MS = 12
#: What a busy machine of two cores may add to any wait.
BUSY_MS = 300
#: Two holders at a hand-over: one host adds the address and another removes it, each when its process is scheduled;
#: measured 0 to 50 ms. A split brain lasts as long as its cause, and at least to the next advertisement, up to 1000 ms.
HANDOVER_MS = 300


class WatchError(Exception):
    """The watch itself failed, so nothing is known about holders."""


class HolderWatch:
    """Records who holds the VIPs from ``with`` to its end.

    ``containers`` maps the name of each director to that of its container.
    """

    # Documentation address (RFC 5737) that comes and goes on lo: once the monitor has told of it, it tells of all.
    _SENTINEL = "192.0.2.254"
    _PATIENCE = 15.0  # seconds for what takes milliseconds on an idle machine

    def __init__(self, containers: Mapping[str, str], vips: Collection[str]) -> None:
        self._containers = dict(containers)
        self._vips = {vip: str(ipaddress.ip_address(vip)) for vip in vips}
        self._changed = threading.Condition()
        self._events: list[Event] = []
        self._ended: set[str] = set()
        self._at_first: dict[str, set[str]] = {}
        self._enter: dict[str, list[str]] = {}
        self._monitors: list[subprocess.Popen[str]] = []
        self._readers: list[threading.Thread] = []
        self._start = self._end = 0.0
        self._over = threading.Event()
        self._pulse = threading.Thread(target=self._beat, daemon=True)
        #: The longest that this process, which had nothing else to do, was woken too late, in milliseconds.
        self.late_ms = 0.0

    def __enter__(self) -> Self:
        self._pulse.start()
        try:
            for host, container in self._containers.items():
                pid = self._output(["podman", "container", "inspect", "--format", "{{.State.Pid}}", container]).strip()
                if not pid.isdecimal() or int(pid) == 0:
                    raise WatchError(f"container {container} does not run")
                # Not "podman exec": what it starts outlives it.
                self._enter[host] = ["nsenter", f"--target={pid}", "--mount", "--net", "env", "TZ=UTC", "LC_ALL=C"]
                self._monitors.append(
                    subprocess.Popen(
                        [*self._enter[host], "ip", "-ts", "-oneline", "monitor", "address"],
                        stdout=subprocess.PIPE,
                        text=True,
                    )
                )
                reader = threading.Thread(target=self._read, args=(host, self._monitors[-1]), daemon=True)
                self._readers.append(reader)
                reader.start()
            for host in self._containers:
                self._pass_sentinel(host, again_until_seen=True)
                self._at_first[host] = parse_addresses(
                    self._output([*self._enter[host], "ip", "-oneline", "address", "show"])
                )
        except BaseException:
            self._close()
            raise
        self._start = time.time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end = time.time()
        try:
            if kind is None:
                # What the kernel told before this is read when this is.
                for host in self._containers:
                    self._pass_sentinel(host, again_until_seen=False)
        finally:
            self._close()

    @property
    def events(self) -> list[Event]:
        """All events so far, in the order in which they were read; ``at`` tells the true order."""
        with self._changed:
            return [event for event in self._events if event.address != self._SENTINEL]

    def holders(self, vip: str) -> frozenset[str]:
        """Who holds the VIP now."""
        with self._changed:
            return self._holders(vip)

    def wait_for(self, vip: str, holders: Collection[str], seconds: float) -> float:
        """Waits until exactly these hosts hold the VIP; returns the time of the event that made it so.

        The time is in seconds since the epoch, that of the beginning if it was so from the first. Raises
        ``WatchError`` when the seconds are over.
        """
        wanted = frozenset(holders)
        with self._changed:
            if not self._changed.wait_for(lambda: self._ended or self._holders(vip) == wanted, seconds) or self._ended:
                lost = f"; the monitor on {', '.join(sorted(self._ended))} ended" if self._ended else ""
                raise WatchError(
                    f"{vip} is not held by {'+'.join(sorted(wanted)) or 'nobody'} after {seconds} s,"
                    f" but by {'+'.join(sorted(self._holders(vip))) or 'nobody'}{lost}"
                )
            times = [event.at for event in self._events if event.address == self._vips[vip]]
        return max(times, default=self._start)

    def timeline(self, vip: str, start: float | None = None, end: float | None = None) -> Timeline:
        """The VIP's holders from ``start`` to ``end``; by default from entering ``with`` to leaving it or now."""
        address = self._vips[vip]
        at_first = [host for host, addresses in self._at_first.items() if address in addresses]
        window_end = end or self._end or time.time()
        return draw_timeline(address, at_first, self.events, self._start if start is None else start, window_end)

    def assert_bounded(self, vip: str, gap_ms: float) -> None:
        """Never two holders beyond a hand-over, and never none for longer than the bound. Prints what was seen.

        By what the machine kept this process waiting, it may have kept the directors' processes.
        """
        timeline = self.timeline(vip)
        print(f"{timeline} (this machine was at most {self.late_ms:.0f} ms late)")
        assert timeline.longest_doubled_ms <= HANDOVER_MS + self.late_ms, (timeline, self.late_ms)
        assert timeline.longest_gap_ms <= (gap_ms + self.late_ms if gap_ms else 0), (timeline, self.late_ms)

    def _beat(self) -> None:
        pause = 0.005
        due = time.monotonic()
        while not self._over.wait(pause):
            now = time.monotonic()
            self.late_ms = max(self.late_ms, (now - due - pause) * 1000)
            due = now

    def _holders(self, vip: str) -> frozenset[str]:
        address = self._vips[vip]
        found = {host for host, addresses in self._at_first.items() if address in addresses}
        for event in sorted(self._events, key=lambda event: event.at):
            if event.address == address:
                found = found | {event.host} if event.held else found - {event.host}
        return frozenset(found)

    def _read(self, host: str, monitor: subprocess.Popen[str]) -> None:
        assert monitor.stdout is not None
        for line in monitor.stdout:
            event = parse_event(host, line)
            if event:
                with self._changed:
                    self._events.append(event)
                    self._changed.notify_all()
        with self._changed:
            self._ended.add(host)
            self._changed.notify_all()

    def _pass_sentinel(self, host: str, *, again_until_seen: bool) -> None:
        """Lets an address come and go, and waits until the monitor has told of it.

        A monitor that has only just been started may not listen yet, so it is done again until it is seen.
        """

        def told() -> int:
            return sum(1 for event in self._events if event.host == host and event.address == self._SENTINEL)

        deadline = time.monotonic() + self._PATIENCE
        before = told()
        passed = False
        while True:
            if again_until_seen or not passed:
                for action in ("add", "del"):
                    self._output([*self._enter[host], "ip", "address", action, f"{self._SENTINEL}/32", "dev", "lo"])
                passed = True
            with self._changed:
                if self._changed.wait_for(lambda: told() >= before + 2 or host in self._ended, 0.2):
                    if host in self._ended:
                        raise WatchError(f"the monitor on {host} ended: has its container been stopped?")
                    return
            if time.monotonic() > deadline:
                raise WatchError(f"the monitor on {host} tells nothing after {self._PATIENCE} s")

    def _output(self, command: list[str]) -> str:
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=self._PATIENCE)
        if result.returncode != 0:
            raise WatchError(f"{' '.join(command)}: {result.stderr.strip()}")
        return result.stdout

    def _close(self) -> None:
        self._over.set()
        self._pulse.join(self._PATIENCE)
        for monitor in self._monitors:
            monitor.terminate()
        for monitor in self._monitors:
            monitor.wait()
        for reader in self._readers:
            reader.join(self._PATIENCE)
        for monitor in self._monitors:
            if monitor.stdout is not None:
                monitor.stdout.close()
