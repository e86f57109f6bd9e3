# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The rules about what surrounds keepalived."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.module_utils._model import Cluster, Origin, PathFacts
from ansible_collections.failover.vip.plugins.module_utils._rules import _environment
from ansible_collections.failover.vip.tests.unit.plugins.module_utils._rules.cases import (
    Case,
    Change,
    around,
    both,
    complete,
    everywhere,
    find,
    globally,
    on,
    silent,
)


def unit(**values: Any) -> Change:
    """keepalived's unit on ka1, one that does all right but for these."""
    names = ["network-online.target"]
    return around(unit={"wants": names, "after": names, "restart": "always", "stop_post": True, **values})


def readable(mode: int, reachable: bool = True) -> Change:
    """A password in a file of ka1 with this mode."""

    def change(cluster: Cluster) -> None:
        for one in cluster.directors.values():
            one.instances[0].options["authentication"] = {"auth_type": "PASS", "auth_pass": "abcdefgh"}
        director = cluster.directors["ka1"]
        director.instances[0].places["authentication"] = Origin("/etc/keepalived/keepalived.conf", 7)
        its = PathFacts(True, mode, "root", "root", reachable=reachable)
        director.machine.paths["/etc/keepalived/keepalived.conf"] = its

    return change


NETWORKD = {"name": "systemd-networkd", "file": "/etc/systemd/network/eth0.network"}
MULTICAST = everywhere(unicast_peer=None, unicast_src_ip=None)
TRAP = around(release=(2, 2, 7))


CASES: list[Case] = [
    ("KE012", "warning", "keepalived 2.2.7 runs, and 2.3.3 is installed", around(running_release=[2, 2, 7])),
    ("KE001", "error", "drops IP protocol 112 of IPv4: policy drop", around(vrrp_dropped={"4": "policy drop"})),
    (
        "KE002",
        "error",
        "{ execute } file /etc/check.sh",
        around(selinux={"mode": "enforcing", "denied": ["{ execute } file /etc/check.sh (keepalived)"]}),
    ),
    ("KE003", "warning", "no Wants=network-online.target and no After=", unit(wants=[], after=["basic.target"])),
    ("KE004", "error", "with KeepConfiguration=no", around(managers={"eth0": {**NETWORKD, "keep": ""}})),
    ("KE004", "error", "KeepConfiguration=dhcp", around(managers={"eth0": {**NETWORKD, "keep": "dhcp"}})),
    ("KE005", "error", "refuses every reload", TRAP),
    ("KE005", "info", "keepalived -t of 2.2.7 ends itself", both(TRAP, globally("ka1", reload_check_config=False))),
    ("KE006", "error", "lacks the capabilities NET_RAW", around(capabilities_missing=["NET_RAW"])),
    ("KE006", "error", "use_vmac needs kernel settings", on("ka1", use_vmac=[], vmac_xmit_base=True)),
    ("KE007", "warning", "multicast in a network of Amazon EC2", both(MULTICAST, around(cloud="Amazon EC2"))),
    ("KE007", "warning", "nothing tells Amazon EC2", around(cloud="Amazon EC2")),
    ("KE008", "error", "everybody may read it (mode 0644)", readable(0o644)),
    ("KE010", "warning", "neither ExecStopPost nor Restart", unit(restart="no", stop_post=False)),
    (
        "KE011",
        "info",
        "nothing rotates /var/log/k.log",
        around(log={"file": "/var/log/k.log", "rotated": False, "debug": ""}),
    ),
    ("KE011", "info", "runs with --debug=A", around(log={"file": "", "rotated": False, "debug": "--debug=A"})),
]


@pytest.mark.parametrize("case", CASES, ids=["%s-%s" % case[:2] for case in CASES])
def test_found(case: Case) -> None:
    find(case)


def test_every_rule_has_a_case() -> None:
    complete(_environment, CASES)


ACCEPTED: list[tuple[str, Change]] = [
    ("a machine of which nothing is known", around(facts={}, release=None)),
    ("denials while permissive", around(selinux={"mode": "permissive", "denied": ["{ execute }"]})),
    ("a firewall that drops another family", around(vrrp_dropped={"6": "policy drop"})),
    ("systemd-networkd that keeps", around(managers={"eth0": {**NETWORKD, "keep": "yes"}})),
    ("systemd-networkd on another interface", around(managers={"eth1": {**NETWORKD, "keep": ""}})),
    ("a test that works again", around(release=(2, 2, 8))),
    ("a cloud that is told", both(around(cloud="Amazon EC2"), globally("ka1", notify_fifo=["/run/fifo"]))),
    ("a password that root alone reads", readable(0o640)),
    ("a password in a directory of root's", readable(0o644, reachable=False)),
    ("a restart alone", unit(stop_post=False)),
    ("a clean-up alone", unit(restart="no")),
    ("the system's log", around(log={"file": "", "rotated": False, "debug": ""})),
]


@pytest.mark.parametrize(("name", "change"), ACCEPTED, ids=[name for name, _change in ACCEPTED])
def test_accepted(name: str, change: Change) -> None:
    silent(change)
