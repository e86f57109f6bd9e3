# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Faults for drills: how each is made and healed, as shell commands, and the unit that does both.

Everything here is pure; the module runs the commands. A fault is a transient systemd unit of the host itself
(_transient): it breaks, sleeps, and heals when it ends, however it ends.

Private to the collection failover.vip: it may change with any release.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import NamedTuple

#: The nftables table of the faults that drop packets.
TABLE = "failover_vip_fault"
#: Seconds; a drill is no outage.
MAX_SECONDS = 600.0


class FaultError(Exception):
    """The fault cannot be made; the message says why and what to do."""


class Fault(NamedTuple):
    """The shell commands of one fault, and the programs they need."""

    breaking: str
    healing: str
    needs: tuple[str, ...] = ()


def fault_of(kind: str, interface: str = "", service: str = "", commands: Mapping[str, str] | None = None) -> Fault:
    """The commands of a fault.

    :param kind: one of :data:`KINDS`.
    :param interface: for those that cut a network off.
    :param service: the unit, for the kind ``service``.
    :param commands: ``break`` and ``heal`` of the kind ``command``.
    :raises FaultError: if what the kind needs is not given.
    """
    device, given = shlex.quote(interface), commands or {}
    if kind in ("link_down", "isolate", "vrrp_filtered") and not interface:
        raise FaultError("the fault '%s' needs an interface" % kind)
    if kind == "service" and not service:
        raise FaultError("the fault 'service' needs a service")
    if kind == "command" and not (given.get("break") and given.get("heal")):
        raise FaultError("the fault 'command' needs break_command and heal_command")
    if kind == "stop":
        return Fault("systemctl stop keepalived", "systemctl start keepalived")
    if kind == "kill":
        return Fault("systemctl kill --kill-who=all --signal=KILL keepalived", "systemctl start keepalived")
    if kind == "hang":
        return Fault(
            "systemctl kill --kill-who=all --signal=STOP keepalived",
            "systemctl kill --kill-who=all --signal=CONT keepalived",
        )
    if kind == "reload":
        return Fault("systemctl reload keepalived", "true")
    if kind == "restart":
        return Fault("systemctl restart keepalived", "systemctl start keepalived")
    if kind == "service":
        unit = shlex.quote(service)
        return Fault("systemctl stop %s" % unit, "systemctl start %s" % unit)
    if kind == "link_down":
        keep = "net.ipv6.conf.%s.keep_addr_on_down" % interface.replace(".", "/")
        # The kernel forgets a dead interface's routes, and its IPv6 addresses unless it is told to keep them.
        return Fault(
            f"ip -4 route save dev {device} >$STATE/routes4; ip -6 route save dev {device} >$STATE/routes6; "
            f"sysctl -n {keep} >$STATE/keep; sysctl -qw {keep}=1; ip link set dev {device} down",
            f"ip link set dev {device} up; ip -4 route restore <$STATE/routes4; ip -6 route restore <$STATE/routes6; "
            f'sysctl -qw {keep}="$(cat $STATE/keep)"',
            ("ip", "sysctl"),
        )
    if kind == "isolate":
        # At the device itself, where ARP and packet sockets pass too.
        return Fault(
            f"nft -f - <<E\ntable netdev {TABLE} {{\n"
            f'chain in {{ type filter hook ingress device "{interface}" priority -500; policy drop; }}\n'
            f'chain out {{ type filter hook egress device "{interface}" priority -500; policy drop; }}\n}}\nE',
            "nft delete table netdev %s" % TABLE,
            ("nft",),
        )
    if kind == "vrrp_filtered":
        return Fault(
            f"nft -f - <<E\ntable inet {TABLE} {{\n"
            f'chain in {{ type filter hook input priority -500; iifname "{interface}" meta l4proto 112 drop; }}\n'
            f'chain out {{ type filter hook output priority -500; oifname "{interface}" meta l4proto 112 drop; }}\n'
            "}\nE",
            "nft delete table inet %s" % TABLE,
            ("nft",),
        )
    if kind == "command":
        return Fault(given["break"], given["heal"])
    raise FaultError("there is no fault '%s'" % kind)


#: What a host can be made to suffer.
KINDS = (
    "stop",
    "kill",
    "hang",
    "link_down",
    "isolate",
    "vrrp_filtered",
    "service",
    "command",
    "reload",
    "restart",
)


def scripts(fault: Fault, delay: float, seconds: float, state: str) -> dict[str, str]:
    """The texts of the two scripts, by their names in the directory *state*: ``break`` and ``heal``.

    :param delay: seconds before the fault, so that the answer is out before a connection is cut.
    :param seconds: how long the fault lasts.
    """
    head = "#!/bin/sh\nSTATE=%s\n" % shlex.quote(state)
    now = "date +%s.%N"
    return {
        # What the commands say goes to the journal. If one cannot be made the unit ends, and heals.
        "break": "%ssleep %g\n%s >$STATE/broken_at\n(\n%s\n) || exit 1\ntouch $STATE/made\nexec sleep %g\n"
        % (head, delay, now, fault.breaking, seconds),
        "heal": "%stest -e $STATE/broken_at || exit 0\n(\n%s\n)\n%s >$STATE/healed_at\n" % (head, fault.healing, now),
    }
