# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules that need one host's configuration alone (KH…).

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, WARNING
from ansible_collections.failover.vip.plugins.module_utils._model import OWNER_PRIORITY, Block, Director, Tracked
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import (
    Fault,
    fault,
    networks,
    vip_network,
    weights,
)
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, host_rule

#: Passwords that stand in manuals, lessons and other projects' defaults.
KNOWN_PASSWORDS = frozenset(
    ("changeme", "k8s", "1ce24b6e", "password", "passw0rd", "secret", "keepaliv", "12345678", "11111111", "k@l!ve1")
)
#: The keywords that run a command.
_COMMANDS = (
    "startup_script",
    "shutdown_script",
    "notify_fifo_script",
    "vrrp_notify_fifo_script",
    "lvs_notify_fifo_script",
)


@host_rule(
    "KH001",
    ERROR,
    "nopreempt with state MASTER",
    "Set state BACKUP on every host (the default here).",
    MAN + ", nopreempt",
)
def nopreempt_with_master(director: Director) -> Iterator[Fault]:
    """KH001."""
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
    """KH002."""
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
    """KH003."""
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
    "KH005",
    ERROR,
    "auth_pass longer than 8 characters",
    "Use at most 8 characters.",
    MAN + ", auth_pass",
)
def auth_pass_too_long(director: Director) -> Iterator[Fault]:
    """KH005."""
    for instance in director.instances:
        if len(instance.auth_pass) > 8 and not instance.auth_pass.startswith("%%"):
            yield fault(
                director,
                instance,
                "auth_pass has %d characters, keepalived uses the first 8" % len(instance.auth_pass),
                "authentication",
            )


@host_rule(
    "KH007",
    WARNING,
    "weak password",
    "Drop the authentication and use unicast with a firewall, or take 8 random characters for each instance.",
    "RFC 3768 section 10",
)
def weak_password(director: Director) -> Iterator[Fault]:
    """KH007: it crosses the network as it is (RFC 3768 section 10), and keeps out mistakes only."""
    for instance in director.instances:
        password = instance.auth_pass
        if not password or password.startswith("%%"):
            continue
        if password in KNOWN_PASSWORDS or len(password) < 8:
            why = "has %d characters" % len(password) if len(password) < 8 else "stands in other people's manuals"
            yield fault(
                director, instance, "auth_pass goes over the network as plain text, and %s" % why, "authentication"
            )


def _running(director: Director) -> Iterator[tuple[Block, str]]:
    """Every block with a keyword of it that runs a command."""
    for script in director.scripts:
        yield script, "script"
    blocks: list[Block] = [director.global_defs, *director.instances, *director.sync_groups]
    for block in blocks:
        for keyword in block.options:
            if keyword in _COMMANDS or (keyword.startswith("notify") and isinstance(block.options[keyword], str)):
                yield block, keyword


@host_rule(
    "KH026",
    ERROR,
    "scripts without enable_script_security",
    "Add enable_script_security to global_defs.",
    MAN + ", enable_script_security",
)
def scripts_without_security(director: Director) -> Iterator[Fault]:
    """KH026."""
    if director.global_defs.options.get("enable_script_security"):
        return
    for block, keyword in _running(director):
        yield Fault(
            "%s runs a script, and enable_script_security is not set" % (block.name or "global_defs"),
            director.host,
            origin=block.place(keyword),
        )
        return


@host_rule(
    "KH027",
    WARNING,
    "scripts run as root",
    "Give them a user of their own, as script_user keepalived_script.",
    MAN + ", SCRIPTS",
)
def scripts_as_root(director: Director) -> Iterator[Fault]:
    """KH027."""
    user = director.global_defs.options.get("script_user") or []
    if user[:1] == ["root"] and next(_running(director), None):
        yield Fault(
            "script_user root: all scripts run as root", director.host, origin=director.global_defs.place("script_user")
        )
    for script in director.scripts:
        if (script.options.get("user") or [""])[0] == "root":
            yield Fault("vrrp_script %s runs as root" % script.name, director.host, origin=script.place("user"))


