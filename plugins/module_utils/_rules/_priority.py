# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""keepalived's arithmetic of priorities: what an instance tracks on a host, and what each failure makes of it.

As keepalived 2.2 computes it (vrrp_track.c, track_file.c, and what vrrp.c makes of weights in a sync group or beside
priority 255); ``tests/oracle/test_holders.py`` compares it with the daemon.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Optional

from ansible_collections.failover.vip.plugins.module_utils._model import (
    OWNER_PRIORITY,
    Director,
    SyncGroup,
    Track,
    Tracked,
    VrrpInstance,
)

#: The effective priority is kept within these (vrrp_set_effective_priority).
LOWEST, HIGHEST = 1, 254
#: A tracked file whose number times its weight comes to this means FAULT; the other end is 253.
FILE_FAULT, FILE_MOST = -254, 253
#: The keywords of an instance that name checks.
_TRACKS = frozenset(("track_script", "track_file", "track_process", "track_interface"))
#: The weight of a track_file that has none (keepalived.conf(5), track_file).
FILE_WEIGHT = 1


class Check(NamedTuple):
    """One thing that an instance tracks on one host, with the weight that counts there."""

    keyword: str
    name: str
    weight: int = 0
    reverse: bool = False

    def change(self, state: int) -> Optional[int]:
        """What it adds to the priority; None: the instance is in FAULT.

        :param state: 0 while all is well and 1 after a failure; of a track_file the number that stands in it.
        """
        signed = -self.weight if self.reverse else self.weight
        if self.keyword == "track_file" and self.weight:
            moved = max(FILE_FAULT, min(FILE_MOST, state * signed))
            return None if moved == FILE_FAULT else moved
        if not self.weight:
            return None if bool(state) != self.reverse else 0
        # A positive weight is there while all is well, a negative one after a failure.
        return signed if bool(state) == (self.weight < 0) else 0

    @property
    def worst(self) -> int:
        """The state in which it costs most: a failure; of a weighted file the number that lowers the priority most.

        Such a file is a lever rather than a check, so its number is taken as low as it goes without FAULT.
        """
        if self.keyword != "track_file" or not self.weight:
            return 1
        most = max(1, (-FILE_FAULT - 1) // abs(self.weight))
        return most if (self.weight < 0) != self.reverse else -most


def _weight(keyword: str, track: Track, definition: Optional[Tracked]) -> tuple[int, bool]:
    if track.weight is not None:
        return track.weight, track.reverse
    if definition is None:
        return 0, track.reverse
    if keyword == "track_file" and "weight" not in definition.options:
        return FILE_WEIGHT, track.reverse
    return definition.weight, track.reverse or definition.reverse


def sync_group_of(director: Director, instance: VrrpInstance) -> Optional[SyncGroup]:
    """The sync group that the instance is in: the first that names it, as keepalived has it."""
    return next((group for group in director.sync_groups if instance.name in group.group), None)


def _of_instance(director: Director, instance: VrrpInstance, group: Optional[SyncGroup]) -> list[Check]:
    """What the instance itself names; weights vanish in a sync group and beside priority 255 (vrrp.c)."""
    owner = instance.priority == OWNER_PRIORITY
    synced = group is not None and not group.options.get("sync_group_tracking_weight")
    found: list[Check] = []
    if _TRACKS.isdisjoint(instance.options):
        return found
    for keyword, track, definition in director.tracks_of(instance):
        if definition is None and keyword != "track_interface":
            continue  # KH021 speaks of it: keepalived ignores the line.
        weight, reverse = _weight(keyword, track, definition)
        if weight and (owner or synced):
            if (keyword == "track_interface" and synced) or (keyword == "track_file" and weight == FILE_WEIGHT):
                weight = 0
            elif owner or keyword != "track_process":
                continue
        found.append(Check(keyword, track.name, weight, reverse))
    return found


def _of_group(director: Director, group: SyncGroup) -> list[Check]:
    """What the sync group names for all its members; weights count unless one of them has priority 255."""
    owner = any(instance.priority == OWNER_PRIORITY for instance in director.instances if instance.name in group.group)
    found = []
    for keyword, track, definition in director.tracks_of(VrrpInstance(group.name, group.options)):
        if definition is not None or keyword == "track_interface":
            weight, reverse = _weight(keyword, track, definition)
            found.append(Check(keyword, track.name, 0 if owner else weight, reverse))
    return found


def checks_of(director: Director, instance: VrrpInstance) -> list[Check]:
    """All that the instance tracks on this host, its own interface and those of its VIPs among it.

    Where one thing is named twice, the second weight counts, unless the first is 0 (add_vrrp_to_interface and its kin).
    """
    group = sync_group_of(director, instance)
    named = _of_instance(director, instance, group)
    if instance.interface and not instance.options.get("dont_track_primary"):
        named.append(Check("track_interface", instance.interface))
    devices = {vip.dev for vip in instance.vips + instance.excluded_vips if vip.dev and "no_track" not in vip.flags}
    named += [Check("track_interface", name) for name in sorted(devices - {instance.interface})]
    if group is not None:
        named += _of_group(director, group)
    elif len(named) < 2:
        return named
    found: dict[tuple[str, str], Check] = {}
    for check in named:
        first = found.get((check.keyword, check.name))
        if first is None or first.weight:
            found[(check.keyword, check.name)] = check
    return list(found.values())


def priority(base: int, checks: list[Check], states: Mapping[tuple[str, str], int]) -> Optional[int]:
    """The effective priority; None: FAULT.

    :param states: of what is not well, by (keyword, name); see :meth:`Check.change`.
    """
    changes = [check.change(states.get((check.keyword, check.name), 0)) for check in checks]
    if any(change is None for change in changes):
        return None
    if base == OWNER_PRIORITY:
        return base
    return max(LOWEST, min(HIGHEST, base + sum(change for change in changes if change)))
