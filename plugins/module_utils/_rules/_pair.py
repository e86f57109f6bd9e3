# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules that compare the hosts of one VRRP instance, or of the whole cluster (KP…).

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, INFO, WARNING
from ansible_collections.failover.vip.plugins.module_utils._model import OWNER_PRIORITY, Cluster
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import (
    Fault,
    Group,
    Member,
    fault,
    takes_other_vips,
)
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import (
    MAN,
    cluster_rule,
    group_rule,
    groups_rule,
)
from ansible_collections.failover.vip.plugins.module_utils._timers import down_timer_adverts


def _disagreement(
    group: Group, what: str, keyword: str, value: Callable[[Member], Any], shown: bool = True
) -> Iterator[Fault]:
    """'virtual_router_id differs (ka1: 51, ka2: 52)', if it does; not shown: only the hosts."""
    values = [value(member) for member in group.members]
    if values.count(values[0]) < len(values):
        last = group.members[-1]
        listed = [
            "%s: %s" % (member.host, item) if shown else member.host for member, item in zip(group.members, values)
        ]
        yield fault(last.director, last.instance, "%s differs (%s)" % (what, ", ".join(listed)), keyword)


@group_rule(
    "KP001",
    ERROR,
    "virtual_router_id differs",
    "Use one virtual_router_id on all hosts of the instance.",
    "RFC 9568 section 5.2.3",
)
def vrid_differs(group: Group) -> Iterator[Fault]:
    """A director only listens to advertisements of its own virtual_router_id, so each of the two hears nobody.

    Both take the VIP a little after they start, and each file alone passes ``keepalived -t``. Measured: both hold it,
    and no log says why.
    """
    yield from _disagreement(group, "virtual_router_id", "virtual_router_id", lambda m: m.instance.virtual_router_id)


@group_rule(
    "KP026",
    WARNING,
    "one instance under two names",
    "Use one name on all hosts.",
    "measured",
)
def name_differs(group: Group) -> Iterator[Fault]:
    """The name never leaves the host, so VRRP works; what goes by the name does not.

    Notify scripts, sync groups, the FIFO and everybody who reads two logs side by side take them for two instances. It
    is also how a copy that nobody finished looks.
    """
    yield from _disagreement(group, "the instance's name", "", lambda m: m.instance.name)


@group_rule(
    "KP002",
    ERROR,
    "authentication differs",
    "Use the same authentication on all hosts.",
    "RFC 2338 section 5.3.6",
)
def auth_differs(group: Group) -> Iterator[Fault]:
    """A router drops what comes with another password, another type, or with a password where it has none.

    Measured: both hold the VIP, in all three cases; the logs say 'invalid passwd' or 'received a 0 auth'. Only the
    first 8 characters count (RFC 2338 section 5.3.6.1), so passwords that differ later agree. The password itself is
    never shown.
    """
    yield from _disagreement(group, "auth_type", "authentication", lambda m: m.instance.auth_type or "none")
    yield from _disagreement(
        group,
        "auth_pass",
        "authentication",
        lambda m: m.instance.auth_pass[:8] if not m.instance.auth_pass.startswith("%%") else m.instance.auth_pass,
        shown=False,
    )


@group_rule(
    "KP003",
    ERROR,
    "advert_int differs (version 2)",
    "Use one advert_int on all hosts.",
    "RFC 3768 section 7.1",
)
def advert_int_differs_v2(group: Group) -> Iterator[Fault]:
    """In version 2 the interval is part of what a receiver compares, and another one is refused (RFC 3768, 7.1).

    Measured with 1 and 2 seconds: both hold the VIP.
    """
    if any(member.version == 2 for member in group.members):
        yield from _disagreement(group, "advert_int", "advert_int", lambda m: m.instance.advert_int)


@group_rule(
    "KP003",
    WARNING,
    "advert_int differs (version 3)",
    "Use one advert_int on all hosts.",
    "RFC 9568 section 6.1",
)
def advert_int_differs_v3(group: Group) -> Iterator[Fault]:
    """In version 3 a backup learns the interval from the master's advertisements (RFC 9568 section 6.1).

    Measured with 1 and 0.5 seconds: one holder. But how long a failover takes then depends on which of them was master.
    """
    if all(member.version == 3 for member in group.members):
        yield from _disagreement(group, "advert_int", "advert_int", lambda m: m.instance.advert_int)


@group_rule(
    "KP030",
    WARNING,
    "down_timer_adverts differs",
    "Use one down_timer_adverts on all hosts of the instance, with a keepalived of 2.2.3 or later on each.",
    MAN + ", down_timer_adverts",
)
def down_timer_adverts_differ(group: Group) -> Iterator[Fault]:
    """Each backup counts for itself how many advertisements must be missing, and no advertisement says how many.

    The most impatient one takes the VIP first, whatever its priority, and the best one then takes it from there; where
    packets get lost it also takes it while nothing is wrong. Which wait a failover has depends on which host was
    master. Where nothing is written it is 3, as in RFC 9568 and in any keepalived before 2.2.3.
    """
    yield from _disagreement(
        group,
        "down_timer_adverts",
        "down_timer_adverts",
        lambda m: down_timer_adverts(m.director, m.instance),
    )


