# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The protocol's promises, and the presets built on them."""

from __future__ import annotations

import pytest

from ansible_collections.failover.vip.plugins.module_utils._model import Block, Director, Machine, VrrpInstance
from ansible_collections.failover.vip.plugins.module_utils._timers import (
    PRESETS,
    SUBSECOND_GLOBAL_DEFS,
    Bounds,
    bounds,
    bounds_of,
    down_timer_adverts,
    preset_options,
)


@pytest.mark.parametrize(
    ("version", "advert_int", "adverts", "priority", "expected"),
    [
        # RFC 3768 section 6.1: the skew counts in 256ths of a second, whatever the interval.
        (2, 1, 3, 100, Bounds(0.609375, 2.609375, 3.609375)),
        (2, 4, 3, 100, Bounds(0.609375, 8.609375, 12.609375)),
        # RFC 9568 section 6.1: in 256ths of the interval.
        (3, 0.1, 3, 100, Bounds(0.0609375, 0.2609375, 0.3609375)),
        (3, 0.05, 18, 253, Bounds(0.0005859375, 0.8505859375, 0.9005859375)),
    ],
)
def test_bounds(version: int, advert_int: float, adverts: int, priority: int, expected: Bounds) -> None:
    assert bounds(version, advert_int, adverts, priority) == pytest.approx(expected)


def test_bounds_of_an_instance() -> None:
    director = Director("ka2", Block("", {"vrrp_version": 3, "vrrp_down_timer_adverts": 5}))
    instance = VrrpInstance("WEB_VIP", {"priority": 253, "advert_int": 0.1})
    assert bounds_of(director, instance) == bounds(3, 0.1, 5, 253)
    instance.options["down_timer_adverts"] = 9
    assert bounds_of(director, instance) == bounds(3, 0.1, 9, 253)


def test_an_old_release_counts_to_three() -> None:
    instance = VrrpInstance("WEB_VIP", {"down_timer_adverts": 9})
    for release, adverts in ((None, 9), ((2, 2, 3), 9), ((2, 2, 2), 3)):
        assert down_timer_adverts(Director("ka2", machine=Machine(release)), instance) == adverts


def test_running_late_is_noticed_before_any_backup_loses_its_patience() -> None:
    shortest = min(chosen.advert_int * chosen.down_timer_adverts for chosen in PRESETS.values())
    assert SUBSECOND_GLOBAL_DEFS["min_auto_priority_delay"] / 1e6 < shortest / 2


@pytest.mark.parametrize(("preset", "limit"), [("safe", 3.01), ("standard", 1.0), ("fast", 0.15)])
def test_a_preset_keeps_its_promise(preset: str, limit: float) -> None:
    chosen = PRESETS[preset]
    # keepalived counts in hundredths of a second (RFC 9568 section 5.2.7), from 1.
    assert chosen.advert_int * 100 == pytest.approx(round(chosen.advert_int * 100))
    assert chosen.advert_int >= 0.01
    assert bounds(3, chosen.advert_int, chosen.down_timer_adverts, 253).crash_max <= limit
    # Where keepalived has no down_timer_adverts, the wait is about the same, and never a shorter one than promised.
    assert 0.95 <= 3 * chosen.advert_int_alone / (chosen.advert_int * chosen.down_timer_adverts) <= 1.05


def test_a_preset_fills_in_what_nobody_set() -> None:
    both = {"advert_int": 0.05, "down_timer_adverts": 18}
    assert preset_options("standard", 3, {}) == both
    assert preset_options("standard", 3, {}, (2, 2, 3)) == both
    assert preset_options("standard", 3, {}, (2, 1, 5)) == {"advert_int": 0.3}
    # Half a pair of numbers would be neither the user's nor the preset's.
    assert preset_options("standard", 3, {"advert_int": 1}) == {}
    assert preset_options("standard", 3, {"down_timer_adverts": 5}) == {}
    assert preset_options("standard", 2, {}) == {}
    assert preset_options("", 3, {}) == {}
