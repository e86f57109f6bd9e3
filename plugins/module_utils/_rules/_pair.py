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
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault, Group, Member, fault, groups
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, cluster_rule, group_rule


def _differing(group: Group, value: Callable[[Member], Any]) -> tuple[bool, str]:
    """Whether the members disagree, and 'ka1: 51, ka2: 52'."""
    values = [(member.host, value(member)) for member in group.members]
    differ = any(item != values[0][1] for _host, item in values)
    return differ, ", ".join("%s: %s" % (host, item) for host, item in values)


def _disagreement(
    group: Group, what: str, keyword: str, value: Callable[[Member], Any], shown: bool = True
) -> Iterator[Fault]:
    differ, listed = _differing(group, value)
    if differ:
        last = group.members[-1]
        hosts = ", ".join(member.host for member in group.members)
        yield fault(last.director, last.instance, "%s differs (%s)" % (what, listed if shown else hosts), keyword)


@group_rule(
    "KP001",
    ERROR,
    "virtual_router_id differs",
    "Use one virtual_router_id on all hosts of the instance.",
    "RFC 9568 section 5.2.3",
)
def vrid_differs(group: Group) -> Iterator[Fault]:
    """KP001."""
    yield from _disagreement(group, "virtual_router_id", "virtual_router_id", lambda m: m.instance.virtual_router_id)


@group_rule(
    "KP026",
    WARNING,
    "one instance under two names",
    "Use one name on all hosts.",
    "measured",
)
def name_differs(group: Group) -> Iterator[Fault]:
    """KP026."""
    yield from _disagreement(group, "the instance's name", "", lambda m: m.instance.name)


@group_rule(
    "KP002",
    ERROR,
    "authentication differs",
    "Use the same authentication on all hosts.",
    "RFC 2338 section 5.3.6",
)
def auth_differs(group: Group) -> Iterator[Fault]:
    """KP002: keepalived compares the first 8 characters (RFC 2338 section 5.3.6.1). The password is never shown."""
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
    """KP003 in version 2, where a differing interval is refused (RFC 3768 section 7.1)."""
    if any(member.director.version_of(member.instance) == 2 for member in group.members):
        yield from _disagreement(group, "advert_int", "advert_int", lambda m: m.instance.advert_int)


@group_rule(
    "KP003",
    WARNING,
    "advert_int differs (version 3)",
    "Use one advert_int on all hosts.",
    "RFC 9568 section 6.1",
)
def advert_int_differs_v3(group: Group) -> Iterator[Fault]:
    """KP003 in version 3, where the backup learns the master's interval (RFC 9568 section 6.1)."""
    if all(member.director.version_of(member.instance) == 3 for member in group.members):
        yield from _disagreement(group, "advert_int", "advert_int", lambda m: m.instance.advert_int)


@group_rule(
    "KP004",
    ERROR,
    "VRRP version differs",
    "Use one version on all hosts.",
    "RFC 9568 section 7.1",
)
def version_differs(group: Group) -> Iterator[Fault]:
    """KP004."""
    yield from _disagreement(group, "the VRRP version", "version", lambda m: m.director.version_of(m.instance))


@group_rule(
    "KP005",
    ERROR,
    "set of VIPs differs",
    "Use the same virtual_ipaddress on all hosts; what is needed on one only goes into virtual_ipaddress_excluded.",
    "measured",
)
def vips_differ(group: Group) -> Iterator[Fault]:
    """KP005."""
    yield from _disagreement(
        group,
        "the set of VIPs",
        "virtual_ipaddress",
        lambda m: " ".join(sorted(vip.address for vip in m.instance.vips)) or "none",
    )


