# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""What a change of the configuration needs: nothing, a reload or a restart, and host by host or all at once.

Pure functions of two clusters, before and after. Whether hosts that are half-way still understand each other is asked
of the rules: each step of the roll-out is a cluster of its own, and a rule says whether it would have two holders.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, WARNING, Finding
from ansible_collections.failover.vip.plugins.module_utils._model import Block, Cluster, Director
from ansible_collections.failover.vip.plugins.module_utils._timers import bounds_of

#: What a host needs, from the least to the most.
NOTHING, RELOAD, RESTART = "nothing", "reload", "restart"
#: How a host's instance changes.
SAME, CHANGED, ADDED, REMOVED = "same", "changed", "added", "removed"
#: The rules whose errors mean that two hosts hold one VIP.
SPLITTING = frozenset(("KP001", "KP002", "KP003", "KP004", "KP005", "KP007", "KP008", "KP009", "KP023", "KP025"))
#: Keywords of global_defs that keepalived refuses to change at a reload (main.c, reload_config). Those outside all
#: blocks, net_namespace and its kin, are not in the model.
_FIXED = ("nftables", "nftables_ipvs", "tmp_config_directory", "disable_local_igmp")

Judge = Callable[[Cluster], Iterable[Finding]]


class HostStep(NamedTuple):
    """What one host needs."""

    action: str
    #: Why it needs a restart; empty: it does not.
    reasons: tuple[str, ...]
    #: Each instance of the host, before or after: same, changed, added or removed.
    instances: dict[str, str]


class Together(NamedTuple):
    """An instance whose hosts must all reload within a time, or two of them hold its VIPs."""

    instance: str
    #: The rules, as 'KP005 the set of VIPs differs (…)'.
    reason: str
    #: Seconds.
    window: float


class ReloadPlan(NamedTuple):
    """What a change needs. ``together`` empty: host by host will do."""

    hosts: dict[str, HostStep]
    together: tuple[Together, ...]

    @property
    def window(self) -> Optional[float]:
        """Seconds within which all hosts must reload; None: there is no hurry."""
        return min((one.window for one in self.together), default=None)

    @property
    def changing(self) -> list[str]:
        """The hosts that need something."""
        return [host for host, step in self.hosts.items() if step.action != NOTHING]

    def as_data(self) -> dict[str, Any]:
        """As a module returns it."""
        return {
            "hosts": {host: {**step._asdict(), "reasons": list(step.reasons)} for host, step in self.hosts.items()},
            "together": [one._asdict() for one in self.together],
            "window": self.window,
        }


def _said(blocks: Iterable[Block]) -> list[Any]:
    """What blocks say, without where they stand."""
    return [(type(block).__name__, block.name, block.options) for block in blocks]


def _balanced(director: Director) -> list[Any]:
    """The virtual servers as data, without where they stand."""
    found = []
    for server in director.virtual_servers:
        backends = [*server.real_servers, *([server.sorry_server] if server.sorry_server else [])]
        found.append(
            (
                (server.name, server.address, server.port, server.fwmark, server.group, server.options),
                [(one.name, one.address, one.port, one.options, _said(one.checks)) for one in backends],
                server.sorry_server is not None,
            )
        )
    groups = [(one.name, one.addresses, one.fwmarks, one.options) for one in director.virtual_server_groups]
    return [found, groups]


def _whole(director: Director) -> list[Any]:
    """All that a host's files say."""
    return [
        director.global_defs.options,
        _said(director.instances),
        _said(director.scripts),
        _said(director.files),
        _said(director.processes),
        _said(director.sync_groups),
        _balanced(director),
    ]


def _restarts(old: Director, new: Director) -> tuple[str, ...]:
    """Why the host must restart: what keepalived cannot change while it runs."""
    before, after = old.global_defs.options, new.global_defs.options
    found = ["%s changes" % name for name in _FIXED if before.get(name) != after.get(name)]
    if old.machine.release and new.machine.release and old.machine.release != new.machine.release:
        releases = [".".join(map(str, release)) for release in (old.machine.release, new.machine.release)]
        found.append("keepalived %s becomes %s" % tuple(releases))
    return tuple(found)


def _instances(old: Optional[Director], new: Optional[Director]) -> dict[str, str]:
    before = {one.name: one.options for one in old.instances} if old else {}
    after = {one.name: one.options for one in new.instances} if new else {}
    found = {}
    for name in [*after, *(name for name in before if name not in after)]:
        if name in before and name in after:
            found[name] = SAME if before[name] == after[name] else CHANGED
        else:
            found[name] = ADDED if name in after else REMOVED
    return found


