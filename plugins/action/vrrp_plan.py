# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Action part of failover.vip.vrrp_plan: runs on the controller, needs no connection. See modules/vrrp_plan.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.failover.vip.plugins.module_utils._conf import _variables, _write
from ansible_collections.failover.vip.plugins.module_utils._conf._plain import to_plain
from ansible_collections.failover.vip.plugins.module_utils._conf._services import GROUP
from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, WARNING, Finding, at_or_above, ordered
from ansible_collections.failover.vip.plugins.module_utils._live._haproxy_conf import listeners
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster, WantedInstance
from ansible_collections.failover.vip.plugins.module_utils._plan import GLOBAL_DEFAULTS, plan, shared_with_others
from ansible_collections.failover.vip.plugins.module_utils._plan_lvs import lvs_sysctls
from ansible_collections.failover.vip.plugins.module_utils._rules._allowed import applied, from_inventory
from ansible_collections.failover.vip.plugins.module_utils._rules._authentication import judged_passwords
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import check
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import groups
from ansible_collections.failover.vip.plugins.module_utils._rules._holders import as_data
from ansible_collections.failover.vip.plugins.module_utils._timers import PRESETS

_LIST = {"type": "list", "elements": "dict", "default": []}
ARGUMENT_SPEC: dict[str, Any] = {
    "hosts": {"type": "list", "elements": "str", "required": True},
    "vrrp_instances": {"type": "list", "elements": "dict", "required": True},
    "vrrp_scripts": _LIST,
    "track_files": _LIST,
    "track_processes": _LIST,
    "vrrp_sync_groups": _LIST,
    "virtual_servers": _LIST,
    "virtual_server_groups": _LIST,
    "bfd_instances": _LIST,
    "lvs_sync_daemon": {
        "type": "dict",
        "default": {},
        "options": {
            "enabled": {"type": "bool", "default": True},
            "interface": {"type": "str"},
            "instance": {"type": "str"},
            "id": {"type": "int"},
        },
    },
    "global_defs": {"type": "dict", "default": {}},
    "transport": {"type": "str", "default": "unicast"},
    "auth_pass": {"type": "dict", "default": {}, "no_log": True},
    "notify": {"type": "path", "default": ""},
    "timers": {"type": "str", "choices": ["", *PRESETS], "default": ""},
    "drain_file": {"type": "path", "default": ""},
    "conf_dir": {"type": "path", "default": "/etc/keepalived"},
    "shared_vrids": {"type": "list", "elements": "int", "default": []},
    "allowed_findings": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {name: {"type": "str"} for name in ("rule", "reason", "host", "instance")},
    },
    "members": {"type": "dict"},
    "groups": {"type": "dict"},
    "backends": {"type": "dict"},
}
#: What every member of a cluster must say alike: the variable, and the option it was given to.
SHARED = {
    "keepalived_hosts": "hosts",
    "keepalived_vrrp_instances": "vrrp_instances",
    "keepalived_vrrp_scripts": "vrrp_scripts",
    "keepalived_track_files": "track_files",
    "keepalived_track_processes": "track_processes",
    "keepalived_vrrp_sync_groups": "vrrp_sync_groups",
    "keepalived_virtual_servers": "virtual_servers",
    "keepalived_virtual_server_groups": "virtual_server_groups",
    "keepalived_bfd_instances": "bfd_instances",
    "keepalived_transport": "transport",
    "keepalived_auth_pass": "auth_pass",
    "keepalived_timers": "timers",
    "keepalived_drain_file": "drain_file",
}


def message(findings: Iterable[Finding]) -> str:
    """One message for a person with everything that stops the run."""
    lines = [finding.text() for finding in findings]
    return "The cluster cannot work as it is described, nothing was changed:\n" + "\n".join(lines)


def _instances(cluster: Cluster) -> list[dict[str, Any]]:
    """Who is home to what."""
    found = []
    for group in groups(cluster):
        ranked = [member.host for member in sorted(group.members, key=lambda member: -member.healthy_priority)]
        vips = group.members[0].instance.vips + group.members[0].instance.excluded_vips
        found.append(
            {"name": group.name, "vips": [vip.address for vip in vips], "preferred": ranked[0], "backups": ranked[1:]}
        )
    return found


