# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The inventory's variables and Ansible's facts, read into the model.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any, Optional, TypeVar

from ansible_collections.failover.vip.plugins.module_utils._conf._services import Pools, wanted_services
from ansible_collections.failover.vip.plugins.module_utils._conf._values import normalise
from ansible_collections.failover.vip.plugins.module_utils._conf._variables_lvs import virtual_server_groups
from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, Finding, did_you_mean
from ansible_collections.failover.vip.plugins.module_utils._model import (
    Backend,
    Block,
    Host,
    Interface,
    IPInterface,
    IPNetwork,
    Origin,
    SyncDaemon,
    SyncGroup,
    Topology,
    Tracked,
    Vip,
    WantedInstance,
)

TRANSPORTS = ("unicast", "multicast")
#: Keys of an instance that keepalived has no word for.
PLAN_KEYS = ("name", "hosts", "transport")
_Named = TypeVar("_Named", Tracked, SyncGroup, WantedInstance, Block)


def interfaces_from_facts(facts: Mapping[str, Any]) -> Optional[dict[str, Interface]]:
    """The interfaces in a host's ``ansible_facts``; None if the network facts were not gathered.

    The primary address comes first. Alias labels (eth0:0), which the facts list as interfaces of their own, are
    addresses of their device.
    """
    if "interfaces" not in facts:
        return None
    found: dict[str, Interface] = {}
    for name in facts["interfaces"]:
        fact = facts.get(str(name).replace("-", "_").replace(":", "_").replace(".", "_"))
        if not isinstance(fact, Mapping) or ":" in str(fact.get("device", name)):
            continue
        ipv4 = [fact["ipv4"]] if isinstance(fact.get("ipv4"), Mapping) else list(fact.get("ipv4") or [])
        addresses = [
            _interface(item, item.get("prefix") or item.get("netmask"))
            for item in [*ipv4, *fact.get("ipv4_secondaries", [])]
        ]
        addresses += [_interface(item, item.get("prefix")) for item in fact.get("ipv6", [])]
        device = str(fact.get("device", name))
        found[device] = Interface(
            device,
            tuple(address for address in addresses if address is not None),
            bool(fact.get("active", True)),
            str(fact.get("macaddress", "")),
        )
    return found


def _interface(item: Mapping[str, Any], prefix: Any) -> Optional[IPInterface]:
    try:
        return ipaddress.ip_interface("%s/%s" % (item["address"], prefix) if prefix else str(item["address"]))
    except (KeyError, ValueError):
        return None


def interfaces_of(host: Mapping[str, Any]) -> Optional[dict[str, Interface]]:
    """From ``interfaces`` (name to its addresses, or to its one address) where it is given, else from ``facts``.

    :raises ValueError: if an address is none.
    """
    given, facts = host.get("interfaces"), host.get("facts")
    if given is None:
        return interfaces_from_facts(facts) if isinstance(facts, Mapping) else None
    found = {}
    for name, addresses in given.items():
        listed = addresses if isinstance(addresses, (list, tuple)) else [addresses]
        found[str(name)] = Interface(str(name), tuple(ipaddress.ip_interface(str(address)) for address in listed))
    return found


def _bad(
    findings: list[Finding], place: str, message: str, hint: str = "", rule: str = "KH042", host: str = ""
) -> None:
    findings.append(Finding(rule, ERROR, message, hint, host=host, path=place))


def _named(
    kind: type[_Named],
    block: str,
    items: Any,
    variable: str,
    findings: list[Finding],
    plan_only: Sequence[str] = ("name",),
) -> list[_Named]:
    """A list of named blocks."""
    found: list[_Named] = []
    if not isinstance(items, Sequence) or isinstance(items, str):
        _bad(findings, variable, "must be a list of mappings, each with a 'name'")
        return found
    seen: dict[str, str] = {}
    for index, item in enumerate(items):
        place = "%s[%d]" % (variable, index)
        if not isinstance(item, Mapping):
            _bad(findings, place, "must be a mapping with a 'name'")
            continue
        name = item.get("name")
        if (
            not isinstance(name, str)
            or not name
            or any(character.isspace() or character in '"{}#!' for character in name)
        ):
            _bad(
                findings,
                place + ".name",
                "must be one word: %r" % (name,),
                "Every %s needs a 'name' of its own." % block,
            )
            continue
        if name in seen:
            _bad(
                findings,
                place + ".name",
                "the name %s is already that of %s" % (name, seen[name]),
                "Give each its own name.",
                "KH023",
            )
            continue
        seen[name] = place
        options, more = normalise(block, item, place, plan_only, instance=name if kind is WantedInstance else "")
        findings += more
        found.append(kind(name, options, Origin(place), {key: Origin("%s.%s" % (place, key)) for key in options}))
    return found