@group_rule(
    "KP004",
    ERROR,
    "VRRP version differs",
    "Use one version on all hosts.",
    "RFC 9568 section 7.1",
)
def version_differs(group: Group) -> Iterator[Fault]:
    """Versions 2 and 3 are different protocols on one number: each drops what the other sends.

    Measured: both hold the VIP, the logs say 'wrong version'. An instance of IPv6 addresses is always version 3.
    """
    yield from _disagreement(group, "the VRRP version", "version", lambda m: m.version)


@group_rule(
    "KP005",
    ERROR,
    "set of VIPs differs",
    "Use the same virtual_ipaddress on all hosts; what is needed on one only goes into virtual_ipaddress_excluded.",
    "measured",
)
def vips_differ(group: Group) -> Iterator[Fault]:
    """A backup compares the addresses in an advertisement with its own, and drops the advertisement if they differ.

    Measured with one VIP more on one side, and with another address: both hold what they have. Their order and their
    prefixes do not matter. It happens in passing too, while a VIP is added host by host. Addresses in
    virtual_ipaddress_excluded are not compared.

    Since 2.3.3 the advertisement is taken and the difference only counted: measured, one holder. It is a warning where
    all hosts are known to be that new: a VIP that the next holder does not have is gone with the failover.
    """
    for found in _disagreement(
        group,
        "the set of VIPs",
        "virtual_ipaddress",
        lambda m: " ".join(sorted(vip.address for vip in m.instance.vips)) or "none",
    ):
        if takes_other_vips(group):
            message = found.message + "; keepalived since 2.3.3 lets one host hold, with its own VIPs and no others"
            yield found._replace(message=message, severity=WARNING)
        else:
            yield found


@group_rule(
    "KP006",
    WARNING,
    "prefix of a VIP differs",
    "Write the same prefix everywhere.",
    "measured",
)
def prefix_differs(group: Group) -> Iterator[Fault]:
    """The prefix is not in the advertisement, so only somebody who reads both files can see it.

    Measured: one holder, but after a failover the interface has another route, or none:
    keepalived takes the full width, /32, where no prefix is written.
    """
    seen: dict[str, tuple[str, int]] = {}
    for member in group.members:
        for vip in member.instance.vips + member.instance.excluded_vips:
            prefix = vip.prefixlen if vip.prefixlen is not None else 128 if ":" in vip.address else 32
            host, other = seen.setdefault(vip.address, (member.host, prefix))
            if other != prefix:
                yield fault(
                    member.director,
                    member.instance,
                    "VIP %s is /%d on %s and /%d on %s" % (vip.address, other, host, prefix, member.host),
                    "virtual_ipaddress",
                )


@group_rule(
    "KP007",
    ERROR,
    "transport differs",
    "Use unicast, or one multicast group, on all hosts.",
    "measured",
)
def transport_differs(group: Group) -> Iterator[Fault]:
    """One sends to a group that the other has not joined, or to an address while the other waits for the group.

    Measured for unicast beside multicast and for two groups: both hold the VIP, without a word in the logs.
    """

    def transport(member: Member) -> str:
        if member.instance.unicast_peer:
            return "unicast"
        options, defaults = member.instance.options, member.director.global_defs.options
        default = "224.0.0.18" if member.instance.family == 4 else "ff02::12"
        return "multicast to %s" % (
            options.get("mcast_dst_ip") or defaults.get("vrrp_mcast_group%d" % member.instance.family) or default
        )

    yield from _disagreement(group, "the transport", "unicast_peer", transport)


@group_rule(
    "KP010",
    WARNING,
    "equal priorities",
    "Give each host its own priority; to stop fail-back use nopreempt.",
    MAN + ", priority",
)
def priorities_equal(group: Group) -> Iterator[Fault]:
    """The higher address decides then (RFC 9568 section 6.4.3), which nobody reads off the files.

    Measured: one holder. But who it is changes with the order in which they start, and after a split brain heals the
    VIP may move once more.
    """
    seen: dict[int, str] = {}
    for member in group.members:
        priority = member.instance.priority
        if seen.setdefault(priority, member.host) != member.host:
            yield fault(
                member.director,
                member.instance,
                "priority %d is that of %s too" % (priority, seen[priority]),
                "priority",
            )


@group_rule(
    "KP011",
    WARNING,
    "more than one state MASTER",
    "Start all as BACKUP, or one as MASTER.",
    "measured",
)
def two_masters_at_start(group: Group) -> Iterator[Fault]:
    """state only says what a host tries to be when it starts; the priority decides.

    Measured: one holder. With two of them the VIP may be on both for a moment at boot, and then moves.
    """
    masters = [member for member in group.members if member.instance.state == "MASTER"]
    if len(masters) > 1:
        hosts = ", ".join(member.host for member in masters)
        yield fault(masters[-1].director, masters[-1].instance, "state MASTER on %s" % hosts, "state")


