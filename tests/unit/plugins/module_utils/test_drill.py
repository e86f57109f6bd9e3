# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The verdict on a drill: what is promised, what was seen, and every way in which the two may differ."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.module_utils._drill import expected, noticed_after, record, summary
from ansible_collections.failover.vip.plugins.module_utils._model import Block, Director, Track, Tracked, VrrpInstance
from ansible_collections.failover.vip.plugins.module_utils._timers import bounds

VIP = "172.25.254.100"
#: 0.85 to 0.9 s after a crash.
TIMERS = {"advert_int": 0.05, "down_timer_adverts": 18}


def director(host: str, priority: int) -> Director:
    check = Tracked("chk", {"interval": 1, "fall": 2, "timeout": 0.5, "weight": Track("", -30)})
    instance = VrrpInstance("WEB_VIP", {**TIMERS, "priority": priority, "track_script": [Track("chk")]})
    return Director(host, Block("", {"vrrp_version": 3}), [instance], [check])


def outage(start: float, length_ms: float) -> dict[str, Any]:
    return {"start": start, "length_ms": length_ms, "failed_probes": 1, "before": "rs11", "after": "rs22"}


def seen(host: str, held: bool, *events: tuple[float, bool]) -> dict[str, Any]:
    found = [{"at": at, "held": there} for at, there in events]
    log = ["2026-11-22T16:12:00 %s Keepalived_vrrp[8]: (WEB_VIP) Entering MASTER STATE" % host, "of no interest"]
    return {
        "began": 100.0,
        "ended": 120.0,
        "log": log,
        "vips": [{"address": VIP, "held_at_first": held, "events": found}],
    }


def states() -> list[dict[str, Any]]:
    rows = [("ka1", "MASTER", [VIP]), ("ka2", "BACKUP", [])]
    return [
        {"item": host, "instances": [{"name": "WEB_VIP", "state": state, "held": held, "nopreempt": False}]}
        for host, state, held in rows
    ]


def crash() -> dict[str, Any]:
    """The arguments of a crash of ka1 at 105 that heals at 110, as it should go."""
    probe = {
        "interval_ms": 5.0,
        "pace": {"late_ms": {"max": 1.0}},
        "targets": [
            {
                "name": "WEB_VIP",
                "outages": [outage(105.001, 880.0)],
                "longest_gap_ms": 880.0,
                "longest_ms": 880.0,
                "sent": 4000,
                "failed": 176,
                "availability": 0.956,
                "answer_ms": {"p99": 3.0},
                "backends": {"rs11": 1912, "rs22": 1912},
            },
            {"name": "DB_VIP", "sent": 4000, "failed": 0, "longest_ms": 0.0},
        ],
    }
    return {
        "instance": "WEB_VIP",
        "vip": VIP,
        "fault": "link_down",
        "director": "ka1",
        "directors": {"ka1": director("ka1", 254), "ka2": director("ka2", 253)},
        "probe": probe,
        "watches": {
            "ka1": seen("ka1", True, (105.1, False), (110.02, True)),
            "ka2": seen("ka2", False, (105.88, True), (110.03, False)),
        },
        "broken_at": 105.0,
        "healed_at": 110.0,
        "states": {"before": states(), "after": states()},
    }


def test_a_crash_as_promised() -> None:
    found = record(**crash())
    assert (found["passed"], found["doubts"]) == (True, [])
    assert (found["away_ms"], found["back_ms"]) == (880.0, 0.0)
    assert (found["expected"]["low_ms"], found["expected"]["high_ms"]) == (850.6, 900.6)
    assert [part["holders"] for part in found["holders"]] == [["ka1"], [], ["ka2"], ["ka1", "ka2"], ["ka1"]]
    assert (found["none_ms"], found["doubled_ms"]) == (780.0, 10.0)
    assert found["others"] == [{"name": "DB_VIP", "sent": 4000, "failed": 0, "longest_ms": 0.0}]
    assert [entry["host"] for entry in found["log"]] == ["ka1", "ka2"]


def change(**arguments: Any) -> Callable[[dict[str, Any]], None]:
    return lambda given: given.update(arguments)