@host_rule(
    "KH048",
    ERROR,
    "smtp_server that is no host",
    "Set the address of the mail server, as 127.0.0.1 for one on this host.",
    MAN + ", smtp_server",
)
def smtp_server_that_is_none(director: Director) -> Iterator[Fault]:
    """KH048."""
    server = (director.global_defs.options.get("smtp_server") or [""])[0]
    try:
        address = ipaddress.ip_address(server)
    except ValueError:
        return  # A name: what it stands for is the resolver's matter.
    if (
        address.is_unspecified
        or address.is_multicast
        or address.is_reserved
        or address == ipaddress.ip_address("127.0.0.0")
    ):
        yield Fault(
            "smtp_server %s is no host's address: no mail is ever delivered" % server,
            director.host,
            origin=director.global_defs.place("smtp_server"),
        )


@host_rule(
    "KH006",
    ERROR,
    "authentication with VRRP version 3",
    "Drop the authentication, or set vrrp_version 2; unicast and a firewall protect better.",
    "RFC 9568 section 9",
)
def auth_with_version_3(director: Director) -> Iterator[Fault]:
    """KH006."""
    for instance in director.instances:
        if instance.auth_type and director.version_of(instance) == 3:
            yield fault(
                director,
                instance,
                "authentication with VRRP version 3, which has none: keepalived refuses it",
                "authentication",
            )


@host_rule(
    "KH008",
    ERROR,
    "vrrp_strict with what it forbids",
    "Drop vrrp_strict, or set accept and drop the rest.",
    MAN + ", vrrp_strict",
)
def strict_with_what_it_forbids(director: Director) -> Iterator[Fault]:
    """KH008."""
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
    "KH009",
    WARNING,
    "VIP without a prefix length",
    "Write it as address/prefix.",
    MAN + ", virtual_ipaddress",
)
def vip_without_prefix(director: Director) -> Iterator[Fault]:
    """KH009."""
    for instance in director.instances:
        for vip in instance.vips + instance.excluded_vips:
            if vip.prefixlen is None:
                width = 128 if ":" in vip.address else 32
                yield fault(
                    director,
                    instance,
                    "VIP %s has no prefix length and becomes /%d" % (vip.address, width),
                    "virtual_ipaddress",
                )


@host_rule(
    "KH010",
    ERROR,
    "VIP outside its interface's subnet",
    "Use a free host address of a subnet of that interface, or set dev.",
    "measured",
)
def vip_outside_its_subnet(director: Director) -> Iterator[Fault]:
    """KH010."""
    if director.interfaces is None:
        return
    for instance in director.instances:
        for vip in instance.vips + instance.excluded_vips:
            dev = vip.dev or instance.interface
            there = [network for network in networks(director, dev) if network.version == vip.ip.version]
            network = vip_network(vip, director, instance)
            if network is None:
                if dev in director.interfaces:
                    listed = ", ".join(str(item) for item in there) or "none of IPv%d" % vip.ip.version
                    yield fault(
                        director,
                        instance,
                        "VIP %s is in no subnet of %s (%s)" % (vip.address, dev, listed),
                        "virtual_ipaddress",
                    )
            elif (
                network.version == 4
                and network.num_addresses > 2
                and vip.ip in (network.network_address, network.broadcast_address)
            ):
                kind = "network" if vip.ip == network.network_address else "broadcast"
                yield fault(
                    director,
                    instance,
                    "VIP %s is the %s address of %s" % (vip.address, kind, network),
                    "virtual_ipaddress",
                )


@host_rule(
    "KH012",
    ERROR,
    "one VIP in two instances of a host",
    "Leave it in one of them.",
    "measured",
)
def vip_twice_on_one_host(director: Director) -> Iterator[Fault]:
    """KH012."""
    holder: dict[str, str] = {}
    for instance in director.instances:
        for vip in instance.vips + instance.excluded_vips:
            other = holder.setdefault(vip.address, instance.name)
            if other != instance.name:
                yield fault(director, instance, "VIP %s stands in %s too" % (vip.address, other), "virtual_ipaddress")


@host_rule(
    "KH014",
    WARNING,
    "VIP on an interface that nobody tracks",
    "Add the interface to track_interface.",
    MAN + ", track_interface",
)
def vip_dev_not_tracked(director: Director) -> Iterator[Fault]:
    """KH014."""
    for instance in director.instances:
        tracked = {track.name for track in instance.options.get("track_interface", [])} | {instance.interface}
        for vip in instance.vips + instance.excluded_vips:
            if vip.dev and instance.interface and vip.dev not in tracked and "no_track" not in vip.flags:
                yield fault(
                    director,
                    instance,
                    "VIP %s is on %s, which nobody tracks" % (vip.address, vip.dev),
                    "virtual_ipaddress",
                )