def wanted_instances(items: Any, transport: str, findings: list[Finding]) -> list[WantedInstance]:
    """``keepalived_vrrp_instances`` read into the model; what is wrong with it is added to *findings*."""
    wanted = _named(WantedInstance, "vrrp_instance", items, "keepalived_vrrp_instances", findings, PLAN_KEYS)
    raw = {item.get("name"): item for item in items if isinstance(item, Mapping)} if isinstance(items, Sequence) else {}
    for instance in wanted:
        place = instance.origin.path
        hosts = raw[instance.name].get("hosts") or []
        if isinstance(hosts, str) or not isinstance(hosts, Sequence):
            _bad(findings, place + ".hosts", "must be a list of host names, the preferred first")
            hosts = []
        instance.hosts = [str(host) for host in hosts]
        instance.transport = str(raw[instance.name].get("transport") or transport)
        if instance.transport not in TRANSPORTS:
            _bad(
                findings,
                place + ".transport",
                "must be unicast or multicast, not '%s'" % instance.transport,
                did_you_mean(instance.transport, TRANSPORTS),
            )
        if "auth_pass" in instance.options.get("authentication", {}):
            _bad(
                findings,
                place + ".authentication.auth_pass",
                "a password among the plain variables",
                "Put it into keepalived_auth_pass ({%s: …}), where a vault can hold it." % instance.name,
            )
            del instance.options["authentication"]["auth_pass"]
        _plain_keys(instance, place, findings)
    return wanted


def _plain_keys(instance: WantedInstance, place: str, findings: list[Finding]) -> None:
    """Refuses keys of auth_hmac that are no token and no file's name, and forgets them."""
    lines = instance.options.get("auth_hmac")
    if not isinstance(lines, list):
        return
    plain = [line for line in lines if re.match(r"\s*key\s+\S+\s+(?!%%secret:|file:)\S", str(line))]
    if plain:
        _bad(
            findings,
            place + ".auth_hmac",
            "a key among the plain variables",
            "Put it into keepalived_secrets ({NAME: …}), where a vault can hold it, and write key ID %%secret:NAME%%.",
        )
        instance.options["auth_hmac"] = [line for line in lines if line not in plain]


def topology(variables: Mapping[str, Any], hosts: Mapping[str, Mapping[str, Any]]) -> tuple[Topology, list[Finding]]:
    """The cluster as the inventory describes it.

    :param variables: ``vrrp_instances``, ``vrrp_scripts``, ``track_files``, ``track_processes``, ``vrrp_sync_groups``,
        ``global_defs``, ``transport``, ``notify`` (path of a script), ``timers`` (name of a preset), ``drain_file``
        (path) and ``auth_pass`` (instance to password; only which ones there are, and how long, is used);
        ``virtual_servers``, ``virtual_server_groups``, ``bfd_instances`` and ``lvs_sync_daemon``, and for real servers
        that are taken from groups ``groups`` (name to hosts) and ``backends``, for each of these hosts ``facts`` or
        ``interfaces``, and ``vips``, the addresses that it is to hold on ``lo`` (None: those that it holds now).
    :param hosts: for each member its ``facts`` (``ansible_facts``, may be missing) or ``interfaces`` (to addresses),
        ``overrides`` (instance to options) and ``haproxy_binds`` (address, port, variable), if known.
    :returns: the topology, and a finding for each value that keepalived would not take.
    """
    findings: list[Finding] = []
    global_defs, more = normalise("global_defs", variables.get("global_defs") or {}, "keepalived_global_defs")
    findings += more
    result = Topology(
        instances=wanted_instances(
            variables.get("vrrp_instances") or [], str(variables.get("transport") or "unicast"), findings
        ),
        scripts=_named(
            Tracked, "vrrp_script", variables.get("vrrp_scripts") or [], "keepalived_vrrp_scripts", findings
        ),
        files=_named(Tracked, "track_file", variables.get("track_files") or [], "keepalived_track_files", findings),
        processes=_named(
            Tracked,
            "vrrp_track_process",
            variables.get("track_processes") or [],
            "keepalived_track_processes",
            findings,
        ),
        sync_groups=_named(
            SyncGroup,
            "vrrp_sync_group",
            variables.get("vrrp_sync_groups") or [],
            "keepalived_vrrp_sync_groups",
            findings,
        ),
        global_defs=global_defs,
        notify=str(variables.get("notify") or ""),
        timers=str(variables.get("timers") or ""),
        drain_file=str(variables.get("drain_file") or ""),
        bfd_instances=_named(
            Block, "bfd_instance", variables.get("bfd_instances") or [], "keepalived_bfd_instances", findings
        ),
        sync_daemon=_sync_daemon(variables.get("lvs_sync_daemon") or {}),
    )
    names = [instance.name for instance in result.instances]
    _authentication(result, variables.get("auth_pass") or {}, findings)
    for name, host in hosts.items():
        binds = host.get("haproxy_binds")
        member = Host(
            name, interfaces_of(host), haproxy_binds=None if binds is None else [_bind(*one) for one in binds]
        )
        overrides = host.get("overrides") or {}
        place = "keepalived_instance_overrides"
        if not isinstance(overrides, Mapping):
            _bad(findings, place, "must be a mapping of instance names to options", host=name)
            overrides = {}
        for instance, options in overrides.items():
            if instance not in names:
                _bad(
                    findings,
                    "%s.%s" % (place, instance),
                    "no instance of this name",
                    did_you_mean(str(instance), names),
                    "KI004",
                    name,
                )
            elif not isinstance(options, Mapping):
                _bad(findings, "%s.%s" % (place, instance), "must be a mapping of keywords", host=name)
            else:
                member.overrides[instance], more = normalise(
                    "vrrp_instance", options, "%s.%s" % (place, instance), instance=instance, host=name
                )
                findings += more
        result.hosts[name] = member
    _services(result, variables, findings)
    return result, findings


