# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The healthy pair on which all rules are silent, and what its changes are made of."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from ansible_collections.failover.vip.plugins.module_utils._model import (
    Block,
    Cluster,
    Director,
    Interface,
    Machine,
    Origin,
    PathFacts,
    Track,
    Tracked,
    Vip,
    VrrpInstance,
)
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import check
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import rules_in

WEB, DB = "172.25.254.100", "172.25.254.200"
HAPROXY = "/etc/haproxy/haproxy.cfg"

#: A change to a healthy cluster.
Change = Callable[[Cluster], None]
#: A rule, the severity of its finding, words of the message, and the change that it finds.
Case = tuple[str, str, str, Change]


def machine() -> Machine:
    """All that can be known of a host, with nothing wrong."""
    keys = ("net.ipv4.ip_forward", "net.ipv4.ip_nonlocal_bind", "net.ipv6.ip_nonlocal_bind")
    return Machine(
        (2, 3, 3),
        {"/usr/bin/true": PathFacts(True, 0o755, "root", "root")},
        {"keepalived_script": True},
        {**dict.fromkeys(keys, "1"), "net.ipv4.conf.all.rp_filter": "0"},
        True,
        [(WEB, 80, Origin(HAPROXY, 40)), ("127.0.0.1", 8405, Origin(HAPROXY, 28))],
        {
            "running": True,
            "vrrp_dropped": {},
            "unit": {
                "wants": ["network-online.target"],
                "after": ["network-online.target"],
                "restart": "always",
                "stop_post": True,
            },
            "managers": {"eth0": {"name": "systemd-networkd", "file": "eth0.network", "keep": "static"}},
            "log": {"file": "/var/log/keepalived.log", "rotated": True, "debug": ""},
            "selinux": {"mode": "enforcing", "denied": []},
            "capabilities_missing": [],
            "sysctl_read_only": True,
            "bridges": {},
            "configured": {},
            "haproxy_freebind": [],
            "haproxy_servers": ["172.25.254.10"],
            "haproxy_durations": [],
            "haproxy_stats": [
                {"kind": "socket", "address": "/run/a.sock", "mode": "660", "level": "admin", "place": [HAPROXY, 1]},
                {"kind": "page", "address": "127.0.0.1:8405", "auth": False, "admin": True, "place": [HAPROXY, 2]},
            ],
        },
    )


def director(host: str, last: int, priorities: tuple[int, int]) -> Director:
    """One healthy director of the reference cluster, with a script that moves the VIP."""
    source, peer = "172.25.254.%d" % last, "172.25.254.%d" % (110 - last)
    instances = [
        VrrpInstance(
            name,
            {
                "state": "BACKUP",
                "interface": "eth0",
                "virtual_router_id": vrid,
                "priority": priority,
                "advert_int": 1,
                "unicast_src_ip": source,
                "unicast_peer": [peer],
                "virtual_ipaddress": [Vip(vip, 24, "eth0", "eth0:0")],
                "track_script": [Track("chk")],
            },
        )
        for name, vrid, vip, priority in (("WEB_VIP", 51, WEB, priorities[0]), ("DB_VIP", 52, DB, priorities[1]))
    ]
    return Director(
        host,
        Block(
            "",
            {
                "router_id": host,
                "vrrp_version": 2,
                "vrrp_higher_prio_send_advert": True,
                "enable_script_security": True,
                "script_user": ["keepalived_script"],
                "reload_check_config": True,
            },
        ),
        instances,
        scripts=[Tracked("chk", {"script": "/usr/bin/true", "interval": 2, "timeout": 1, "weight": Track("", -30)})],
        machine=machine(),
        interfaces={"eth0": Interface("eth0", (ipaddress.ip_interface(source + "/24"),))},
    )


def healthy() -> Cluster:
    """The reference cluster: two directors, two VIPs, each home to one."""
    return Cluster({"ka1": director("ka1", 50, (254, 253)), "ka2": director("ka2", 60, (253, 254))})


def on(hosts: str, **options: Any) -> Change:
    """Sets options of WEB_VIP on some hosts; None takes one away."""

    def change(cluster: Cluster) -> None:
        for host in hosts.split():
            own = cluster.directors[host].instances[0].options
            own.update(options)
            for key in [key for key, value in own.items() if value is None]:
                del own[key]

    return change


def everywhere(**options: Any) -> Change:
    """Sets options of WEB_VIP on both hosts."""
    return on("ka1 ka2", **options)


def globally(hosts: str, **options: Any) -> Change:
    """Sets global_defs on some hosts."""

    def change(cluster: Cluster) -> None:
        for host in hosts.split():
            cluster.directors[host].global_defs.options.update(options)

    return change


def both(*changes: Change) -> Change:
    """All of the changes."""

    def change(cluster: Cluster) -> None:
        for one in changes:
            one(cluster)

    return change


def around(**facts: Any) -> Change:
    """Sets what is known of ka1's machine: the fields of the class by their name, else facts."""

    def change(cluster: Cluster) -> None:
        known = cluster.directors["ka1"].machine
        for name, value in facts.items():
            if hasattr(known, name):
                setattr(known, name, value)
            else:
                known.facts[name] = value

    return change


def script(command: str, head: str = "", **facts: Any) -> Change:
    """Lets ka1's check run another command, whose first word is a file with these facts."""

    def change(cluster: Cluster) -> None:
        director = cluster.directors["ka1"]
        director.scripts[0].options["script"] = command
        its = {"exists": True, "mode": 0o755, "owner": "root", "group": "root", "head": head, **facts}
        program = director.commands()[0].program
        director.machine.paths[program] = PathFacts(**its)

    return change


def find(case: Case) -> None:
    """The rule finds the change, with this severity and these words, and says what to do."""
    rule, severity, words, change = case
    cluster = healthy()
    change(cluster)
    found = [finding for finding in check(cluster) if finding.rule == rule and words in finding.message]
    assert found, [finding.text() for finding in check(cluster)]
    assert {finding.severity for finding in found} == {severity}
    assert all(finding.hint for finding in found)


def silent(change: Change) -> None:
    """No rule finds anything."""
    cluster = healthy()
    change(cluster)
    found = [finding.text() for finding in check(cluster)]
    assert not found, found


def complete(room: ModuleType, cases: Iterable[Case]) -> None:
    """Every rule of a room has a case, one of them with the rule's own severity."""
    assert {(rule.id, rule.severity) for rule in rules_in(vars(room))} <= {case[:2] for case in cases}
