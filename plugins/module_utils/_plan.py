# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The plan: a cluster described once becomes each director's part. Pure functions, nothing is asked or touched.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, Finding, did_you_mean
from ansible_collections.failover.vip.plugins.module_utils._model import (
    OWNER_PRIORITY,
    Block,
    Cluster,
    Director,
    Host,
    Interface,
    Machine,
    Origin,
    SyncGroup,
    Topology,
    Track,
    Tracked,
    Vip,
    VrrpInstance,
    WantedInstance,
)
from ansible_collections.failover.vip.plugins.module_utils._plan_lvs import Placement
from ansible_collections.failover.vip.plugins.module_utils._timers import (
    SUBSECOND_GLOBAL_DEFS,
    preset_options,
    skew_unit,
)

#: The highest priority that is not the address owner's (RFC 9568 section 6.1).
TOP_PRIORITY = 254
#: Seconds between two backups' Skew_Time, so that the second hears the first before it stands for election itself.
SKEW_DISTANCE = 0.020
#: What measurements chose; each can be set otherwise, or to null for keepalived's own default.
GLOBAL_DEFAULTS: Mapping[str, Any] = {
    # A broken file is refused at the reload, where keepalived would otherwise stop and leave the VIP behind.
    "reload_check_config": True,
    # RFC 9568; and advertisement intervals below a second.
    "vrrp_version": 3,
    # After a split brain the loser's last advertisement makes the winner renew its gratuitous ARP.
    "vrrp_higher_prio_send_advert": True,
    # Scripts that others than root can write are never run as root.
    "enable_script_security": True,
}
#: The name of the track_file that drains a director.
DRAIN = "drain"
#: Labels are cut by the kernel's IFNAMSIZ less the final zero.
_LABEL_MAX = 15


