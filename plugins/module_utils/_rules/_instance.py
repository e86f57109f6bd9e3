# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about how one host runs its VRRP instances: states, priorities, timers, groups.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, INFO, WARNING
from ansible_collections.failover.vip.plugins.module_utils._model import OWNER_PRIORITY, Director, VrrpInstance
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault, fault, weights
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, host_rule

#: Seconds of silence; a busy machine alone can be that late.
_SHORT_WAIT = 1.0
#: keepalived.conf(5), min_auto_priority_delay: microseconds.
_MIN_AUTO_PRIORITY_DELAY = 1_000_000
#: keepalived.conf(5), down_timer_adverts.
_DOWN_TIMER_ADVERTS = 3


@host_rule(
    "KH001",
    ERROR,
    "nopreempt with state MASTER",
    "Set state BACKUP on every host (the default here).",
    MAN + ", nopreempt",
)
def nopreempt_with_master(director: Director) -> Iterator[Fault]:
    """keepalived gives nopreempt up when the instance starts as MASTER, and says so only in its log.

    The director that returns then takes the VIP back at once, which is the extra move that nopreempt was meant to
    prevent. With BACKUP on every host the VIP stays where it is; who starts first is decided by priority alone.
    """
    for instance in director.instances:
        if instance.nopreempt and instance.state == "MASTER":
            yield fault(
                director,
                instance,
                "nopreempt together with state MASTER: keepalived ignores nopreempt and the VIP moves back",
                "state",
            )


@host_rule(
    "KH002",
    ERROR,
    "preempt_delay without effect",
    "Drop preempt_delay, or drop nopreempt and state MASTER.",
    MAN + ", preempt_delay",
)
def preempt_delay_without_effect(director: Director) -> Iterator[Fault]:
    """The delay postpones taking the VIP back from a director of lower priority.

    With nopreempt nothing is ever taken back, and an instance that starts as MASTER does not wait either, so the delay
    is read and never used. Whoever counted on it sees the VIP return while the services behind it are still starting.
    """
    for instance in director.instances:
        if instance.preempt_delay and instance.nopreempt:
            yield fault(
                director,
                instance,
                "preempt_delay together with nopreempt: there is no preemption to delay",
                "preempt_delay",
            )
        elif instance.preempt_delay and instance.state == "MASTER":
            yield fault(
                director,
                instance,
                "preempt_delay together with state MASTER: keepalived drops the delay",
                "preempt_delay",
            )


@host_rule(
    "KH003",
    ERROR,
    "nopreempt with weighted checks",
    "Drop the weight, so that a failed check means FAULT, or drop nopreempt.",
    "measured",
)
def nopreempt_with_weights(director: Director) -> Iterator[Fault]:
    """A weighted check that fails only lowers the priority, and with nopreempt no other director may take over from a
    master that still speaks.

    The VIP stays on the director whose service is dead, for as long as keepalived itself lives. A check without weight
    puts the instance into FAULT instead, and then the others do take over.
    """
    for instance in director.instances:
        moving = [name for _keyword, name, _weight, _reverse in weights(director, instance)]
        if instance.nopreempt and moving:
            yield fault(
                director,
                instance,
                "nopreempt together with the weighted check %s: the priority falls, but nobody may take over"
                % ", ".join(moving),
                "nopreempt",
            )


@host_rule(
    "KH008",
    ERROR,
    "vrrp_strict with what it forbids",
    "Drop vrrp_strict, or set accept and drop the rest.",
    MAN + ", vrrp_strict",
)
def strict_with_what_it_forbids(director: Director) -> Iterator[Fault]:
    """In strict mode keepalived follows the RFC to the letter: it refuses unicast peers and authentication, and drops
    the preemption delay.

    It also blocks every packet to a VIP unless the instance is the address owner or accept is set, so the VIP is up and
    answers not even ping.
    """
    everywhere = bool(director.global_defs.options.get("vrrp_strict"))
    for instance in director.instances:
        if not instance.options.get("strict_mode", everywhere):
            continue
        clashes = [
            word
            for word, there in (
                ("unicast_peer", instance.unicast_peer),
                ("authentication", instance.auth_type),
                ("preempt_delay", instance.preempt_delay),
            )
            if there
        ]
        if clashes:
            yield fault(director, instance, "vrrp_strict together with %s" % ", ".join(clashes), "strict_mode")
        if not instance.options.get("accept"):
            yield fault(director, instance, "vrrp_strict without accept: the VIP answers nobody", "strict_mode")


