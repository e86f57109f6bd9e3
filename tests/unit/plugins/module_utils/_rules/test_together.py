# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The rules about keywords that do not go together."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.module_utils._model import Block, Cluster, Vip
from ansible_collections.failover.vip.plugins.module_utils._rules import _together
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import check
from ansible_collections.failover.vip.tests.unit.plugins.module_utils._rules.cases import (
    Case,
    Change,
    complete,
    everywhere,
    find,
    healthy,
    on,
)


def bfd(**options: Any) -> Change:
    """A session of ka1 with ka2."""

    def change(cluster: Cluster) -> None:
        own = {"neighbor_ip": "172.25.254.60", "source_ip": "172.25.254.50", **options}
        cluster.directors["ka1"].bfd_instances.append(Block("peer", own))

    return change


V6 = {"neighbor_ip": "2001:db8::60", "source_ip": "2001:db8::50"}

CASES: list[Case] = [
    ("KH052", "error", "use_ipvlan has no address", on("ka1", use_ipvlan=["ipvl51", "bridge"])),
    ("KH052", "error", "use_ipvlan has no address", on("ka1", use_ipvlan=[])),
    ("KH053", "warning", "is on at priority 254", on("ka1", owner_ignore_adverts=True)),
    ("KH053", "warning", "is off at priority 255", on("ka1", priority=255, owner_ignore_adverts=False)),
    ("KH054", "warning", "max_hops 6 is above its TTL of 5", bfd(max_hops=6, ttl=5)),
    ("KH054", "warning", "max_hops 65 is above its TTL of 64", bfd(**V6, max_hops=65)),
]

ACCEPTED: list[tuple[str, Change]] = [
    ("an address", on("ka1", use_ipvlan=["ipvl51", "172.25.254.51/24"])),
    ("IPv6", everywhere(use_ipvlan=[], virtual_ipaddress=[Vip("2001:db8::100", 64)])),
    ("the owner", on("ka1", priority=255, owner_ignore_adverts=True)),
    ("nobody's", on("ka1", owner_ignore_adverts=False)),
    ("hops within", bfd(max_hops=5, hoplimit=5)),
    ("hops within keepalived's own", bfd(**V6, max_hops=64)),
]


@pytest.mark.parametrize("case", CASES, ids=["%s-%s" % case[:2] for case in CASES])
def test_found(case: Case) -> None:
    find(case)


@pytest.mark.parametrize(("name", "change"), ACCEPTED, ids=[name for name, _change in ACCEPTED])
def test_accepted(name: str, change: Change) -> None:
    cluster = healthy()
    change(cluster)
    ours = {case[0] for case in CASES}
    assert [finding.text() for finding in check(cluster) if finding.rule in ours] == []


def test_every_rule_has_a_case() -> None:
    complete(_together, CASES)
