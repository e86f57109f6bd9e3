# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Keep asking services at a fixed pace.

Private to the collection failover.vip: it may change with any release.

The load is *open loop*: probe n of a target is due at start + n * interval whatever became of the probes before it,
so a slow or missing answer delays no other probe and an outage cannot hide behind the one probe that waits for it.
One thread does it all with non-blocking sockets. A probe that could only leave late (the machine was busy) leaves at
once, none is dropped, and how late they were is reported, because no figure of a run is better than that.

:func:`check` says whether a run has a bound and makes sense, :func:`probe` does the I/O. What an answer means, and how
outages are measured, is :mod:`_outages`.
"""

from __future__ import annotations

import errno
import gc
import ipaddress
import math
import re
import resource
import select
import selectors
import socket
import struct
import time
from array import array
from collections import deque
from collections.abc import Sequence
from typing import Callable, NamedTuple

from ansible_collections.failover.vip.plugins.module_utils._live._outages import (
    MAX_ANSWER,
    Reply,
    Series,
    Target,
    first_line,
    http_request,
    named,
    read_http,
)
from ansible_collections.failover.vip.plugins.module_utils._live._owner import ETH_P_ARP, arp_probe, read_arp_reply

MAX_DURATION = 3600.0  # seconds
MAX_PROBES = 10_000_000  # all targets together; a probe takes about 20 bytes until the end of the run

_LINGER_RESET = struct.pack("ii", 1, 0)  # close with RST: no TIME_WAIT, or 1000 probes/s use up the local ports in 28 s
_LOCAL_TROUBLE = frozenset(
    (
        errno.EADDRNOTAVAIL,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EACCES,
        errno.EPERM,
        errno.EAGAIN,
    )
)
_REASONS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.ETIMEDOUT: "timeout",
}


class ProbeError(Exception):
    """The run is refused or cannot go on; the message says what to do."""


class Plan(NamedTuple):
    """How to ask. All in seconds."""

    interval: float
    timeout: float
    duration: float
    max_probes: int


class Sample(NamedTuple):
    """One finished probe, for the samples file. Times in seconds, `due` of the epoch."""

    target: int
    number: int
    due: float
    late: float
    took: float
    reply: Reply


# ---- the plan ------------------------------------------------------------------------------------------------------


def check(targets: Sequence[Target], plan: Plan) -> int:
    """Return how many probes each target gets. Raises ProbeError for a run without a bound or without sense."""
    if not targets:
        raise ProbeError("no targets: there is nothing to ask")
    names = [target.name for target in targets]
    for target in targets:
        if names.count(target.name) > 1:
            raise ProbeError(f"two targets have the name {target.name}: the results could not be told apart")
        if target.kind not in KINDS:
            raise ProbeError(
                f"target {target.name}: kind {target.kind} is unknown; it is one of {', '.join(sorted(KINDS))}"
            )
        if target.kind == "arp" and (":" in target.address or not target.mac):
            raise ProbeError(
                f"target {target.name}: kind arp needs an IPv4 address and an interface, not {target.address!r} on "
                f"{target.interface!r}"
            )
        if not 0 < target.port < 65536:
            raise ProbeError(f"target {target.name}: port {target.port} is not between 1 and 65535")
        try:
            ipaddress.ip_address(target.address.partition("%")[0])
        except ValueError:
            raise ProbeError(
                f"target {target.name}: {target.address!r} is no IP address, and names are not looked up"
            ) from None
        if not re.fullmatch(r"/[!-~]*", target.path) or not re.fullmatch(r"[!-~]+", target.host or "-"):
            raise ProbeError(
                f"target {target.name}: path must start with / and, like host, have no blanks or control characters"
            )
    for what, value, low, high in (
        ("interval", plan.interval, 0.001, 60.0),
        ("timeout", plan.timeout, 0.001, 60.0),
        ("duration", plan.duration, plan.interval, MAX_DURATION),
        ("max_probes", plan.max_probes, 1, MAX_PROBES),
    ):
        if not low <= value <= high:  # also refuses a NaN
            raise ProbeError(f"{what} is {value:g}, and must be {low:g} to {high:g} (times in seconds)")
    count = math.ceil(plan.duration / plan.interval - 1e-9)
    total = count * len(targets)
    if total > plan.max_probes:
        raise ProbeError(
            f"{len(targets)} targets, every {plan.interval * 1000:g} ms for {plan.duration:g} s, are {total} probes, "
            f"more than max_probes ({plan.max_probes}): shorten duration, lengthen interval or raise max_probes"
        )
    return count


# ---- the sockets ---------------------------------------------------------------------------------------------------


class TcpProbe:
    """One TCP connection. A good answer is the handshake, which the kernel gives even for a process that hangs."""

    __slots__ = ("number", "sent", "series", "sock")

    def __init__(self, series: Series, sock: socket.socket, sent: float, number: int) -> None:
        """Watch `sock`, whose connection is under way."""
        self.series, self.sock, self.sent, self.number = series, sock, sent, number

    @staticmethod
    def open(target: Target) -> socket.socket:
        """Return a socket whose connection is under way. Raises OSError."""
        sock = socket.socket(socket.AF_INET6 if ":" in target.address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
            error = sock.connect_ex((target.address, target.port))
            if error not in (0, errno.EINPROGRESS):
                raise OSError(error, "connect")
        except OSError:
            sock.close()
            raise
        return sock

    def ready(self, selector: selectors.BaseSelector) -> Reply | None:  # noqa: ARG002
        """Go on with a socket that is ready; return the reply when it is there. Raises OSError."""
        error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "connect")
        return Reply("")


class HttpProbe(TcpProbe):
    """One HTTP request on a connection of its own."""

    __slots__ = ("asked", "data")

    def __init__(self, series: Series, sock: socket.socket, sent: float, number: int) -> None:
        """Watch `sock`, whose connection is under way."""
        super().__init__(series, sock, sent, number)
        self.asked = False
        self.data = b""

    def ready(self, selector: selectors.BaseSelector) -> Reply | None:
        """Send the request once connected, then read until the answer is complete. Raises OSError."""
        if self.asked:
            received = self.sock.recv(MAX_ANSWER)
            self.data += received
            return read_http(self.series.target, self.data, ended=not received)
        super().ready(selector)
        self.sock.send(http_request(self.series.target))  # some 100 bytes: an empty send buffer takes them whole
        self.asked = True
        selector.modify(self.sock, selectors.EVENT_READ, self)
        return None


class UdpProbe(TcpProbe):
    """One datagram, as to an echo service. Any answer is a good one; its first line names the backend."""

    __slots__ = ("asked",)

    def __init__(self, series: Series, sock: socket.socket, sent: float, number: int) -> None:
        """Watch `sock`, from which nothing has been sent yet."""
        super().__init__(series, sock, sent, number)
        self.asked = False

    @staticmethod
    def open(target: Target) -> socket.socket:
        """Return a socket that hears nobody but the target. Raises OSError."""
        sock = socket.socket(socket.AF_INET6 if ":" in target.address else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.connect((target.address, target.port))
        except OSError:
            sock.close()
            raise
        return sock

    def question(self) -> bytes:
        """Return what to send."""
        return self.series.target.payload

    def answer(self, data: bytes) -> Reply | None:
        """Return the reply that `data` is, None if it is none."""
        return Reply("", named(self.series.target, first_line(data)))

    def ready(self, selector: selectors.BaseSelector) -> Reply | None:
        """Send the datagram, then take the first answer. Raises OSError."""
        if self.asked:
            return self.answer(self.sock.recv(MAX_ANSWER))
        self.sock.send(self.question())
        self.asked = True
        selector.modify(self.sock, selectors.EVENT_READ, self)
        return None


class ArpProbe(UdpProbe):
    """One ARP probe (RFC 5227): who has the address? A good answer is anybody's; its MAC is the backend.

    ARP has no numbers, so a late answer to one probe counts for the next one as well.
    """

    __slots__ = ()

    @staticmethod
    def open(target: Target) -> socket.socket:
        """Return a socket that hears the interface's ARP. Raises OSError."""
        # Of no protocol at first, or frames of other interfaces would wait in it before it is bound.
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            sock.setblocking(False)
            sock.bind((target.interface, ETH_P_ARP))
        except OSError:
            sock.close()
            raise
        return sock

    def question(self) -> bytes:
        """Return the frame."""
        target = self.series.target
        return arp_probe(target.mac, ipaddress.IPv4Address(target.address))

    def answer(self, data: bytes) -> Reply | None:
        """Return the reply if it is one about the address."""
        heard = read_arp_reply(data, self.series.target.mac)
        return Reply("", heard[1]) if heard and str(heard[0]) == self.series.target.address else None