def planned(
    arguments: Mapping[str, Any],
    members: Mapping[str, Mapping[str, Any]],
    others: Mapping[str, list[WantedInstance]],
    others_passwords: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, Any]:
    """The result from the arguments, the members (see ``_variables.topology``), and the other clusters' instances."""
    variables = {**arguments, "global_defs": {**GLOBAL_DEFAULTS, **arguments["global_defs"]}}
    topology, findings = _variables.topology(variables, members)
    cluster, more = plan(topology)
    findings += more
    judged = shared_with_others(topology, others, arguments["shared_vrids"])
    if not at_or_above(findings, ERROR):
        # Rules on a cluster with holes in it would only repeat what was found already.
        judged += check(cluster)
        judged += judged_passwords(_passwords(arguments["auth_pass"]), others_passwords or {})
    # What cannot be planned cannot be allowed. An allowance of nothing may be about what only a running host shows.
    left, allowed = applied(judged, from_inventory(arguments["allowed_findings"]), judged=())
    findings += left
    return {
        "directors": {name: to_plain(director) for name, director in cluster.directors.items()},
        "files": {
            name: [file._asdict() for file in _write.files(director, arguments["conf_dir"])]
            for name, director in cluster.directors.items()
        },
        "vips": {
            name: [
                {
                    "address": vip.address,
                    "prefixlen": vip.interface.network.prefixlen,
                    "dev": vip.dev,
                    "instance": instance.name,
                }
                for instance in director.instances
                for vip in instance.vips + instance.excluded_vips
            ]
            for name, director in cluster.directors.items()
        },
        "instances": _instances(cluster),
        "holders": as_data(cluster),
        "sysctls": {name: lvs_sysctls(director) for name, director in cluster.directors.items()},
        "findings": [finding.as_dict() for finding in ordered(findings)],
        "allowed": allowed,
    }


class ActionModule(ActionBase):
    """Reads the members' facts and overrides from the inventory and plans."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """The module's result; errors of the description come as one message."""
        super().run(tmp, task_vars)
        _result, arguments = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        hostvars = (task_vars or {}).get("hostvars", {})
        findings: list[Finding] = []
        members = arguments["members"]
        others: dict[str, list[WantedInstance]] = {}
        others_passwords: dict[str, dict[str, str]] = {}
        if members is None:
            members = {host: _member(hostvars[host]) for host in arguments["hosts"] if host in hostvars}
            findings += _absent(arguments["hosts"], hostvars)
            # What concerns the inventory as a whole is said by one host for all.
            if (task_vars or {}).get("inventory_hostname") == arguments["hosts"][0]:
                findings += _disagreements(arguments, hostvars)
                others = _other_clusters(arguments["hosts"], hostvars)
                others_passwords = _other_passwords(others, hostvars)
        else:
            members = {host: members[host] or {} for host in arguments["hosts"] if host in members}
        if arguments["groups"] is None:
            # Nothing else is read of an inventory that may be large.
            wanted = {service.get(GROUP) for service in arguments["virtual_servers"]} - {None}
            arguments["groups"] = {name: hosts for name, hosts in _groups(task_vars).items() if name in wanted}
        if arguments["backends"] is None:
            used = {host for hosts in arguments["groups"].values() for host in hosts}
            arguments["backends"] = {host: _backend(hostvars[host]) for host in used if host in hostvars}
        try:
            result = planned(arguments, members, others, others_passwords)
        except (TypeError, ValueError, KeyError) as reason:
            raise AnsibleActionFail("The cluster's description could not be read: %s" % reason) from reason
        every = ordered([*findings, *(Finding(**finding) for finding in result["findings"])])
        result["findings"] = [finding.as_dict() for finding in every]
        errors = at_or_above(every, ERROR)
        if errors:
            return {"failed": True, "changed": False, "msg": message(errors)}
        if (task_vars or {}).get("inventory_hostname") == arguments["hosts"][0]:
            result["warnings"] = [finding.text() for finding in every if finding.severity == WARNING]
        return {**result, "changed": False}