@group_rule(
    "KP006",
    WARNING,
    "prefix of a VIP differs",
    "Write the same prefix everywhere.",
    "measured",
)
def prefix_differs(group: Group) -> Iterator[Fault]:
    """KP006: keepalived takes the full width where no prefix is written."""
    seen: dict[str, tuple[str, int]] = {}
    for member in group.members:
        for vip in member.instance.vips + member.instance.excluded_vips:
            prefix = vip.interface.network.prefixlen
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
    """KP007: unicast beside multicast, or two multicast groups."""

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
    "KP008",
    ERROR,
    "unicast peers not reciprocal",
    "List every other host's unicast_src_ip, and nothing else.",
    MAN + ", unicast_peer",
)
def peers_not_reciprocal(group: Group) -> Iterator[Fault]:
    """KP008 and KP009: every member is in the peer list of every other, and no peer is a stranger."""
    unicast = [member for member in group.members if member.instance.unicast_peer]
    sources = {member.instance.unicast_src_ip: member.host for member in unicast if member.instance.unicast_src_ip}
    if len(sources) < len(unicast):
        return  # KH016 or KP025 speaks of these.
    for member in unicast:
        peers = [peer.split()[0] for peer in member.instance.unicast_peer]
        for peer in peers:
            if peer not in sources:
                yield fault(
                    member.director,
                    member.instance,
                    "unicast_peer %s is the address of no host of this instance" % peer,
                    "unicast_peer",
                )
        for address, host in sources.items():
            if host != member.host and address not in peers:
                yield fault(
                    member.director,
                    member.instance,
                    "%s (%s) is missing in unicast_peer" % (host, address),
                    "unicast_peer",
                )


@group_rule(
    "KP025",
    ERROR,
    "one unicast_src_ip on two hosts",
    "Give each host its own address.",
    MAN + ", unicast_src_ip",
)
def source_address_shared(group: Group) -> Iterator[Fault]:
    """KP025."""
    seen: dict[str, str] = {}
    for member in group.members:
        source = member.instance.unicast_src_ip
        if source and seen.setdefault(source, member.host) != member.host:
            yield fault(
                member.director,
                member.instance,
                "unicast_src_ip %s is that of %s too" % (source, seen[source]),
                "unicast_src_ip",
            )


@group_rule(
    "KP010",
    WARNING,
    "equal priorities",
    "Give each host its own priority; to stop fail-back use nopreempt.",
    MAN + ", priority",
)
def priorities_equal(group: Group) -> Iterator[Fault]:
    """KP010."""
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
    """KP011."""
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
    """KP012."""
    yield from _disagreement(group, "nopreempt", "nopreempt", lambda m: "yes" if m.instance.nopreempt else "no")


@group_rule(
    "KP015",
    ERROR,
    "VIP is a host's own address",
    "Use an address that belongs to no host.",
    "measured",
)
def vip_is_a_hosts_own(group: Group) -> Iterator[Fault]:
    """KP015 and KH011: the primary address of a member's interface, which keepalived would take away."""
    for member in group.members:
        for other in group.members:
            interface = (other.director.interfaces or {}).get(other.instance.interface)
            own = {str(address.ip) for address in (interface.addresses[:1] if interface else ())} | {
                other.instance.unicast_src_ip
            }
            for vip in member.instance.vips + member.instance.excluded_vips:
                if vip.address in own:
                    yield fault(
                        member.director,
                        member.instance,
                        "VIP %s is the own address of %s" % (vip.address, other.host),
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
    """KP016."""
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
    """KP017."""
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
    """KP027."""
    owners = [member for member in group.members if member.instance.priority == OWNER_PRIORITY]
    if len(owners) > 1:
        yield fault(
            owners[-1].director,
            owners[-1].instance,
            "priority 255 on %s" % ", ".join(member.host for member in owners),
            "priority",
        )


@cluster_rule(
    "KP015",
    ERROR,
    "one VIP in two instances",
    "Leave it in one of them.",
    "measured",
)
def vip_in_two_instances(cluster: Cluster) -> Iterator[Fault]:
    """KP015 within the cluster: two instances that are not one, on different hosts, with one VIP."""
    seen: dict[str, Group] = {}
    for group in groups(cluster):
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


@cluster_rule(
    "KP024",
    INFO,
    "all VIPs at home on one host",
    "Vary the order of 'hosts' between the instances.",
    "ha practice",
)
def one_home_for_all(cluster: Cluster) -> Iterator[Fault]:
    """KP024: with several VIPs on the same hosts, one host is home to all of them."""
    homes: list[tuple[frozenset[str], str, str]] = []
    for group in groups(cluster):
        if len(group.members) > 1:
            best = max(group.members, key=lambda member: member.healthy_priority)
            homes.append((frozenset(member.host for member in group.members), best.host, group.name))
    for hosts in {hosts for hosts, _home, _name in homes}:
        same = [(home, name) for others, home, name in homes if others == hosts]
        if len(same) > 1 and len({home for home, _name in same}) == 1:
            names = ", ".join(sorted(name for _home, name in same))
            yield Fault("%s is home to all of %s, the other directors idle" % (same[0][0], names), same[0][0])
