# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""vip_probe: the reading of answers and the analysis."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.failover.vip.plugins.module_utils._live import _outages

LOST = math.inf
WEB = _outages.Target("WEB_VIP", "http", "192.0.2.100", 80)


# ---- the answers


@pytest.mark.parametrize(
    ("target", "host"),
    [
        (WEB, "192.0.2.100"),
        (WEB._replace(address="2001:db8::100"), "[2001:db8::100]"),
        (WEB._replace(address="fe80::1%eth0"), "[fe80::1]"),
        (WEB._replace(host="www.example.com"), "www.example.com"),
    ],
)
def test_request(target: _outages.Target, host: str) -> None:
    lines = _outages.http_request(target._replace(path="/healthz")).split(b"\r\n")
    assert lines[0] == b"GET /healthz HTTP/1.0"
    assert f"Host: {host}".encode() in lines
    assert lines[-2:] == [b"", b""]


OK = b"HTTP/1.1 200 OK\r\n"
HEADER = WEB._replace(backend_header="X-Backend")


@pytest.mark.parametrize(
    ("target", "data", "ended", "reply"),
    [
        pytest.param(WEB, b"", False, None, id="nothing yet"),
        pytest.param(WEB, b"", True, ("empty", ""), id="closed at once"),
        pytest.param(WEB, OK, False, None, id="half a head"),
        pytest.param(WEB, OK, True, ("broken", ""), id="no more than half a head"),
        pytest.param(WEB, b"220 mail.example.com\r\n\r\n", True, ("broken", ""), id="not HTTP"),
        pytest.param(WEB, b"HTTP/1.1 2000 OK\r\n\r\n", True, ("broken", ""), id="no status"),
        pytest.param(WEB, OK + b"\r\nrs11", False, None, id="no length, still open"),
        pytest.param(WEB, OK + b"\r\nrs11", True, ("", "rs11"), id="no length, closed"),
        pytest.param(WEB, OK + b"Content-Length: 5\r\n\r\nrs11", False, None, id="a byte is missing"),
        pytest.param(WEB, OK + b"Content-Length: 5\r\n\r\nrs11", True, ("cut off", ""), id="a byte will never come"),
        pytest.param(WEB, OK + b"content-length:5\r\n\r\nrs11\nX", False, ("", "rs11"), id="complete"),
        pytest.param(WEB, OK + b"Content-Length: 0\r\n\r\n", False, ("", ""), id="nobody named"),
        pytest.param(WEB, OK + b"Content-Length: -1\r\n\r\nrs11", True, ("", "rs11"), id="senseless length"),
        pytest.param(WEB, OK + b"\r\n\r\n\n  rs22 \r\nmore", True, ("", "rs22"), id="first line with text"),
        pytest.param(WEB, OK + b"\r\nrs\x1b[31m\xff", True, ("", "rs?[31m\ufffd"), id="control characters"),
        pytest.param(WEB, OK + b"\r\n" + b"x" * 65536, False, ("", "x" * 128), id="large"),
        pytest.param(WEB, b"HTTP/1.0 503 No\r\n\r\nrs11", True, ("status 503", ""), id="wrong status"),
        pytest.param(
            WEB._replace(status=(200, 503)), b"HTTP/1.0 503\r\n\r\nrs11", True, ("", "rs11"), id="right status"
        ),
        pytest.param(HEADER, OK + b"x-backend: ka1\r\n\r\n", True, ("", "ka1"), id="header"),
        pytest.param(HEADER, OK + b"\r\nrs11", True, ("", ""), id="header is missing"),
        pytest.param(
            WEB._replace(backend_regex=re.compile(r"by (\S+)")),
            OK + b"\r\nserved by rs11.",
            True,
            ("", "rs11."),
            id="group",
        ),
        pytest.param(
            WEB._replace(backend_regex=re.compile(r"rs\d")), OK + b"\r\n<h1>rs22", True, ("", "rs2"), id="match"
        ),
        pytest.param(WEB._replace(backend_regex=re.compile(r"(a)?b")), OK + b"\r\nb", True, ("", ""), id="empty group"),
        pytest.param(WEB._replace(backend_regex=re.compile("no")), OK + b"\r\nrs11", True, ("", ""), id="no match"),
    ],
)
def test_answers(target: _outages.Target, data: bytes, ended: bool, reply: tuple[str, str] | None) -> None:
    assert _outages.read_http(target, data, ended) == reply


@given(st.binary(max_size=300), st.booleans(), st.booleans())
def test_garbage_is_never_an_error(data: bytes, ended: bool, headed: bool) -> None:
    reply = _outages.read_http(HEADER if headed else WEB, (OK if headed else b"") + data, ended)
    assert reply is not None or not ended


# ---- the analysis


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([], [None] * 6),
        ([0.002], [2.0] * 6),
        ([n / 1000 for n in range(1, 101)], [1.0, 50.0, 90.0, 99.0, 100.0, 100.0]),
        ([n / 1000 for n in range(2000, 0, -1)], [1.0, 1000.0, 1800.0, 1980.0, 1998.0, 2000.0]),
    ],
)
def test_percentiles(times: list[float], expected: list[float | None]) -> None:
    assert list(_outages.percentiles(times).values()) == expected


@given(st.lists(st.floats(0, 100), min_size=1))
def test_percentiles_are_times_that_were_measured_and_ascend(times: list[float]) -> None:
    values = [value for value in _outages.percentiles(times).values() if value is not None]
    assert len(values) == len(_outages.percentiles(times))
    assert values == sorted(values)
    assert set(values) <= {round(t * 1000, 3) for t in times}
    assert (values[0], values[-1]) == (round(min(times) * 1000, 3), round(max(times) * 1000, 3))


