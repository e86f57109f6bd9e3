# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about weights: does a failed check really move the VIP?

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR
from ansible_collections.failover.vip.plugins.module_utils._model import OWNER_PRIORITY
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault, Group, fault, weights
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, group_rule


def _losses(group: Group, tie: bool) -> Iterator[Fault]:
    """Each single failed check on each member, against the next healthy one.

    keepalived adds a positive weight while the check is well and a negative one while it fails (keepalived.conf(5),
    track_script); either way the failure costs the weight's absolute value. A reversed weight gains instead, and a
    track_file's depends on what stands in the file: neither is judged here.
    """
    ranked = sorted(group.members, key=lambda member: -member.healthy_priority)
    for position, member in enumerate(ranked[:-1]):
        if member.instance.priority == OWNER_PRIORITY or member.instance.nopreempt:
            continue  # KH018 and KH003 speak of these.
        following = ranked[position + 1]
        gap = member.healthy_priority - following.healthy_priority
        for keyword, name, weight, reverse in weights(member.director, member.instance):
            if keyword == "track_file" or reverse:
                continue
            loss = abs(weight)
            if tie and loss == gap and gap:
                yield fault(
                    member.director,
                    member.instance,
                    "when %s fails (weight %d), %s ties with %s at %d"
                    % (name, weight, member.host, following.host, following.healthy_priority),
                    keyword,
                    "Make the weight at least %d, or bring the priorities closer." % (gap + 1),
                )
            elif not tie and loss < gap:
                yield fault(
                    member.director,
                    member.instance,
                    "when %s fails (weight %d), %s still has %d and %s only %d: no failover"
                    % (
                        name,
                        weight,
                        member.host,
                        member.healthy_priority - loss,
                        following.host,
                        following.healthy_priority,
                    ),
                    keyword,
                    "Make the weight at least %d, or bring the priorities closer." % (gap + 1),
                )


@group_rule(
    "KP018",
    ERROR,
    "weight smaller than the priority gap",
    "Make the weight larger than the gap.",
    MAN + ", weight",
)
def weight_below_the_gap(group: Group) -> Iterator[Fault]:
    """KP018."""
    yield from _losses(group, tie=False)


@group_rule(
    "KP019",
    ERROR,
    "weight equal to the priority gap",
    "Make the weight larger than the gap.",
    MAN + ", weight",
)
def weight_ties(group: Group) -> Iterator[Fault]:
    """KP019."""
    yield from _losses(group, tie=True)