def _bind(address: Any, port: Any, place: Any) -> tuple[str, int, Origin]:
    return str(address), int(port), Origin(str(place))


def _sync_daemon(given: Mapping[str, Any]) -> SyncDaemon:
    number = given.get("id")
    return SyncDaemon(
        given.get("enabled") is not False,
        str(given.get("interface") or ""),
        str(given.get("instance") or ""),
        None if number is None else int(number),
    )


def _backend(name: str, host: Mapping[str, Any]) -> Backend:
    """A host that real servers are taken from, with the VIPs on ``lo`` that it is to have."""
    interfaces, vips = interfaces_of(host), host.get("vips")
    if interfaces is not None and vips is not None:
        held = [ipaddress.ip_interface(str(vip).partition("/")[0]) for vip in vips]
        interfaces = {**interfaces, "lo": Interface("lo", (ipaddress.ip_interface("127.0.0.1/8"), *held))}
    return Backend(name, interfaces)


def _services(result: Topology, variables: Mapping[str, Any], findings: list[Finding]) -> None:
    """Reads what is about virtual servers; the instances and the hosts are known already."""
    result.backends = {str(name): _backend(str(name), host) for name, host in (variables.get("backends") or {}).items()}
    result.virtual_server_groups = virtual_server_groups(variables.get("virtual_server_groups") or [], findings)
    vips: list[Vip] = []
    for instance in result.instances:
        vips += instance.options.get("virtual_ipaddress", []) + instance.options.get("virtual_ipaddress_excluded", [])
    links: list[IPNetwork] = [vip.interface.network for vip in vips]
    for member in result.hosts.values():
        for interface in (member.interfaces or {}).values():
            links += [address.network for address in interface.addresses if not address.is_loopback]
    pools = Pools(
        variables.get("groups") or {},
        result.backends,
        [link for link in links if link.prefixlen < link.max_prefixlen],
        [vip.address for vip in vips],
    )
    result.virtual_servers = wanted_services(
        variables.get("virtual_servers") or [], result.virtual_server_groups, pools, findings
    )


def token(instance: str) -> str:
    """What stands for an instance's password in all text that may be shown; the module on the target puts it in."""
    return "%%%%auth_pass:%s%%%%" % instance


def _authentication(result: Topology, passwords: Any, findings: list[Finding]) -> None:
    if not isinstance(passwords, Mapping):
        _bad(findings, "keepalived_auth_pass", "must be a mapping of instance names to passwords")
        return
    names = [instance.name for instance in result.instances]
    for name, password in passwords.items():
        place = "keepalived_auth_pass.%s" % name
        if name not in names:
            _bad(findings, place, "no instance of this name", did_you_mean(str(name), names), "KI004")
        elif (
            not isinstance(password, str)
            or not password
            or any(ord(character) < 32 or character in '"\\' for character in password)
        ):
            _bad(findings, place, "must be a string without control characters, double quotes and backslashes")
        elif len(password) > 8:
            _bad(
                findings,
                place,
                "has %d characters, keepalived uses the first 8" % len(password),
                "Use at most 8 characters.",
                "KH005",
            )
    for instance in result.instances:
        if instance.name in passwords:
            instance.options.setdefault("authentication", {}).setdefault("auth_type", "PASS")
            instance.options["authentication"]["auth_pass"] = token(instance.name)
        elif instance.options.get("authentication"):
            _bad(
                findings,
                instance.origin.path + ".authentication",
                "no password for it",
                "Add keepalived_auth_pass.%s." % instance.name,
            )