def _step(old: Optional[Director], new: Optional[Director]) -> HostStep:
    """A host that joins starts, and one that leaves stops: neither interrupts a running keepalived."""
    instances = _instances(old, new)
    if old is None or new is None:
        return HostStep(RESTART, ("the host joins" if old is None else "the host leaves",), instances)
    reasons = _restarts(old, new)
    if reasons:
        return HostStep(RESTART, reasons, instances)
    return HostStep(NOTHING if _whole(old) == _whole(new) else RELOAD, (), instances)


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.rule, finding.instance, finding.message


def _sources(cluster: Cluster) -> dict[tuple[str, str], str]:
    """The source address of each instance on each host."""
    return {
        (host, one.name): one.unicast_src_ip
        for host, director in cluster.directors.items()
        for one in director.instances
    }


def _half_way(old: Cluster, new: Cluster, order: Sequence[str]) -> Iterable[Cluster]:
    """The cluster after each host of the order but the last.

    Only what a host runs before and after is compared: what joins comes last, when all others know it, and what leaves
    stops in good order. So neither is a mismatch, nor is it one that some already list it as a peer and others do not.
    """
    before, after = _sources(old), _sources(new)
    shared = before.keys() & after.keys()
    passing = {(name, source) for both in (before, after) for (_host, name), source in both.items() if source}
    passing -= {(name, both[(host, name)]) for both in (before, after) for host, name in shared}

    def part(host: str, cluster: Cluster) -> Director:
        kept = []
        for one in cluster.directors[host].instances:
            if (host, one.name) in shared:
                peers = [peer for peer in one.unicast_peer if (one.name, peer.split()[0]) not in passing]
                options = {**one.options, "unicast_peer": peers} if one.unicast_peer else one.options
                kept.append(replace(one, options=options))
        return replace(cluster.directors[host], instances=kept)

    both = [host for host in order if host in old.directors and host in new.directors]
    for done in range(1, len(both)):
        changed = set(both[:done])
        yield Cluster({host: part(host, new if host in changed else old) for host in both})


def _window(cluster: Cluster, name: str) -> float:
    """Seconds from the first reload to the second holder, at the soonest.

    The hosts that still have the old configuration drop the changed one's advertisements. keepalived sends one right
    before it reloads, so the quickest of them waits a whole Active_Down_Interval (RFC 9568 section 6.1).
    """
    times = [
        bounds_of(director, instance).crash_max
        for director in cluster.directors.values()
        for instance in director.instances
        if instance.name == name
    ]
    return min(times, default=0.0)


def reload_plan(old: Cluster, new: Cluster, judge: Judge, order: Sequence[str] = ()) -> ReloadPlan:
    """What it takes to get from one configuration to the other.

    :param judge: gives a cluster's findings; those of the rules in SPLITTING mean two holders.
    :param order: in which the hosts would change; default: that of the cluster.
    """
    hosts = [*new.directors, *(host for host in old.directors if host not in new.directors)]
    steps = {host: _step(old.directors.get(host), new.directors.get(host)) for host in hosts}
    sequence = [host for host in (order or hosts) if host in steps]
    sequence += [host for host in hosts if host not in sequence]
    known = {_key(finding) for cluster in (old, new) for finding in judge(cluster)}
    reasons: dict[str, str] = {}
    if any(step.action != NOTHING for step in steps.values()):
        for cluster in _half_way(old, new, sequence):
            for finding in judge(cluster):
                if finding.rule in SPLITTING and finding.severity == ERROR and _key(finding) not in known:
                    reasons.setdefault(finding.instance, "%s %s" % (finding.rule, finding.message))
    together = [Together(name, reason, _window(old, name)) for name, reason in reasons.items()]
    return ReloadPlan(steps, tuple(sorted(together)))


def findings(plan: ReloadPlan, serial: int, requested: Optional[Mapping[str, str]] = None) -> list[Finding]:
    """What is wrong with a roll-out: KP021 and KE009.

    :param serial: how many hosts change at once.
    :param requested: what is going to be done to each host, as RELOAD or RESTART; default: what the plan says.
    """
    found = []
    if plan.together and serial < len(plan.changing):
        found += [
            Finding(
                "KP021",
                ERROR,
                "%s must reload on all of %s within %.2f s, not %d at a time: half-way, %s"
                % (one.instance, ", ".join(plan.changing), one.window, serial, one.reason),
                "Reload all at once, for example at a time set in reload_time_file.",
                instance=one.instance,
            )
            for one in plan.together
        ]
    for host, action in (requested or {}).items():
        step = plan.hosts.get(host)
        if action == RESTART and step is not None and step.action == RELOAD:
            found.append(
                Finding(
                    "KE009",
                    WARNING,
                    "keepalived on %s is restarted for a change that a reload makes" % host,
                    "Reload it: a restart gives the VIPs away and may take them back.",
                    host=host,
                )
            )
    return found