# A kind of probe is a class with `open` and `ready`, as TcpProbe has them; the loop below knows nothing else of it.
KINDS: dict[str, type[TcpProbe]] = {"arp": ArpProbe, "http": HttpProbe, "tcp": TcpProbe, "udp": UdpProbe}


# ---- the run -------------------------------------------------------------------------------------------------------


class Pace(NamedTuple):
    """How well the pace was kept: how late each probe left after it was due, in seconds, and what the run cost."""

    late: list[float]
    elapsed: float
    cpu: float


class Run(NamedTuple):
    """The outcome of :func:`probe`. `epoch` is the time of day of the start, in seconds."""

    epoch: float
    series: list[Series]
    pace: Pace
    stopped: bool  # before its time


def probe(
    targets: Sequence[Target], plan: Plan, record: Callable[[list[Sample]], None], stopped: Callable[[], bool]
) -> Run:
    """Ask all targets until the plan is done or `stopped` says so (it is asked ten times a second).

    `record` is given the finished probes, now and then, and must return quickly. The targets take turns: target i of
    n is due i/n of an interval later than the first. Raises ProbeError for a plan that `check` refuses or that needs
    more open files than the process may have.
    """
    count = check(targets, plan)
    _allow_open_files(len(targets) * min(count, math.ceil(plan.timeout / plan.interval) + 1) + 64)
    collecting = gc.isenabled()
    gc.disable()  # a collection in the midst of the run would be a pause, and the loop makes no cycles
    loop = _Loop(targets, plan, count)
    try:
        return loop.run(record, stopped)
    finally:
        loop.close()
        if collecting:
            gc.enable()