@host_rule(
    "KH015",
    WARNING,
    "a host among its own peers",
    "Take it out of unicast_peer.",
    MAN + ", unicast_peer",
)
def unicast_with_itself(director: Director) -> Iterator[Fault]:
    """KH015."""
    for instance in director.instances:
        if instance.unicast_src_ip and instance.unicast_src_ip in _addresses(instance.unicast_peer):
            yield fault(
                director, instance, "its own address %s is among unicast_peer" % instance.unicast_src_ip, "unicast_peer"
            )


def _addresses(peers: list[str]) -> list[str]:
    """The addresses of unicast_peer's lines, which may carry min_ttl and max_ttl."""
    return [peer.split()[0] for peer in peers if peer.split()]


@host_rule(
    "KH016",
    ERROR,
    "unicast half configured",
    "Give both unicast_src_ip, an address of the host, and unicast_peer.",
    MAN + ", unicast_src_ip",
)
def unicast_half_done(director: Director) -> Iterator[Fault]:
    """KH016."""
    for instance in director.instances:
        source = instance.unicast_src_ip
        if source and not instance.unicast_peer:
            yield fault(
                director,
                instance,
                "unicast_src_ip without unicast_peer: keepalived falls back to multicast",
                "unicast_src_ip",
            )
        if instance.unicast_peer and not source:
            yield fault(
                director,
                instance,
                "unicast_peer without unicast_src_ip: the peers see whichever address the kernel picks",
                "unicast_peer",
            )
        if source and director.interfaces is not None:
            own = {str(address.ip) for interface in director.interfaces.values() for address in interface.addresses}
            if source not in own:
                yield fault(
                    director, instance, "unicast_src_ip %s is no address of this host" % source, "unicast_src_ip"
                )


@host_rule(
    "KH017",
    ERROR,
    "more than 20 VIPs in one instance",
    "Move the rest to virtual_ipaddress_excluded.",
    "keepalived vrrp.c",
)
def too_many_vips(director: Director) -> Iterator[Fault]:
    """KH017."""
    for instance in director.instances:
        if len(instance.vips) > 20:
            yield fault(
                director,
                instance,
                "%d VIPs in one advertisement, keepalived takes 20" % len(instance.vips),
                "virtual_ipaddress",
            )


@host_rule(
    "KH018",
    WARNING,
    "priority 255 with weights or nopreempt",
    "Use a priority from 1 to 254.",
    MAN + ", priority",
)
def owner_with_weights(director: Director) -> Iterator[Fault]:
    """KH018."""
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
    """KH019."""
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
    "KH020",
    WARNING,
    "script timeout not below its interval",
    "Make the timeout smaller than the interval, so that runs cannot pile up.",
    MAN + ", vrrp_script",
)
def script_slower_than_its_interval(director: Director) -> Iterator[Fault]:
    """KH020."""
    for script in director.scripts:
        if script.timeout >= script.interval and "timeout" in script.options:
            yield Fault(
                "vrrp_script %s: timeout %g s is not below its interval of %g s"
                % (script.name, script.timeout, script.interval),
                director.host,
                origin=script.place("timeout"),
            )


@host_rule(
    "KH021",
    ERROR,
    "track of something undefined",
    "Define it, or correct the name.",
    "keepalived vrrp.c",
)
def undefined_track(director: Director) -> Iterator[Fault]:
    """KH021."""
    for instance in director.instances:
        for keyword, track, definition in director.tracks_of(instance):
            if definition is None and keyword != "track_interface":
                yield fault(
                    director, instance, "%s names %s, which is defined nowhere" % (keyword, track.name), keyword
                )


@host_rule(
    "KH022",
    WARNING,
    "vrrp_script that nothing tracks",
    "Add it to track_script, or drop it.",
    MAN + ", vrrp_script",
)
def unused_script(director: Director) -> Iterator[Fault]:
    """KH022."""
    used: set[str] = set()
    for block in [*director.instances, *director.sync_groups]:
        used |= {track.name for track in block.options.get("track_script", [])}
    for script in director.scripts:
        if script.name not in used:
            yield Fault(
                "vrrp_script %s is tracked by nothing and never runs" % script.name,
                director.host,
                origin=script.place(),
            )