def _member(variables: Any) -> dict[str, Any]:
    return {
        "facts": variables.get("ansible_facts"),
        "overrides": variables.get("keepalived_instance_overrides") or {},
        "haproxy_binds": _haproxy_binds(variables),
    }


def _passwords(given: Any) -> dict[str, str]:
    """Those that can be judged; what is none is told of elsewhere."""
    return {str(name): one for name, one in given.items() if isinstance(one, str)} if isinstance(given, Mapping) else {}


def _haproxy_binds(variables: Any) -> list[list[Any]] | None:
    """What the role haproxy is to bind: address, port, variable; None if it is not used. It says itself what is bad."""
    found: list[list[Any]] | None = None
    for name in ("haproxy_listens", "haproxy_frontends"):
        for index, section in enumerate(variables.get(name) or []):
            found = found or []
            for number, bind in enumerate(section.get("bind") or [] if isinstance(section, Mapping) else []):
                place = "%s[%d].bind[%d]" % (name, index, number)
                found += [[*one, place] for one in listeners(str(bind).partition(" ")[0])]
    return found


def _groups(task_vars: Any) -> dict[str, list[str]]:
    return {str(name): list(hosts) for name, hosts in ((task_vars or {}).get("groups") or {}).items()}


def _backend(variables: Any) -> dict[str, Any]:
    """A host that runs real servers: its facts, and the VIPs that the role real_server is to put on lo."""
    vips = variables.get("real_server_vips")
    if vips is not None and variables.get("real_server_state") == "absent":
        vips = []
    return {"facts": variables.get("ansible_facts"), "vips": vips}


def _absent(hosts: Iterable[str], hostvars: Any) -> list[Finding]:
    return [
        Finding(
            "KI001",
            ERROR,
            "%s is not in the inventory" % host,
            "Add the host, or take it out of keepalived_hosts.",
            host=host,
            path="keepalived_hosts",
        )
        for host in hosts
        if host not in hostvars
    ]


def _disagreements(arguments: Mapping[str, Any], hostvars: Any) -> list[Finding]:
    """KI005: members whose variables describe another cluster than this host's."""
    return [
        Finding(
            "KI005",
            ERROR,
            "%s is not the same on %s and %s" % (variable, arguments["hosts"][0], host),
            "Set it once for all directors; what differs by host belongs into keepalived_instance_overrides.",
            host=host,
            path=variable,
        )
        for host in arguments["hosts"][1:]
        if host in hostvars
        for variable, option in SHARED.items()
        if variable in hostvars[host] and _plain(hostvars[host][variable]) != _plain(arguments[option])
    ]


def _plain(value: Any) -> Any:
    """Without the difference between a number and its text that the argument specification makes."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else str(value)


def _other_clusters(hosts: Iterable[str], hostvars: Any) -> dict[str, list[WantedInstance]]:
    """The instances of every other cluster in the inventory, by the names of its hosts."""
    own = set(hosts)
    found: dict[str, list[WantedInstance]] = {}
    for host in hostvars:
        members = hostvars[host].get("keepalived_hosts") or []
        name = ", ".join(members)
        # A host that only sees the variables, from group_vars/all or -e, is no director.
        if host in members and own.isdisjoint(members) and name not in found:
            # What is wrong with them is said when their own plan is made.
            found[name] = _variables.wanted_instances(
                hostvars[host].get("keepalived_vrrp_instances") or [], "unicast", []
            )
    return found


def _other_passwords(clusters: Iterable[str], hostvars: Any) -> dict[str, dict[str, str]]:
    """The passwords of each of these clusters, as its first host has them."""
    return {
        name: _passwords(
            next((hostvars[one].get("keepalived_auth_pass") for one in name.split(", ") if one in hostvars), None)
        )
        for name in clusters
    }
