# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Keep asking services at a fixed pace, and say when they were away and for how long.

Private to the collection failover.vip: it may change with any release.

The load is *open loop*: probe n of a target is due at start + n * interval whatever became of the probes before it,
so a slow or
missing answer delays no other probe and an outage cannot hide behind the one probe that waits for it. One thread does
it all
with non-blocking sockets. A probe that could only leave late (the machine was busy) leaves at once, none is dropped,
and how late
they were is reported, because no figure of a run is better than that.

**How long was the service away?** Let r1 be the time at which the last good answer before a run of failed probes was
received, and
r2 that of the first good answer after it. Then

    start = r1 + interval            the time at which the next answer should have come
    length = r2 - start              never less than 0

This is the gap between two received answers, less the pace at which they come anyway. It is measured where they are
received:
what the network keeps and delivers late counts as away until it is delivered. A service that is away for exactly L is
reported with
L - interval < length < L + interval, give or take the difference of the two answer times and the lateness of the
probes: it goes at any
time between two probes, and comes back at any time between two others. At the edges of the run, where r1 or r2 does
not exist,
the first failed probe's departure, or one interval after the last one's, takes its place, and `before` or `after` is
null.

A probe has failed when its answer was refused, broken or wrong, or is not complete `timeout` after the departure. So
the time-out says what
the user calls away: an answer later than that is none. Keep it under 1 s: from there on the kernel's retransmission
of a lost
SYN (1 s, RFC 6298, section 2) turns lost probes into slow ones. `longest_gap_ms` is the longest gap between any two
received answers less
the interval, with or without a failed probe in it.

Pure are the reading of answers (:func:`read_http`), the analysis (:func:`outages`, :func:`percentiles`,
:func:`summary`) and the
check of the plan (:func:`check`); :func:`probe` does the I/O.
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
from collections.abc import Iterable, Sequence
from itertools import accumulate
from re import Pattern
from typing import Any, Callable, NamedTuple

MAX_DURATION = 3600.0  # seconds
MAX_PROBES = 10_000_000  # all targets together; a probe takes about 20 bytes until the end of the run

_MAX_ANSWER = (
    65536  # bytes of an HTTP answer that are read at most: the status and the backend's name stand at the start
)
_NO_ANSWER = math.inf
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


class Target(NamedTuple):
    """What to ask. The fields after `port` are of kind http alone."""

    name: str
    kind: str  # a key of KINDS
    address: str  # an IP address
    port: int
    path: str = "/"
    host: str | None = None  # of the Host header; default: the address
    status: tuple[int, ...] = (200,)
    backend_header: str | None = None  # names the backend; default: the first line of the body does
    backend_regex: Pattern[str] | None = None  # picks the name out of that text: its first group, or all of the match


class Plan(NamedTuple):
    """How to ask. All in seconds."""

    interval: float
    timeout: float
    duration: float
    max_probes: int


class Reply(NamedTuple):
    """What became of a probe. `error` is empty for a good answer."""

    error: str
    backend: str = ""


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


# ---- the answers ---------------------------------------------------------------------------------------------------


def http_request(target: Target) -> bytes:
    """Return the request, in HTTP/1.0: no server may answer that in chunks (RFC 9112, section 6.1), and each closes."""
    host = target.host or (f"[{target.address.partition('%')[0]}]" if ":" in target.address else target.address)
    return f"GET {target.path} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\nUser-Agent: vip_probe\r\n\r\n".encode(
        "ascii"
    )