@host_rule(
    "KH023",
    ERROR,
    "one name twice",
    "Give each its own name.",
    "measured",
)
def name_twice(director: Director) -> Iterator[Fault]:
    """KH023."""
    kinds: tuple[tuple[str, list[Tracked]], ...] = (
        ("vrrp_script", director.scripts),
        ("track_file", director.files),
        ("vrrp_track_process", director.processes),
    )
    for kind, blocks in kinds:
        seen: set[str] = set()
        for block in blocks:
            if block.name in seen:
                yield Fault("two %s of the name %s" % (kind, block.name), director.host, origin=block.place())
            seen.add(block.name)
    seen = set()
    for instance in director.instances:
        if instance.name in seen:
            yield fault(director, instance, "two vrrp_instance of the name %s" % instance.name)
        seen.add(instance.name)


@host_rule(
    "KH031",
    ERROR,
    "sync group with missing members",
    "Name two or more instances of this host.",
    "keepalived vrrp_sync.c",
)
def sync_group_of_strangers(director: Director) -> Iterator[Fault]:
    """KH031."""
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
    "KH035",
    ERROR,
    "label longer than 15 characters",
    "Shorten it: the kernel's limit is 15 (IFNAMSIZ).",
    MAN + ", label",
)
def label_too_long(director: Director) -> Iterator[Fault]:
    """KH035."""
    for instance in director.instances:
        for vip in instance.vips + instance.excluded_vips:
            if len(vip.label) > 15:
                yield fault(
                    director,
                    instance,
                    "label %s of VIP %s has %d characters" % (vip.label, vip.address, len(vip.label)),
                    "virtual_ipaddress",
                )


@host_rule(
    "KH043",
    ERROR,
    "one VRID twice on an interface",
    "Give each instance of an interface its own virtual_router_id.",
    "RFC 9568 section 5.2.3",
)
def vrid_twice_on_one_interface(director: Director) -> Iterator[Fault]:
    """KH043."""
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
    """KH044."""
    for instance in director.instances:
        for keyword, there in (
            ("virtual_router_id", instance.virtual_router_id),
            ("interface", instance.interface or instance.unicast_peer),
            ("virtual_ipaddress", instance.vips or instance.options.get("no_virtual_ipaddress")),
        ):
            if not there:
                yield fault(director, instance, "has no %s" % keyword)


@host_rule(
    "KH045",
    ERROR,
    "interface missing or down",
    "Correct the name (per host: keepalived_instance_overrides), or bring the interface up.",
    "measured",
)
def interface_missing(director: Director) -> Iterator[Fault]:
    """KH045."""
    if director.interfaces is None:
        return
    for instance in director.instances:
        devices = {instance.interface} | {vip.dev for vip in instance.vips + instance.excluded_vips}
        for name in sorted(device for device in devices if device):
            interface = director.interfaces.get(name)
            if interface is None:
                known = ", ".join(sorted(director.interfaces)) or "none"
                yield fault(
                    director, instance, "interface %s does not exist here (there are: %s)" % (name, known), "interface"
                )
            elif not interface.up:
                yield fault(director, instance, "interface %s is down" % name, "interface")


@host_rule(
    "KH046",
    ERROR,
    "IPv4 and IPv6 mixed",
    "Use one instance per family, or virtual_ipaddress_excluded for the other.",
    "RFC 9568 section 5.2.9",
)
def families_mixed(director: Director) -> Iterator[Fault]:
    """KH046."""
    for instance in director.instances:
        if len({vip.ip.version for vip in instance.vips}) > 1:
            yield fault(director, instance, "IPv4 and IPv6 in one virtual_ipaddress", "virtual_ipaddress")
        foreign = [
            peer
            for peer in [instance.unicast_src_ip, *_addresses(instance.unicast_peer)]
            if peer and (":" in peer) != (instance.family == 6)
        ]
        if foreign:
            yield fault(
                director,
                instance,
                "unicast address %s is not of the VIPs' family IPv%d" % (foreign[0], instance.family),
                "unicast_peer",
            )


@host_rule(
    "KH047",
    ERROR,
    "advert_int outside the version's range",
    "Use whole seconds in version 2, and up to 40.95 s in version 3.",
    "RFC 9568 section 5.2.7",
)
def fraction_in_version_2(director: Director) -> Iterator[Fault]:
    """KH047."""
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
