# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""benchmarks/soak.py: what it counts and plans. The run itself is `make soak`."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.module_utils._live._holders import Interval, Timeline
from ansible_collections.failover.vip.plugins.module_utils._timers import PRESETS, bounds, bounds_of

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "soak.py"


@pytest.fixture(name="soak", scope="module")
def _soak() -> Any:
    spec = importlib.util.spec_from_file_location("soak", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    path = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = path
    return module


@pytest.mark.parametrize(
    ("holders", "alarms"),
    [
        (["ka1"], 0),
        (["ka1", "ka1 ka2", "ka1"], 1),
        (["ka1", "", "ka2", "ka1"], 1),
        (["ka1", "ka2", "ka1", "ka1 ka2"], 2),
        (["ka2", "ka1"], 1),
    ],
)
def test_false_alarms(soak: Any, holders: list[str], alarms: int) -> None:
    intervals = tuple(Interval(0.0, 1.0, frozenset(names.split())) for names in holders)
    assert soak.false_alarms(Timeline(soak.VIP, intervals), "ka1") == alarms


def test_alarms_by_chance(soak: Any) -> None:
    # Half of them lost: of 800 intervals half begin after one that arrived, and one in eight of these loses three.
    assert soak.expected_alarms(3, 0.5, 800.0, 1.0) == pytest.approx(50)


def test_what_is_measured_is_what_the_plan_writes(soak: Any) -> None:
    for setting in soak.SETTINGS:
        cluster = soak.planned(setting)
        backup = cluster.directors["ka2"]
        preset = PRESETS.get(setting.timers)
        advert_int = preset.advert_int if preset else setting.options["advert_int"]
        adverts = preset.down_timer_adverts if preset else 3
        assert bounds_of(backup, backup.instances[0]) == bounds(3, advert_int, adverts, 253)
    assert {setting.timers for setting in soak.SETTINGS} == {"", *PRESETS}
    assert {setting.name for setting in soak.SETTINGS if setting.kept} == {"safe", "standard"}