def outages(*found: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    return lambda given: given["probe"]["targets"][0].update(outages=list(found))


def moved(given: dict[str, Any]) -> None:
    given["states"]["after"][1]["instances"][0]["state"] = "MASTER"


def late(late_ms: float) -> Callable[[dict[str, Any]], None]:
    return lambda given: given["probe"]["pace"]["late_ms"].update(max=late_ms)


def doubled(given: dict[str, Any]) -> None:
    given["fault"] = "stop"
    given["probe"]["targets"][0]["outages"] = []
    given["watches"]["ka2"] = seen("ka2", False, (103.0, True))
    given["watches"]["ka1"] = seen("ka1", True)


@pytest.mark.parametrize(
    ("alter", "doubt"),
    [
        (outages(outage(105.001, 1100.0)), "away for 1100 ms, more than 901 ms and 101 ms"),
        (outages(outage(110.5, 150.0)), "away for 150 ms at the return"),
        (outages(outage(103.0, 400.0)), "the client missed answers before the fault began"),
        (change(broken_at=None), "the fault did not happen"),
        (moved, "not as before: WEB_VIP is MASTER on ka2"),
        (late(1001.0), "the client sent a request 1001 ms late"),
        (doubled, "two holders for 17000 ms"),
    ],
)
def test_every_doubt_is_told(alter: Callable[[dict[str, Any]], None], doubt: str) -> None:
    given = crash()
    alter(given)
    found = record(**given)
    assert not found["passed"]
    assert any(text.startswith(doubt) for text in found["doubts"]), found["doubts"]


def test_what_the_client_itself_was_late_is_not_the_services() -> None:
    given = crash()
    outages(outage(105.001, 1100.0))(given)
    late(99.0)(given)
    assert not record(**given)["passed"]
    late(101.0)(given)
    assert record(**given)["passed"]


def test_two_holders_while_one_is_cut_off_are_no_doubt() -> None:
    given = crash()
    given["fault"] = "isolate"
    given["watches"]["ka1"] = seen("ka1", True)
    assert record(**given)["passed"]
    # But one that goes on a second after the network is whole is a split brain.
    given["watches"]["ka2"] = seen("ka2", False, (105.88, True))
    assert any("two holders" in doubt for doubt in record(**given)["doubts"])


def test_with_nopreempt_it_stays_where_it_went() -> None:
    given = crash()
    for when in ("before", "after"):
        for answer in given["states"][when]:
            answer["instances"][0]["nopreempt"] = True
    moved(given)
    assert record(**given)["passed"]


def test_what_is_promised() -> None:
    promise = bounds(3, 0.05, 18, 253)
    noticed = noticed_after(director("ka1", 254), director("ka1", 254).instances[0])
    assert noticed == 2.5
    seconds = {
        fault: expected(fault, promise, noticed)[:2] for fault in ("link_down", "kill", "stop", "service", "reload")
    }
    assert seconds == {
        "link_down": (850.6, 900.6),
        "kill": (0.0, 900.6),
        "stop": (0.0, 0.6),
        "service": (0.0, 3400.6),
        "reload": (0.0, 0.0),
    }


def test_summary() -> None:
    one = record(**crash())
    other = {**copy.deepcopy(one), "fault": "stop", "away_ms": 12.0, "passed": False}
    found = summary([one, other], 12)
    assert (found["drills"], found["passed"], found["crashes"]) == (2, 1, 1)
    assert (found["crash_mean_ms"], found["crash_max_ms"], found["planned_max_ms"]) == (880.0, 880.0, 12.0)
    # 12 crashes of 0.88 s a year; MTBF a twelfth of the year.
    assert found["downtime_seconds_a_year"] == 10.6
    assert found["mtbf_hours"] == 730.5
    assert found["availability"] == pytest.approx(1 - 0.88 / (730.5 * 3600), abs=1e-9)
    assert summary([other], 12)["availability"] is None
    assert summary([], 12)["drill_availability"] is None


def test_what_is_missed_long_after_the_return_is_not_the_return() -> None:
    given = crash()
    outages(outage(105.001, 880.0), outage(114.0, 500.0))(given)
    assert record(**given)["passed"]


def test_a_director_without_power_leaves_no_watch_of_its_own() -> None:
    given = crash()
    given["fault"] = "power_off"
    del given["watches"]["ka1"]
    found = record(**given)
    assert found["passed"], found["doubts"]
    assert [part["holders"] for part in found["holders"]] == [["ka1"], [], ["ka2"], ["ka1"]]