@host_rule(
    "KH013",
    WARNING,
    "one VRID on two ports of a bridge",
    "Give each instance its own virtual_router_id.",
    "RFC 9568 section 5.2.3",
)
def vrid_twice_on_one_bridge(director: Director) -> Iterator[Fault]:
    """A bridge makes one network of its ports, so both instances hear each other and take it for their own router.

    keepalived compares VRIDs per interface only and accepts it. Advertisements of the one then move the other.
    """
    bridges = director.machine.facts.get("bridges") or {}
    first: dict[tuple[str, int, int], VrrpInstance] = {}
    for instance in director.instances:
        bridge = bridges.get(instance.interface, instance.interface if instance.interface in bridges.values() else "")
        if not bridge or not instance.virtual_router_id:
            continue
        other = first.setdefault((bridge, instance.family, instance.virtual_router_id), instance)
        if other.interface != instance.interface:
            yield fault(
                director,
                instance,
                "virtual_router_id %d is that of %s on %s too, and %s and %s are bridged by %s"
                % (
                    instance.virtual_router_id,
                    other.name,
                    other.interface,
                    other.interface,
                    instance.interface,
                    bridge,
                ),
                "virtual_router_id",
            )


@host_rule(
    "KH018",
    WARNING,
    "priority 255 with weights or nopreempt",
    "Use a priority from 1 to 254.",
    MAN + ", priority",
)
def owner_with_weights(director: Director) -> Iterator[Fault]:
    """Priority 255 belongs to the router that owns the address for good: it becomes master at once, whoever speaks, and
    no weight changes it.

    Checks of such an instance are run and have no say.
    """
    for instance in director.instances:
        if instance.priority == OWNER_PRIORITY and (instance.nopreempt or weights(director, instance)):
            yield fault(
                director, instance, "priority 255 is never moved by a check and never waits for a peer", "priority"
            )


@host_rule(
    "KH019",
    WARNING,
    "priority and weights leave 1 to 254",
    "Choose priorities and weights whose sums stay within 1 to 254.",
    MAN + ", weight",
)
def clamped_priority(director: Director) -> Iterator[Fault]:
    """keepalived keeps the effective priority between 1 and 254, whatever the weights add up to.

    At the edge two different sums become the same number, and then the higher address decides who is master instead of
    the check.
    """
    for instance in director.instances:
        if instance.priority == OWNER_PRIORITY:
            continue
        moving = [
            (weight if not reverse else -weight)
            for keyword, _name, weight, reverse in weights(director, instance)
            if keyword != "track_file"
        ]
        highest = instance.priority + sum(weight for weight in moving if weight > 0)
        lowest = instance.priority + sum(weight for weight in moving if weight < 0)
        if highest > 254:
            yield fault(
                director,
                instance,
                "priority %d plus its weights is %d and is cut to 254" % (instance.priority, highest),
                "priority",
            )
        if lowest < 1:
            yield fault(
                director,
                instance,
                "priority %d less its weights is %d and is cut to 1" % (instance.priority, lowest),
                "priority",
            )


@host_rule(
    "KH021",
    ERROR,
    "track of something undefined",
    "Define it, or correct the name.",
    "keepalived vrrp.c",
)
def undefined_track(director: Director) -> Iterator[Fault]:
    """keepalived's test reports the name, but the daemon starts all the same and leaves the line out.

    The check that should move the VIP is then simply not there.
    """
    for instance in director.instances:
        for keyword, track, definition in director.tracks_of(instance):
            if definition is None and keyword != "track_interface":
                yield fault(
                    director, instance, "%s names %s, which is defined nowhere" % (keyword, track.name), keyword
                )
        for track in instance.options.get("track_bfd", []):
            if track.name not in {bfd.name for bfd in director.bfd_instances}:
                yield fault(
                    director, instance, "track_bfd names %s, which is defined nowhere" % track.name, "track_bfd"
                )


@host_rule(
    "KH031",
    ERROR,
    "sync group with missing members",
    "Name two or more instances of this host.",
    "keepalived vrrp_sync.c",
)
def sync_group_of_strangers(director: Director) -> Iterator[Fault]:
    """A group needs at least two members of this host; with fewer keepalived drops it, and instances that should move
    together no longer do.

    That shows at the next partial failure, as an address on the inside that stayed behind while the outside moved.
    """
    names = {instance.name for instance in director.instances}
    for group in director.sync_groups:
        unknown = [name for name in group.group if name not in names]
        if unknown:
            yield Fault(
                "vrrp_sync_group %s names %s, which is no instance of this host" % (group.name, ", ".join(unknown)),
                director.host,
                group.name,
                group.place("group"),
            )
        elif len(group.group) < 2:
            yield Fault(
                "vrrp_sync_group %s has fewer than two members" % group.name,
                director.host,
                group.name,
                group.place("group"),
            )