@group_rule(
    "KP012",
    WARNING,
    "nopreempt on some hosts only",
    "Set it on all hosts of the instance, or on none.",
    MAN + ", nopreempt",
)
def nopreempt_on_some(group: Group) -> Iterator[Fault]:
    """The host without it takes the VIP back when it returns, the one with it does not: whether a VIP stays after a
    failover depends on which host failed.
    """
    yield from _disagreement(group, "nopreempt", "nopreempt", lambda m: "yes" if m.instance.nopreempt else "no")


@group_rule(
    "KP015",
    ERROR,
    "VIP is a host's own address",
    "Use an address that belongs to no host.",
    "measured",
)
def vip_is_a_hosts_own(group: Group) -> Iterator[Fault]:
    """The first address of a member's interface, or its source of advertisements.

    keepalived removes the VIPs from an interface when it starts and when it gives them up, so the host would lose its
    own address, and with it the way to it.
    """
    own: dict[str, list[str]] = {}
    for other in group.members:
        interface = (other.director.interfaces or {}).get(other.instance.interface)
        addresses = {str(address.ip) for address in (interface.addresses[:1] if interface else ())}
        for address in sorted(addresses | {other.instance.unicast_src_ip}):
            own.setdefault(address, []).append(other.host)
    for member in group.members:
        for vip in member.instance.vips + member.instance.excluded_vips:
            for host in own.get(vip.address, ()):
                yield fault(
                    member.director,
                    member.instance,
                    "VIP %s is the own address of %s" % (vip.address, host),
                    "virtual_ipaddress",
                )


@cluster_rule(
    "KP016",
    WARNING,
    "router_id shared",
    "Give each host its own router_id.",
    MAN + ", router_id",
)
def router_id_shared(cluster: Cluster) -> Iterator[Fault]:
    """router_id names the host in mails and in SNMP. With one name on two hosts an alert does not say who sent it."""
    seen: dict[str, str] = {}
    for director in cluster.directors.values():
        name = str(director.global_defs.options.get("router_id", ""))
        if name and seen.setdefault(name, director.host) != director.host:
            yield Fault(
                "router_id %s is that of %s too" % (name, seen[name]),
                director.host,
                origin=director.global_defs.place("router_id"),
            )


@group_rule(
    "KP017",
    WARNING,
    "instance on one host only",
    "Add a second director.",
    "RFC 9568 section 1",
)
def alone(group: Group) -> Iterator[Fault]:
    """VRRP without a second router is an address with a delay: when the host is gone, so is the VIP."""
    if len(group.members) == 1:
        member = group.members[0]
        yield fault(member.director, member.instance, "only %s runs this instance: nobody takes over" % member.host)


@group_rule(
    "KP027",
    ERROR,
    "priority 255 on two hosts",
    "Only the owner of the address may have 255.",
    "RFC 9568 section 6.1",
)
def owner_on_two_hosts(group: Group) -> Iterator[Fault]:
    """255 belongs to the router that owns the address, and there can be one (RFC 9568 section 6.1).

    Measured: it resolves itself, with a CONFIGURATION ERROR in the log and a priority lowered to 254 until the next
    start. Until then both held it.
    """
    owners = [member for member in group.members if member.instance.priority == OWNER_PRIORITY]
    if len(owners) > 1:
        yield fault(
            owners[-1].director,
            owners[-1].instance,
            "priority 255 on %s" % ", ".join(member.host for member in owners),
            "priority",
        )


@groups_rule(
    "KP015",
    ERROR,
    "one VIP in two instances",
    "Leave it in one of them.",
    "measured",
)
def vip_in_two_instances(instances: list[Group]) -> Iterator[Fault]:
    """Two instances that are not one have the same VIP on different hosts: each has its own master, and both answer."""
    seen: dict[str, Group] = {}
    for group in instances:
        for member in group.members:
            for vip in member.instance.vips + member.instance.excluded_vips:
                other = seen.setdefault(vip.address, group)
                if other is not group and not {m.host for m in other.members} & {member.host}:
                    yield fault(
                        member.director,
                        member.instance,
                        "VIP %s belongs to %s too" % (vip.address, other.name),
                        "virtual_ipaddress",
                    )


@groups_rule(
    "KP024",
    INFO,
    "all VIPs at home on one host",
    "Vary the order of 'hosts' between the instances.",
    "ha practice",
)
def one_home_for_all(instances: list[Group]) -> Iterator[Fault]:
    """With several VIPs the directors can share the work: each VIP at home on another of them.

    Here one host carries all of it while all is well. That is right where the standby shall stay idle.
    """
    homes: list[tuple[frozenset[str], str, str]] = []
    for group in instances:
        if len(group.members) > 1:
            best = max(group.members, key=lambda member: member.healthy_priority)
            homes.append((frozenset(member.host for member in group.members), best.host, group.name))
    for hosts in {hosts for hosts, _home, _name in homes}:
        same = [(home, name) for others, home, name in homes if others == hosts]
        if len(same) > 1 and len({home for home, _name in same}) == 1:
            names = ", ".join(sorted(name for _home, name in same))
            yield Fault("%s is home to all of %s, the other directors idle" % (same[0][0], names), same[0][0])