def away(received: list[float], sent: list[float] | None = None) -> list[tuple[float, float, int, Any, Any]]:
    sent = sent or [float(n) for n in range(len(received))]
    names = ["" if r == LOST else f"rs{n}" for n, r in enumerate(received)]
    found = _outages.outages(sent, received, names, 1.0)
    return [tuple(outage.values()) for outage in found]


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([0.5, 1.5], [], id="never away"),
        pytest.param([0.5, LOST, LOST, 3.5], [(1.5, 2000.0, 2, "rs0", "rs3")], id="the gap less the pace"),
        pytest.param([0.5, LOST, 2.25], [(1.5, 750.0, 1, "rs0", "rs2")], id="a quicker answer after it"),
        pytest.param([0.5, LOST, 4.0], [(1.5, 2500.0, 1, "rs0", "rs2")], id="delivered late is away until then"),
        pytest.param([0.5, LOST, 9.0, 3.5], [(1.5, 2000.0, 1, "rs0", "rs2")], id="the first answer to come ends it"),
        pytest.param([4.0, 1.5, LOST, 3.5], [(5.0, 0.0, 1, "rs1", "rs3")], id="an old answer came after the new one"),
        pytest.param([LOST, LOST, 2.5], [(0.0, 2500.0, 2, None, "rs2")], id="away from the start"),
        pytest.param([0.5, LOST, LOST], [(1.5, 1500.0, 2, "rs0", None)], id="away at the end"),
        pytest.param([LOST, LOST], [(0.0, 2000.0, 2, None, None)], id="never there"),
        pytest.param(
            [0.5, LOST, 2.5, LOST, 4.5],
            [(1.5, 1000.0, 1, "rs0", "rs2"), (3.5, 1000.0, 1, "rs2", "rs4")],
            id="every other",
        ),
    ],
)
def test_outages(received: list[float], expected: list[Any]) -> None:
    assert away(received) == expected


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    """Departures, somewhat late, in order, and when the good answers came."""
    probes = draw(st.lists(st.tuples(st.floats(0, 3), st.none() | st.floats(0, 5)), max_size=60))
    sent: list[float] = []
    received: list[float] = []
    for number, (late, took) in enumerate(probes):
        sent.append(max([number + late, *sent[-1:]]))
        received.append(LOST if took is None else sent[-1] + took)
    return sent, received


@given(runs())
def test_outages_are_disjoint_and_ordered_and_share_out_the_failed_probes(run: tuple[list[float], list[float]]) -> None:
    sent, received = run
    found = away(received, sent)
    assert sum(outage[2] for outage in found) == received.count(LOST)
    assert all(outage[1] >= 0 and outage[2] > 0 for outage in found)
    ends = [start + length / 1000 for start, length, *_rest in found]
    assert all(ends[n - 1] <= found[n][0] + 0.001 for n in range(1, len(found)))
    for start, length, _failed, before, after in found:
        if length and before and after:
            inside = [r for r in received if start - 1.0 + 0.001 < r < start + length / 1000 - 0.001]
            assert not inside, "no good answer was received in the midst of an outage"
    gap = _outages.longest_gap(received, 1.0)
    assert all(length <= gap + 0.002 for _s, length, _f, before, after in found if before and after)


@given(
    phase=st.floats(0, 1, exclude_max=True),
    length=st.floats(1.001, 40),
    travel=st.floats(0, 3),
    start=st.floats(5, 20),
)
def test_length_is_true_but_for_one_interval(phase: float, length: float, travel: float, start: float) -> None:
    """A service that is away in [start, start + length) of a steady stream of probes, interval 1."""
    sent = [phase + n for n in range(80)]
    received = [LOST if start <= s < start + length else s + travel for s in sent]
    ((found, measured, failed, _before, _after),) = away(received, sent)
    assert abs(measured / 1000 - length) <= 1.001
    assert abs(found - travel - start) <= 1.001
    assert abs(failed - length) < 1.001


def test_summary_leaves_out_what_this_host_could_not_send() -> None:
    series = _outages.Series(WEB)
    good, own = _outages.Reply("", "rs11"), _outages.Reply("local EADDRNOTAVAIL")
    for number, (took, reply) in enumerate(
        [(0.002, good), (0.0, own), (0.5, _outages.Reply("timeout")), (0.004, good)]
    ):
        series.arrive(series.depart(number * 0.01), took, reply)
    series.depart(0.04)  # nobody knows: the run broke off
    found = _outages.summary(series, 0.01, epoch=1000.0)
    answer_ms = found.pop("answer_ms")
    assert (answer_ms["min"], answer_ms["max"]) == (2.0, 4.0)
    assert found == {
        "name": "WEB_VIP",
        "sent": 3,
        "failed": 1,
        "unsent": 2,
        "availability": 0.666667,
        "errors": {"timeout": 1},
        "outages": [{"start": 1000.012, "length_ms": 22.0, "failed_probes": 1, "before": "rs11", "after": "rs11"}],
        "longest_ms": 22.0,
        "longest_gap_ms": 22.0,
        "backends": {"rs11": 2},
    }


def test_names_without_end_do_not_fill_the_memory() -> None:
    series = _outages.Series(WEB)
    for number in range(10_100):
        series.arrive(series.depart(number), 0.0, _outages.Reply("", f"{number}"))
    names = _outages.summary(series, 1.0, 0.0)["backends"]
    assert (len(names), sum(names.values()), names["(others)"]) == (10_001, 10_100, 100)