def read_http(target: Target, data: bytes, ended: bool) -> Reply | None:
    """Return the reply in `data`, None while it is incomplete; `ended` says that nothing more will come. Never raises.

    Complete is an answer with all the bytes of its Content-Length, or without one when the server has closed, or when
    it is
    larger than this module cares to read.
    """
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank and not ended and len(data) < _MAX_ANSWER:
        return None
    found = re.match(rb"HTTP/\d(?:\.\d)? ([1-5]\d\d)(?: [^\r\n]*)?(?:\r\n|\Z)", head)
    if not found or not blank:
        return Reply("broken" if data else "empty")
    headers = {}
    for line in head.split(b"\r\n")[1:]:
        name, _colon, value = line.partition(b":")
        headers[name.strip().lower().decode("latin-1")] = value.strip().decode("utf-8", "replace")
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and len(length) < 16:
        if len(body) < min(int(length), _MAX_ANSWER):
            return Reply("cut off") if ended else None
        body = body[: int(length)]
    elif not ended and len(body) < _MAX_ANSWER:
        return None
    if int(found.group(1)) not in target.status:
        return Reply(f"status {found.group(1).decode()}")
    if target.backend_header is not None:
        text = headers.get(target.backend_header.lower(), "")
    else:
        text = body.lstrip().partition(b"\n")[0].strip().decode("utf-8", "replace")
    if target.backend_regex is not None:
        match = target.backend_regex.search(text)
        text = (match.group(1 if match.re.groups else 0) or "") if match else ""
    return Reply("", "".join(c if c.isprintable() else "?" for c in text[:128]))


# ---- the analysis --------------------------------------------------------------------------------------------------


def percentiles(times: Iterable[float]) -> dict[str, float | None]:
    """Return min, p50, p90, p99, p999 and max of `times` (seconds) in milliseconds, None without any.

    By nearest rank: each is a time that was measured, the smallest one that at least that share of all do not exceed.
    """
    ordered = sorted(times)
    ranks = (("min", 0.0), ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999), ("max", 1.0))
    if not ordered:
        return {name: None for name, _share in ranks}
    return {name: round(ordered[max(0, math.ceil(share * len(ordered) - 1e-9) - 1)] * 1000, 3) for name, share in ranks}


def outages(
    sent: Sequence[float], received: Sequence[float], backends: Sequence[str], interval: float
) -> list[dict[str, Any]]:
    """Return the outages, in order: start (as `sent` counts), length_ms, failed_probes, before, after.

    `sent` is the departure of each probe in seconds, ascending; `received` the time of its good answer, infinite for
    a failed one;
    `backends` who gave it. The docstring of the module defines start and length. Outages do not overlap, and each
    failed probe belongs to exactly one.
    """
    latest = list(accumulate((-math.inf if r == _NO_ANSWER else r for r in received), max))
    earliest = list(accumulate(reversed(received), min))
    earliest.reverse()
    found = []
    at, total = 0, len(sent)
    while at < total:
        if received[at] != _NO_ANSWER:
            at += 1
            continue
        first = at
        while at < total and received[at] == _NO_ANSWER:
            at += 1
        start = latest[first - 1] + interval if first else sent[0]
        end = earliest[at] if at < total else sent[-1] + interval
        found.append(
            {
                "start": start,
                "length_ms": round(max(0.0, end - start) * 1000, 3),
                "failed_probes": at - first,
                "before": backends[first - 1] if first else None,
                "after": backends[at] if at < total else None,
            }
        )
    return found


def longest_gap(received: Iterable[float], interval: float) -> float:
    """Return the longest time between two received answers less `interval`, in milliseconds; 0.0 without two."""
    times = sorted(r for r in received if r != _NO_ANSWER)
    gaps = (later - earlier for earlier, later in zip(times, times[1:]))
    return round(max(0.0, max(gaps, default=0.0) - interval) * 1000, 3)


class Series:
    """All probes of one target, by number, as columns: a million of them must fit."""

    def __init__(self, target: Target) -> None:
        """Start without probes."""
        self.target = target
        self.sent = array("d")  # seconds since the start of the run
        self.took = array("d")  # seconds until the outcome
        self.outcome = array("H")  # index into `replies`; 0 while nobody knows
        self.replies: list[Reply | None] = [None]
        self._index: dict[Reply, int] = {}

    def depart(self, sent: float) -> int:
        """Add a probe that left now; return its number."""
        self.sent.append(sent)
        self.took.append(0.0)
        self.outcome.append(0)
        return len(self.sent) - 1

    def arrive(self, number: int, took: float, reply: Reply) -> None:
        """Note what became of a probe."""
        index = self._index.get(reply)
        if index is None:
            if len(self.replies) > 10_000:  # the first line of the body is no name: a clock, perhaps
                reply = reply._replace(backend="(others)")
            index = self._index.setdefault(reply, len(self.replies))
            if index == len(self.replies):
                self.replies.append(reply)
        self.took[number] = took
        self.outcome[number] = index


