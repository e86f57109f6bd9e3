# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about the addresses of one host: VIPs, interfaces, unicast sources and peers.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, WARNING
from ansible_collections.failover.vip.plugins.module_utils._model import Director
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault, fault, networks, vip_network
from ansible_collections.failover.vip.plugins.module_utils._rules._priority import checks_of
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, host_rule


@host_rule(
    "KH009",
    WARNING,
    "VIP without a prefix length",
    "Write it as address/prefix.",
    MAN + ", virtual_ipaddress",
)
def vip_without_prefix(director: Director) -> Iterator[Fault]:
    """keepalived takes an address without a prefix as a host address, /32 or /128.

    It works until something needs the subnet: no connected route comes with it, and on a director that writes the
    prefix the same VIP behaves otherwise.
    """
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
    """Hosts of the network ask for the VIP only if it lies in their subnet, and answer it only if the director knows a
    way back.

    A VIP outside the interface's networks is held without complaint and reached by nobody. The network's own address
    and its broadcast address cannot be used by a host at all.
    """
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
    "KH011",
    ERROR,
    "VIP that is an address of the host itself",
    "Take a free address for the VIP, or take it out of the host's network configuration.",
    "measured",
)
def vip_is_the_hosts_own(director: Director) -> Iterator[Fault]:
    """An address that the host has anyway cannot move: the host keeps it while another director holds it as well.

    keepalived deletes it when it starts and when the instance becomes backup, so the host may lose the address by which
    it is reached, and an instance that advertises from it goes to FAULT. Seen in the instance itself, in the host's
    network configuration, or by an address that is there while keepalived does not run.
    """
    configured = director.machine.facts.get("configured") or {}
    stopped = director.machine.facts.get("running") is False
    held = {
        str(address.ip): name
        for name, interface in (director.interfaces or {}).items()
        for address in interface.addresses
        if stopped and name != "lo"
    }
    for instance in director.instances:
        sources = {instance.unicast_src_ip, str(instance.options.get("mcast_src_ip", ""))}
        for vip in instance.vips + instance.excluded_vips:
            if vip.address in sources:
                why = "the instance advertises from it"
            elif vip.address in configured:
                why = "%s:%d gives it to the host" % tuple(configured[vip.address])
            elif vip.address in held:
                why = "%s has it although keepalived does not run" % held[vip.address]
            else:
                continue
            yield fault(
                director, instance, "VIP %s is an address of this host: %s" % (vip.address, why), "virtual_ipaddress"
            )


@host_rule(
    "KH012",
    ERROR,
    "one VIP in two instances of a host",
    "Leave it in one of them.",
    "measured",
)
def vip_twice_on_one_host(director: Director) -> Iterator[Fault]:
    """Each instance adds and removes the address on its own.

    When one of them leaves the master state it takes the VIP away under the other, which goes on believing that it
    holds it. An address of static_ipaddress, which a host has in every state, is no VIP either.
    """
    holder: dict[str, str] = {}
    static = {vip.address for vip in director.static_vips}
    for instance in director.instances:
        for vip in instance.vips + instance.excluded_vips:
            if vip.address in static:
                message = "VIP %s is a static_ipaddress too, which the host has as backup as well" % vip.address
                yield fault(director, instance, message, "virtual_ipaddress")
            other = holder.setdefault(vip.address, instance.name)
            if other != instance.name:
                yield fault(director, instance, "VIP %s stands in %s too" % (vip.address, other), "virtual_ipaddress")


@host_rule(
    "KH014",
    WARNING,
    "VIP on an interface that is not tracked",
    "Drop no_track, or add the interface to track_interface.",
    MAN + ", virtual_ipaddress",
)
def vip_dev_not_tracked(director: Director) -> Iterator[Fault]:
    """keepalived watches the interfaces of an instance's VIPs as it does the one that VRRP runs on; no_track ends that.

    If the link of such an interface dies, the director stays master and keeps an address that nobody can reach.
    Measured: without no_track the instance is in FAULT at once, with it nothing happens.
    """
    for instance in director.instances:
        tracked = {check.name for check in checks_of(director, instance) if check.keyword == "track_interface"}
        for vip in instance.vips + instance.excluded_vips:
            if vip.dev and vip.dev not in (instance.interface, *tracked):
                yield fault(
                    director,
                    instance,
                    "VIP %s is on %s with no_track: if that link dies, the director keeps the VIP"
                    % (vip.address, vip.dev),
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
    """The director sends each advertisement to itself as well.

    keepalived ignores its own packets, so the VIP works, but the list no longer says who the others are, and a copied
    configuration often lacks the real peer instead.
    """
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
    """A source without peers lets keepalived fall back to multicast, which the other director, being unicast, does not
    hear: both hold the VIP.

    Peers without a source leave it to the kernel which address they see, and that may be a VIP that has just moved. A
    source that is no address of the host ends in a bind error and an instance in FAULT.
    """
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
    """keepalived puts at most 20 addresses into one advertisement and drops the rest from it.

    Addresses in virtual_ipaddress_excluded move along with the instance without being advertised, and have no such
    limit.
    """
    for instance in director.instances:
        if len(instance.vips) > 20:
            yield fault(
                director,
                instance,
                "%d VIPs in one advertisement, keepalived takes 20" % len(instance.vips),
                "virtual_ipaddress",
            )


@host_rule(
    "KH035",
    ERROR,
    "label longer than 15 characters",
    "Shorten it: the kernel's limit is 15 (IFNAMSIZ).",
    MAN + ", label",
)
def label_too_long(director: Director) -> Iterator[Fault]:
    """The kernel keeps labels in 16 bytes, the last of which is zero.

    keepalived drops an address with a longer label, so this VIP would be on no director.
    """
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
    "KH036",
    WARNING,
    "use_vmac in surroundings that defeat it",
    "Set vmac_xmit_base with unicast, and leave rp_filter of all interfaces at 0.",
    MAN + ", use_vmac",
)
def vmac_defeated(director: Director) -> Iterator[Fault]:
    """With use_vmac keepalived sends from an interface of its own that has the virtual router's MAC and no address.

    Unicast from there needs vmac_xmit_base, which keepalived then sets itself, though its test fails over it. Strict
    reverse path filtering drops what comes in on the address-less interface; keepalived switches the filter off when it
    starts, and a sysctl file that is applied later switches it on again.
    """
    strict = director.machine.sysctls.get("net.ipv4.conf.all.rp_filter") == "1"
    for instance in director.instances:
        if "use_vmac" not in instance.options:
            continue
        if instance.unicast_peer and not instance.options.get("vmac_xmit_base"):
            yield fault(director, instance, "use_vmac with unicast_peer, and without vmac_xmit_base", "use_vmac")
        if strict and instance.family == 4:
            yield fault(
                director,
                instance,
                "use_vmac, and net.ipv4.conf.all.rp_filter is 1: the kernel drops what comes in there",
                "use_vmac",
            )


@host_rule(
    "KH045",
    ERROR,
    "interface missing or down",
    "Correct the name (per host: keepalived_instance_overrides), or bring the interface up.",
    "measured",
)
def interface_missing(director: Director) -> Iterator[Fault]:
    """An instance on an interface that does not exist makes keepalived refuse the configuration, unless
    dynamic_interfaces is set.

    One that is down keeps the instance in FAULT from the start.
    """
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
    """IPv4 and IPv6 are separate virtual routers, each with its own protocol and its own packets.

    keepalived drops addresses and peers of the second family from an instance, so that part of it is served by nobody.
    """
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