def allot(count: int, unit: float, weights: Sequence[int]) -> Optional[list[int]]:
    """Priorities of *count* hosts in order of preference, from the top; None if the weights leave no room.

    The first backup comes right below the preferred host, since its Skew_Time is the wait after a clean stop. Further
    ones keep SKEW_DISTANCE, as far as every single failed check still drops the preferred host below the last one.

    :param unit: see :func:`skew_unit`.
    :param weights: of the checks that move the priority; 0 (FAULT) is left out.
    """
    top = TOP_PRIORITY - sum(weight for weight in weights if weight > 0)
    room = top - 1 + sum(weight for weight in weights if weight < 0)
    if weights:
        room = min(room, min(abs(weight) for weight in weights) - 1)
    if room < count - 1:
        return None
    if count < 2:
        return [top] * count
    step = 1
    if count > 2:
        step = min(math.ceil(SKEW_DISTANCE * 256 / unit), (room - 1) // (count - 2))
    return [top] + [top - 1 - step * index for index in range(count - 1)]


def _moving_weights(topology: Topology, options: Mapping[str, Any]) -> list[int]:
    """Weights by which a failure costs priority; see ``_rules._weights`` for those that are not judged."""
    found = []
    for keyword, definitions in (
        ("track_script", topology.scripts),
        ("track_process", topology.processes),
        ("track_interface", []),
    ):
        by_name = {definition.name: definition for definition in definitions}
        for track in options.get(keyword, []):
            definition = by_name.get(track.name)
            own = track.weight is None and definition is not None
            weight = definition.weight if own and definition else track.weight or 0
            reverse = definition.reverse if own and definition else track.reverse
            if weight and not reverse:
                found.append(weight)
    return found


def _labels(topology: Topology) -> dict[tuple[str, str], int]:
    """The running number of each IPv4 VIP of the cluster, by which its label is the same on every host."""
    numbers: dict[tuple[str, str], int] = {}
    for instance in topology.instances:
        for vip in _all_vips(instance.options):
            if vip.ip.version == 4:
                numbers[(instance.name, vip.address)] = len(numbers)
    return numbers


def _all_vips(options: Mapping[str, Any]) -> list[Vip]:
    return [*options.get("virtual_ipaddress", []), *options.get("virtual_ipaddress_excluded", [])]


def source_address(interface: Interface, vips: Iterable[Vip], taken: Iterable[str]) -> str:
    """The address from which a host advertises: the one that shares a subnet with the VIP, else the first; '' if none.

    :param taken: addresses that are VIPs and may come and go.
    """
    wanted = list(vips)
    family = wanted[0].ip.version if wanted else 4
    gone = set(taken)
    own = [address for address in interface.addresses if address.version == family]
    # The first IPv4 address is the host's own even when it is among the VIPs: that is a mistake for KP015 to tell.
    own = own[: family == 4] + [address for address in own[family == 4 :] if str(address.ip) not in gone]
    near = [address for address in own if any(vip.ip.version == family and vip.ip in address.network for vip in wanted)]
    return str((near or [address for address in own if not address.is_link_local] or own)[0].ip) if own else ""


class _Planner:
    """One run of :func:`plan`; holds what the steps share."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.findings: list[Finding] = []
        self.placement = Placement(topology)
        self.labels = _labels(topology)
        self.vips = {vip.address for instance in topology.instances for vip in _all_vips(instance.options)}

    def bad(self, rule: str, message: str, hint: str, place: str, instance: str = "", host: str = "") -> None:
        self.findings.append(Finding(rule, ERROR, message, hint, host=host, path=place, instance=instance))

    def hosts_of(self, wanted: WantedInstance) -> list[Host]:
        """The instance's hosts that exist, in its order; each other one is a finding."""
        found: list[Host] = []
        for name in wanted.hosts or list(self.topology.hosts):
            host = self.topology.hosts.get(name)
            if host is None:
                hint = did_you_mean(name, self.topology.hosts) + " The cluster's hosts are those of keepalived_hosts."
                self.bad(
                    "KI001",
                    "%s is no host of the cluster" % name,
                    hint.strip(),
                    wanted.place("").path + ".hosts",
                    wanted.name,
                    name,
                )
            elif host in found:
                self.bad(
                    "KI001",
                    "%s stands twice in hosts" % name,
                    "Name each host once.",
                    wanted.place("").path + ".hosts",
                    wanted.name,
                    name,
                )
            else:
                found.append(host)
        return found

    def options_of(self, wanted: WantedInstance, host: Host) -> dict[str, Any]:
        """What was set by hand for this host: the instance's options, and over them the host's own."""
        options = {**wanted.options, **host.overrides.get(wanted.name, {})}
        return {**self.preset(wanted, options), **options}

    def preset(self, wanted: WantedInstance, options: Mapping[str, Any]) -> dict[str, Any]:
        """The timers of the instance's preset: the same on all its hosts, so the oldest keepalived decides."""
        names = wanted.hosts or list(self.topology.hosts)
        known = [self.topology.hosts[name].release for name in names if name in self.topology.hosts]
        oldest = min((release for release in known if release), default=None)
        version = 3 if self.family(options) == 6 else self.version(options)
        return preset_options(self.topology.timers, version, options, oldest)

    def drain(self, options: dict[str, Any]) -> None:
        """Lets the drain file move the VIP: by priority, so that the other director is there before this one goes.

        With nopreempt, and for the owner of the address, no priority moves it; then any number in the file is a fault.
        """
        if self.topology.drain_file:
            by_fault = options.get("nopreempt") or options.get("priority") == OWNER_PRIORITY
            tracks = [track for track in options.get("track_file", []) if track.name != DRAIN]
            options["track_file"] = [*tracks, Track(DRAIN, 0 if by_fault else None)]

    def priorities(self, wanted: WantedInstance, parts: list[tuple[Host, dict[str, Any]]]) -> None:
        """Fills in the priority where none is set by hand."""
        if all("priority" in options for _host, options in parts) or not parts:
            return
        weights = sorted({weight for _host, options in parts for weight in _moving_weights(self.topology, options)})
        # A weight counts as often as the host that has it most often.
        most = max(
            (_moving_weights(self.topology, options) for _host, options in parts),
            key=lambda found: sum(abs(weight) for weight in found),
        )
        options = parts[0][1]
        version = 3 if self.family(options) == 6 else self.version(options)
        allotted = allot(len(parts), skew_unit(version, float(options.get("advert_int", 1))), most)
        if allotted is None:
            self.bad(
                "KI003",
                "%d hosts and the weights %s leave no priorities at which every failed check moves the VIP"
                % (len(parts), weights),
                "Give each check a weight of at least %d, or none (a failure then means FAULT)." % len(parts),
                wanted.place("track_script").path,
                wanted.name,
            )
            allotted = [max(1, TOP_PRIORITY - index) for index in range(len(parts))]
        for (_host, part), priority in zip(parts, allotted):
            part.setdefault("priority", priority)

    def version(self, options: Mapping[str, Any]) -> int:
        return int(options.get("version") or self.topology.global_defs.get("vrrp_version") or 2)

    def family(self, options: Mapping[str, Any]) -> int:
        vips = _all_vips(options)
        return vips[0].ip.version if vips else 4

    def addresses(self, wanted: WantedInstance, options: dict[str, Any]) -> None:
        """Fills in device and label of each VIP."""
        for keyword in ("virtual_ipaddress", "virtual_ipaddress_excluded"):
            if keyword in options:
                device = str(options.get("interface", ""))
                options[keyword] = [self.placed(wanted, vip, vip.dev or device) for vip in options[keyword]]

    def placed(self, wanted: WantedInstance, vip: Vip, device: str) -> Vip:
        """The VIP on its device, with its label unless that would be too long or the VIP has one."""
        number = self.labels.get((wanted.name, vip.address))
        label = "%s:%d" % (device, number) if number is not None and device else ""
        flags = vip.flags
        if vip.ip.version == 6 and vip.prefixlen != 128 and "preferred_lft" not in flags:
            # Deprecated from the start, or the director would speak from the VIP when it opens connections itself (RFC
            # 6724 section 5, rule 3), and a real server with the VIP on lo would answer to itself. keepalived does the
            # same by default for /128.
            flags = (*flags, "preferred_lft", "0")
        return vip._replace(dev=device, label=vip.label or (label if len(label) <= _LABEL_MAX else ""), flags=flags)

    def unicast(self, wanted: WantedInstance, parts: list[tuple[Host, dict[str, Any]]]) -> None:
        """Fills in each host's source address, and the others' as its peers."""
        if wanted.transport != "unicast":
            return
        for host, options in parts:
            if "unicast_src_ip" in options:
                continue
            name = str(options.get("interface", ""))
            hint = (
                "Gather its facts, or set keepalived_instance_overrides.%s.unicast_src_ip in its host_vars."
                % wanted.name
            )
            if host.interfaces is None:
                self.bad(
                    "KI002",
                    "the addresses of %s are not known" % host.name,
                    hint,
                    wanted.place("").path,
                    wanted.name,
                    host.name,
                )
            elif name in host.interfaces:
                source = source_address(host.interfaces[name], _all_vips(options), self.vips)
                if source:
                    options["unicast_src_ip"] = source
                else:
                    self.bad(
                        "KI002",
                        "%s has no IPv%d address on %s" % (host.name, self.family(options), name),
                        hint,
                        wanted.place("").path,
                        wanted.name,
                        host.name,
                    )
        for host, options in parts:
            others = [
                other["unicast_src_ip"] for member, other in parts if member is not host and "unicast_src_ip" in other
            ]
            if len(others) == len(parts) - 1 and others:
                options.setdefault("unicast_peer", others)

    def notify(self, options: dict[str, Any]) -> None:
        """Fills in the script for each change of state; keepalived tells it the priority of the moment."""
        if self.topology.notify:
            options.setdefault("notify", self.topology.notify)

    def instance(self, wanted: WantedInstance) -> list[tuple[Host, VrrpInstance]]:
        """Every host's part of one instance."""
        parts = [(host, self.options_of(wanted, host)) for host in self.hosts_of(wanted)]
        for _host, options in parts:
            options.setdefault("state", "BACKUP")
            self.addresses(wanted, options)
        self.priorities(wanted, parts)
        self.unicast(wanted, parts)
        for _host, options in parts:
            self.notify(options)
            self.drain(options)
        return [
            (host, VrrpInstance(wanted.name, options, wanted.origin, self.places(wanted, host)))
            for host, options in parts
        ]

    def places(self, wanted: WantedInstance, host: Host) -> dict[str, Origin]:
        places = dict(wanted.places)
        for keyword in host.overrides.get(wanted.name, {}):
            places[keyword] = Origin("keepalived_instance_overrides.%s.%s" % (wanted.name, keyword))
        return places

    def director(self, host: Host, instances: list[VrrpInstance]) -> Director:
        """One host's whole part: its instances, and what they track."""
        topology = self.topology
        names = {instance.name for instance in instances}
        groups = []
        for group in topology.sync_groups:
            members = [name for name in group.group if name in names]
            known = {instance.name for instance in topology.instances}
            if members or not known.issuperset(group.group):
                present = [name for name in group.group if name in names or name not in known]
                options = {**group.options, "group": present}
                self.notify(options)
                groups.append(SyncGroup(group.name, options, group.origin, group.places))
        tracked = {
            keyword: {track.name for block in [*instances, *groups] for track in block.options.get(keyword, [])}
            for keyword in ("track_script", "track_file", "track_process")
        }
        # What no instance of the whole cluster tracks stays, so that the rules can say so.
        elsewhere = {
            keyword: {
                track.name
                for block in [*topology.instances, *topology.sync_groups]
                for track in _tracks(block, keyword)
            }
            - tracked[keyword]
            for keyword in tracked
        }
        global_defs = {
            "router_id": host.name,
            **self.placement.sync_daemon(host.name, instances),
            **topology.global_defs,
        }
        if any(instance.advert_int < 1 for instance in instances) and "vrrp_rt_priority" not in global_defs:
            global_defs = {**SUBSECOND_GLOBAL_DEFS, **global_defs}
        return Director(
            host.name,
            Block("", global_defs, Origin("keepalived_global_defs")),
            instances,
            [script for script in topology.scripts if script.name not in elsewhere["track_script"]],
            self.files(elsewhere["track_file"]),
            [process for process in topology.processes if process.name not in elsewhere["track_process"]],
            groups,
            self.placement.services(host.name),
            self.placement.service_groups(host.name),
            topology.bfd_instances,
            host.interfaces,
            Machine(haproxy_binds=host.haproxy_binds),
        )

    def files(self, elsewhere: set[str]) -> list[Tracked]:
        """The track_file blocks of a host, with that of the drain."""
        found = [file for file in self.topology.files if file.name not in elsewhere]
        if self.topology.drain_file:
            options = {"file": self.topology.drain_file, "weight": Track("", 1)}
            found.append(Tracked(DRAIN, options, Origin("keepalived_drain_file")))
        return found


def _tracks(block: Block, keyword: str) -> list[Track]:
    return list(block.options.get(keyword, []))


def plan(topology: Topology) -> tuple[Cluster, list[Finding]]:
    """Each director's part of the cluster, and what makes the description impossible to carry out.

    Computed where it is not set by hand: timers, state, priority (see :func:`allot`), unicast_src_ip and unicast_peer,
    device and label of each VIP, router_id. The parts still have to pass the rules.
    """
    planner = _Planner(topology)
    found: dict[str, list[VrrpInstance]] = {name: [] for name in topology.hosts}
    for wanted in topology.instances:
        for host, instance in planner.instance(wanted):
            found[host.name].append(instance)
    directors = {name: planner.director(host, found[name]) for name, host in topology.hosts.items()}
    return Cluster(directors, topology.backends), planner.findings


def shared_with_others(
    topology: Topology, others: Mapping[str, Iterable[WantedInstance]], allowed: Iterable[int]
) -> list[Finding]:
    """KP013 and KP015 between clusters: a VRID spoken by another cluster on the same network, or the same VIP.

    :param others: the name of each other cluster (for the message) and its instances.
    :param allowed: VRIDs that may be shared, because something else keeps the networks apart.
    """
    findings: list[Finding] = []
    free = set(allowed)
    for ours in topology.instances:
        for cluster, instances in others.items():
            for theirs in instances:
                same = [
                    (vip, other)
                    for vip in _all_vips(ours.options)
                    for other in _all_vips(theirs.options)
                    if vip.ip.version == other.ip.version and vip.interface.network.overlaps(other.interface.network)
                ]
                vrid = ours.options.get("virtual_router_id")
                if same and vrid == theirs.options.get("virtual_router_id") and vrid not in free:
                    findings.append(
                        Finding(
                            "KP013",
                            ERROR,
                            "virtual_router_id %s is also that of %s in the cluster of %s, on network %s"
                            % (vrid, theirs.name, cluster, same[0][0].interface.network),
                            "Give one another virtual_router_id, or allow it with keepalived_shared_vrids: [%s]."
                            % vrid,
                            path=ours.place("virtual_router_id").path,
                            instance=ours.name,
                        )
                    )
                findings += [
                    Finding(
                        "KP015",
                        ERROR,
                        "VIP %s is also that of %s in the cluster of %s" % (address, theirs.name, cluster),
                        "Use it in one cluster only.",
                        path=ours.place("virtual_ipaddress").path,
                        instance=ours.name,
                    )
                    for address in sorted({vip.address for vip, other in same if vip.address == other.address})
                ]
    return findings