def summary(series: Series, interval: float, epoch: float) -> dict[str, Any]:
    """Return the small result of one target, as `vip_probe` returns it. `epoch` is the time of the start of the run."""
    sent, received, backends, took = [], [], [], []
    errors: dict[str, int] = {}
    names: dict[str, int] = {}
    unsent = 0
    for departure, duration, outcome in zip(series.sent, series.took, series.outcome):
        reply = series.replies[outcome]
        if reply is None or reply.error.startswith("local "):
            unsent += 1  # our own trouble says nothing of the service
            continue
        sent.append(departure)
        backends.append(reply.backend)
        received.append(_NO_ANSWER if reply.error else departure + duration)
        if reply.error:
            errors[reply.error] = errors.get(reply.error, 0) + 1
        else:
            took.append(duration)
            if reply.backend:
                names[reply.backend] = names.get(reply.backend, 0) + 1
    away = outages(sent, received, backends, interval)
    for outage in away:
        outage["start"] = round(outage["start"] + epoch, 6)
    failed = sum(errors.values())
    return {
        "name": series.target.name,
        "sent": len(sent),
        "failed": failed,
        "unsent": unsent,
        "availability": round(1 - failed / len(sent), 6) if sent else None,
        "errors": errors,
        "answer_ms": percentiles(took),
        "outages": away,
        "longest_ms": max((outage["length_ms"] for outage in away), default=0.0),
        "longest_gap_ms": longest_gap(received, interval),
        "backends": names,
    }


# ---- the sockets ---------------------------------------------------------------------------------------------------


class TcpProbe:
    """One TCP connection. A good answer is the handshake, which the kernel gives even for a process that hangs."""

    __slots__ = ("data", "number", "sent", "series", "sock")

    def __init__(self, series: Series, sock: socket.socket, sent: float, number: int) -> None:
        """Watch `sock`, whose connection is under way."""
        self.series, self.sock, self.sent, self.number = series, sock, sent, number
        self.data = b""

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

    def ready(self, selector: selectors.BaseSelector) -> Reply | None:
        """Go on with a socket that is ready; return the reply when it is there. Raises OSError."""
        error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "connect")
        return self.connected(selector)

    def connected(self, selector: selectors.BaseSelector) -> Reply | None:  # noqa: ARG002
        """Return the reply once the connection stands."""
        return Reply("")


class HttpProbe(TcpProbe):
    """One HTTP request on a connection of its own."""

    __slots__ = ("asked",)

    def __init__(self, series: Series, sock: socket.socket, sent: float, number: int) -> None:
        """Watch `sock`, whose connection is under way."""
        super().__init__(series, sock, sent, number)
        self.asked = False

    def ready(self, selector: selectors.BaseSelector) -> Reply | None:
        """Send the request once connected, then read until the answer is complete. Raises OSError."""
        if not self.asked:
            return super().ready(selector)
        received = self.sock.recv(_MAX_ANSWER)
        self.data += received
        return read_http(self.series.target, self.data, ended=not received)

    def connected(self, selector: selectors.BaseSelector) -> Reply | None:
        """Send the request."""
        self.sock.send(http_request(self.series.target))  # some 100 bytes: an empty send buffer takes them whole
        self.asked = True
        selector.modify(self.sock, selectors.EVENT_READ, self)
        return None


# A kind of probe is a class with `open` and `ready`, as TcpProbe has them; the loop below knows nothing else of it.
KINDS: dict[str, type[TcpProbe]] = {"http": HttpProbe, "tcp": TcpProbe}


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
    n is
    due i/n of an interval later than the first. Raises ProbeError for a plan that `check` refuses or that needs more
    open
    files than the process may have.
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
        waited for with
        select(2), which counts in microseconds.
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
