# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about keywords of one block that do not go together, each of which alone is right.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, WARNING
from ansible_collections.failover.vip.plugins.module_utils._model import OWNER_PRIORITY, Director
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault, fault
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, host_rule

#: keepalived's own TTL and hop limit of BFD packets (BFD_CONTROL_TTL and BFD_CONTROL_HOPLIMIT in bfd.h).
_TTL, _HOPLIMIT = 255, 64


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_interface(word)
    except ValueError:
        return False
    return True


@host_rule(
    "KH052",
    ERROR,
    "use_ipvlan without an address",
    "Write an address of the instance's network behind use_ipvlan that no other host has.",
    MAN + ", use_ipvlan",
)
def ipvlan_without_address(director: Director) -> Iterator[Fault]:
    """An ipvlan has the MAC of the interface below it, so in IPv4 it needs an address of its own to send from.

    Without one keepalived puts the instance into FAULT and leaves it there: it never takes the VIP.
    """
    for instance in director.instances:
        if "use_ipvlan" in instance.options and instance.family == 4:
            words = instance.options["use_ipvlan"] or []
            if not any(_is_address(str(word)) for word in words):
                yield fault(director, instance, "use_ipvlan has no address, so the instance is in FAULT", "use_ipvlan")


@host_rule(
    "KH053",
    WARNING,
    "owner_ignore_adverts at the wrong priority",
    "Drop owner_ignore_adverts: at priority 255 keepalived decides itself, at all others it has no meaning.",
    "keepalived vrrp.c",
)
def owner_ignores(director: Director) -> Iterator[Fault]:
    """Whether advertisements of others are dropped is a question for the owner of the address alone, priority 255.

    keepalived ignores the keyword at any other priority, and turns it on at 255 where it is off; its test reports both.
    """
    for instance in director.instances:
        ignores = instance.options.get("owner_ignore_adverts")
        owner = instance.priority == OWNER_PRIORITY
        if ignores is not None and bool(ignores) != owner:
            message = "owner_ignore_adverts is %s at priority %d, which keepalived does not follow"
            yield fault(
                director, instance, message % ("on" if ignores else "off", instance.priority), "owner_ignore_adverts"
            )


@host_rule(
    "KH054",
    WARNING,
    "max_hops above the TTL",
    "Raise ttl, or lower max_hops.",
    MAN + ", bfd_instance",
)
def hops_above_the_ttl(director: Director) -> Iterator[Fault]:
    """A packet cannot come over more hops than its TTL lets it go, and keepalived lowers max_hops to that."""
    for bfd in director.bfd_instances:
        default = _HOPLIMIT if ":" in str(bfd.options.get("neighbor_ip", "")) else _TTL
        ttl = int(bfd.options.get("ttl", bfd.options.get("hoplimit", default)))
        hops = int(bfd.options.get("max_hops", 0))
        if hops > ttl:
            yield Fault(
                "bfd_instance %s: max_hops %d is above its TTL of %d" % (bfd.name, hops, ttl),
                director.host,
                origin=bfd.place("max_hops"),
            )