@host_rule(
    "KH037",
    INFO,
    "failures that the instance cannot see",
    "Drop dont_track_primary, or set unicast_fault_no_peer.",
    MAN + ", dont_track_primary and unicast_fault_no_peer",
)
def blind_to_its_own_failure(director: Director) -> Iterator[Fault]:
    """With dont_track_primary the instance stays master while its link is dead, and a second master appears beyond it.

    It is meant for back-to-back links, and there another interface should be tracked. An empty list of peers, as a
    template leaves it when it finds no other host, makes keepalived speak multicast; unicast_fault_no_peer makes it
    stop instead.
    """
    for instance in director.instances:
        options = instance.options
        if options.get("dont_track_primary") and not options.get("track_interface"):
            yield fault(
                director,
                instance,
                "dont_track_primary, and no interface is tracked: a dead link leaves this host master",
                "dont_track_primary",
            )
        if options.get("unicast_peer") == [] and not options.get("unicast_fault_no_peer"):
            yield fault(
                director,
                instance,
                "unicast_peer is empty, so keepalived speaks multicast",
                "unicast_peer",
            )


@host_rule(
    "KH038",
    WARNING,
    "short adverts without a process priority",
    "Set vrrp_rt_priority, or max_auto_priority with a min_auto_priority_delay below that time, in global_defs.",
    MAN + ", max_auto_priority",
)
def short_adverts_at_normal_priority(director: Director) -> Iterator[Fault]:
    """A director that gets no processor for less than a second is here already taken for dead, and its VIP moves.

    A backup waits three intervals, or down_timer_adverts of them. keepalived can run with real-time priority always
    (vrrp_rt_priority), or raise its priority by itself once it notices that it runs late (max_auto_priority); by
    default it does neither. What it takes for late is min_auto_priority_delay, by default a whole second: too long
    where the peer has taken over by then.
    """
    options = director.global_defs.options
    if options.get("vrrp_rt_priority") or options.get("vrrp_priority"):
        return
    late = int(options.get("min_auto_priority_delay") or _MIN_AUTO_PRIORITY_DELAY) / 1_000_000
    raised = bool(options.get("max_auto_priority"))
    for instance in director.instances:
        adverts = instance.options.get("down_timer_adverts", options.get("vrrp_down_timer_adverts"))
        wait = instance.advert_int * (adverts or _DOWN_TIMER_ADVERTS)
        if wait < _SHORT_WAIT and not (raised and late < wait):
            yield fault(
                director,
                instance,
                "advert_int %g s, and keepalived runs with the priority of any other process%s: "
                "the peer takes over after %.2g s without the processor"
                % (instance.advert_int, " until it is late by %g s" % late if raised else "", wait),
                "advert_int",
            )


@host_rule(
    "KH043",
    ERROR,
    "one VRID twice on an interface",
    "Give each instance of an interface its own virtual_router_id.",
    "RFC 9568 section 5.2.3",
)
def vrid_twice_on_one_interface(director: Director) -> Iterator[Fault]:
    """Both instances put the same virtual router on one network and hear each other's advertisements as their own.

    keepalived refuses the second one when it reads its configuration.
    """
    holder: dict[tuple[str, int, int], str] = {}
    for instance in director.instances:
        if not instance.virtual_router_id:
            continue
        key = (instance.interface, instance.family, instance.virtual_router_id)
        other = holder.setdefault(key, instance.name)
        if other != instance.name:
            yield fault(
                director,
                instance,
                "virtual_router_id %d is already that of %s on %s"
                % (instance.virtual_router_id, other, instance.interface),
                "virtual_router_id",
            )


@host_rule(
    "KH044",
    ERROR,
    "instance without a necessary keyword",
    "Add it.",
    MAN + ", vrrp_instance",
)
def keyword_missing(director: Director) -> Iterator[Fault]:
    """Without these keywords there is no virtual router: nothing to announce, no number to announce it under, or
    nowhere to do so.

    keepalived drops the instance when it starts.
    """
    for instance in director.instances:
        for keyword, there in (
            ("virtual_router_id", instance.virtual_router_id),
            ("interface", instance.interface or instance.unicast_peer),
            ("virtual_ipaddress", instance.vips or instance.options.get("no_virtual_ipaddress")),
        ):
            if not there:
                yield fault(director, instance, "has no %s" % keyword)


@host_rule(
    "KH047",
    ERROR,
    "advert_int outside the version's range",
    "Use whole seconds in version 2, and up to 40.95 s in version 3.",
    "RFC 9568 section 5.2.7",
)
def fraction_in_version_2(director: Director) -> Iterator[Fault]:
    """Version 2 counts the interval in whole seconds, up to 255, and version 3 in hundredths up to 40.95 s, as that is
    all the packet has room for.

    keepalived rounds or refuses what does not fit, and a director that does it differently from its peer drops the
    peer's advertisements.
    """
    for instance in director.instances:
        version = director.version_of(instance)
        if version == 2 and instance.advert_int != int(instance.advert_int):
            yield fault(
                director,
                instance,
                "advert_int %g s in VRRP version 2, which knows whole seconds" % instance.advert_int,
                "advert_int",
            )
        if version == 3 and instance.advert_int > 40.95:
            yield fault(
                director,
                instance,
                "advert_int %g s in VRRP version 3, which ends at 40.95 s" % instance.advert_int,
                "advert_int",
            )
