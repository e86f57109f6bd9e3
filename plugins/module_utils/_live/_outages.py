# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""When a probe has failed, and what outages the failed ones are: from bytes to replies, from replies to the result.

Private to the collection failover.vip: it may change with any release.

A probe has failed when its answer was refused, broken or wrong, or is not complete within the time-out after the
departure. So the time-out says what the user calls away: an answer later than that is none. Keep it under 1 s: from
there on the kernel's retransmission of a lost SYN (1 s, RFC 6298, section 2) turns lost probes into slow ones.

**How long was the service away?** Let r1 be the time at which the last good answer before a run of failed probes was
received, and r2 that of the first good answer after it. Then

    start = r1 + interval            the time at which the next answer should have come
    length = r2 - start              never less than 0

This is the gap between two received answers, less the pace at which they come anyway. It is measured where they are
received: what the network keeps and delivers late counts as away until it is delivered. A service that is away for
exactly L is reported with L - interval < length < L + interval, give or take the difference of the two answer times
and the lateness of the probes: it goes at any time between two probes, and comes back at any time between two others.
At the edges of the run, where r1 or r2 does not exist, the first failed probe's departure, or one interval after the
last one's, takes its place, and `before` or `after` is null. `longest_gap_ms` is the longest gap between any two
received answers less the interval, with or without a failed probe in it.

Everything here is pure; :mod:`_probe` asks.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate
from re import Pattern
from typing import Any, NamedTuple

# Bytes of an HTTP answer that are read at most: the status and the backend's name stand at the start
MAX_ANSWER = 65536

_NO_ANSWER = math.inf


class Target(NamedTuple):
    """What to ask. The fields after `port` are of one kind each: http, then udp, then arp."""

    name: str
    kind: str  # a key of _probe's KINDS
    address: str  # an IP address
    port: int
    path: str = "/"
    host: str | None = None  # of the Host header; default: the address
    status: tuple[int, ...] = (200,)
    backend_header: str | None = None  # names the backend; default: the first line of the body does
    backend_regex: Pattern[str] | None = None  # picks the name out of that text: its first group, or all of the match
    payload: bytes = b"vip_probe\n"  # what is sent; any answer is a good one
    interface: str = ""  # on which to ask
    mac: str = ""  # of that interface


class Reply(NamedTuple):
    """What became of a probe. `error` is empty for a good answer, and begins with "local " if this host is to blame."""

    error: str
    backend: str = ""


# ---- the answers ---------------------------------------------------------------------------------------------------


def http_request(target: Target) -> bytes:
    """Return the request, in HTTP/1.0: no server may answer that in chunks (RFC 9112, section 6.1), and each closes."""
    host = target.host or (f"[{target.address.partition('%')[0]}]" if ":" in target.address else target.address)
    return f"GET {target.path} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\nUser-Agent: vip_probe\r\n\r\n".encode(
        "ascii"
    )


def named(target: Target, text: str) -> str:
    """Return the backend's name from the text that holds it, without what no terminal should be sent."""
    if target.backend_regex is not None:
        match = target.backend_regex.search(text)
        text = (match.group(1 if match.re.groups else 0) or "") if match else ""
    return "".join(c if c.isprintable() else "?" for c in text[:128])


def first_line(data: bytes) -> str:
    """Return the first line of an answer that is not empty, as text."""
    return data.lstrip().partition(b"\n")[0].strip().decode("utf-8", "replace")


def read_http(target: Target, data: bytes, ended: bool) -> Reply | None:
    """Return the reply in `data`, None while it is incomplete; `ended` says that nothing more will come. Never raises.

    Complete is an answer with all the bytes of its Content-Length, or without one when the server has closed, or when
    it is larger than this module cares to read.
    """
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank and not ended and len(data) < MAX_ANSWER:
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
        if len(body) < min(int(length), MAX_ANSWER):
            return Reply("cut off") if ended else None
        body = body[: int(length)]
    elif not ended and len(body) < MAX_ANSWER:
        return None
    if int(found.group(1)) not in target.status:
        return Reply(f"status {found.group(1).decode()}")
    header = target.backend_header
    return Reply("", named(target, first_line(body) if header is None else headers.get(header.lower(), "")))


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
    a failed one; `backends` who gave it. The docstring of the module defines start and length. Outages do not overlap,
    and each failed probe belongs to exactly one.
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