def _allow_open_files(needed: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise ProbeError(
                f"up to {needed} probes would wait for their answers at once, and this process may open {hard} files: "
                f"shorten timeout, lengthen interval or name fewer targets"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


class _Loop:
    """The state of one run: what waits for an answer, and what is due next."""

    def __init__(self, targets: Sequence[Target], plan: Plan, count: int) -> None:
        self.plan, self.count = plan, count
        self.series = [Series(target) for target in targets]
        # Opened before any probe, so that its descriptor is small enough for select(2), see _wait
        self.selector = selectors.DefaultSelector()
        # The time-out is the same for all, so the first to leave is the first to be given up
        self.waiting: deque[TcpProbe] = deque()
        self.samples: list[Sample] = []
        self.late = array("d")
        self.start = self.epoch = 0.0

    def run(self, record: Callable[[list[Sample]], None], stopped: Callable[[], bool]) -> Run:
        cpu, self.epoch, self.start = time.process_time(), time.time(), time.monotonic()
        turns, step = self.count * len(self.series), self.plan.interval / len(self.series)
        turn, look, ending = 0, 0.0, False
        while (turn < turns and not ending) or self.waiting:
            now = time.monotonic() - self.start
            while turn < turns and not ending and turn * step <= now:
                self._depart(turn, turn * step)
                turn += 1
                if turn % 16 == 0:
                    break  # catching up, too, answers are looked at now and then
            if now >= look:
                look, ending = now + 0.1, ending or stopped()
                record(self.samples)
                self.samples = []
            until = turn * step if turn < turns and not ending else math.inf
            if self.waiting:
                until = min(until, self.waiting[0].sent + self.plan.timeout)
            if until < math.inf:
                self._wait(min(until, look))
            # after what came in was looked at: an answer that waited while this process did not run is an answer
            self._give_up(time.monotonic() - self.start)
        record(self.samples)
        elapsed = time.monotonic() - self.start
        return Run(self.epoch, self.series, Pace(list(self.late), elapsed, time.process_time() - cpu), turn < turns)

    def close(self) -> None:
        """Close what still waits, after a failure."""
        for waiting in self.waiting:
            waiting.sock.close()
        self.selector.close()

    def _depart(self, turn: int, due: float) -> None:
        series = self.series[turn % len(self.series)]
        kind = KINDS[series.target.kind]
        sent = time.monotonic() - self.start
        self.late.append(sent - due)
        number = series.depart(sent)
        try:
            sock = kind.open(series.target)
        except OSError as error:
            self._finish(series, number, Reply(_reason(error)))
            return
        attempt = kind(series, sock, sent, number)
        self.selector.register(sock, selectors.EVENT_WRITE, attempt)
        self.waiting.append(attempt)

    def _wait(self, until: float) -> None:
        """Handle what happens until the time `until`, and return after the first batch.

        epoll counts in whole milliseconds, which is a whole interval at the fastest pace. So its own descriptor is
        waited for with select(2), which counts in microseconds.
        """
        left = until - (time.monotonic() - self.start)
        if left > 0:
            select.select([self.selector], [], [], left)
        for key, _events in self.selector.select(0):
            attempt: TcpProbe = key.data
            try:
                reply = attempt.ready(self.selector)
            except BlockingIOError:
                continue
            except OSError as error:
                reply = Reply(_reason(error))
            if reply is not None:
                self._settle(attempt, reply)

    def _settle(self, attempt: TcpProbe, reply: Reply) -> None:
        """Note the reply of a probe; it stays in `waiting`, closed, until it is the first there."""
        self.selector.unregister(attempt.sock)
        attempt.sock.close()
        self._finish(attempt.series, attempt.number, reply)
        while self.waiting and self.waiting[0].sock.fileno() < 0:
            self.waiting.popleft()

    def _give_up(self, now: float) -> None:
        while self.waiting and (self.waiting[0].sock.fileno() < 0 or self.waiting[0].sent + self.plan.timeout <= now):
            attempt = self.waiting.popleft()
            if attempt.sock.fileno() >= 0:
                self.selector.unregister(attempt.sock)
                attempt.sock.close()
                self._finish(attempt.series, attempt.number, Reply("timeout"))

    def _finish(self, series: Series, number: int, reply: Reply) -> None:
        sent = series.sent[number]
        took = time.monotonic() - self.start - sent
        series.arrive(number, took, reply)
        index = self.series.index(series)
        due = (number * len(self.series) + index) * self.plan.interval / len(self.series)
        self.samples.append(Sample(index, number, self.epoch + due, sent - due, took, reply))


def _reason(error: OSError) -> str:
    """Name an error. What begins with "local " is this machine's trouble and says nothing of the service."""
    number = error.errno or 0
    if number in _LOCAL_TROUBLE:
        return f"local {errno.errorcode.get(number, str(number))}"
    return _REASONS.get(number, errno.errorcode.get(number, str(number)))
