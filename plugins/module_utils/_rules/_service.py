# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Virtual servers as the rules look at them: with their group, and addresses as numbers.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, Optional

from ansible_collections.failover.vip.plugins.module_utils._model import (
    AddressRange,
    Block,
    Director,
    Fwmark,
    Interface,
    RealServer,
    VirtualServer,
    VirtualServerGroup,
)
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault


@lru_cache(maxsize=65536)
def number(address: str) -> tuple[int, int]:
    """Family (4 or 6) and number of an address."""
    ip = ipaddress.ip_address(address)
    return ip.version, int(ip)


class Service(NamedTuple):
    """A virtual server of a director, with the group it names; None: it names none, or one that is not there."""

    director: Director
    server: VirtualServer
    group: Optional[VirtualServerGroup] = None

    @property
    def ranges(self) -> list[AddressRange]:
        """The addresses it balances."""
        if self.server.address:
            return [AddressRange(self.server.address, self.server.address, self.server.port)]
        return self.group.addresses if self.group else []

    @property
    def marks(self) -> list[Fwmark]:
        """The firewall marks it balances."""
        if self.server.fwmark is not None:
            return [Fwmark(self.server.fwmark)]
        return self.group.fwmarks if self.group else []

    @property
    def servers(self) -> list[RealServer]:
        """Its real servers and its sorry server."""
        return [*self.server.real_servers, *([self.server.sorry_server] if self.server.sorry_server else [])]

    def fault(
        self, message: str, keyword: str = "", block: Optional[Block] = None, hint: str = "", severity: str = ""
    ) -> Fault:
        """A fault of the virtual server at a keyword's place, in it or in a block of it."""
        place = (block or self.server).place(keyword)
        return Fault(message, self.director.host, self.server.name, place, hint, severity)


def services(director: Director) -> Iterator[Service]:
    """Every virtual server of a host, with its group (of two with one name keepalived takes the first)."""
    groups = {group.name: group for group in reversed(director.virtual_server_groups)}
    for server in director.virtual_servers:
        yield Service(director, server, groups.get(server.group) if server.group else None)


class Addresses:
    """A set of addresses that tells how many of a range are in it, however large the range."""

    def __init__(self, addresses: Iterable[str]) -> None:
        found = {number(address) for address in addresses}
        self._sorted = {version: sorted(value for of, value in found if of == version) for version in (4, 6)}

    def missing(self, one: AddressRange) -> int:
        """How many addresses of the range are not in the set."""
        (version, first), (_version, last) = number(one.first), number(one.last)
        known = self._sorted[version]
        return last - first + 1 - (bisect_right(known, last) - bisect_left(known, first))

    def __contains__(self, address: str) -> bool:
        return not self.missing(AddressRange(address, address))


def addresses_of(interfaces: Optional[dict[str, Interface]]) -> dict[str, str]:
    """Every address of a host, and the interface that has it."""
    return {str(address.ip): name for name, interface in (interfaces or {}).items() for address in interface.addresses}


def shown(one: AddressRange) -> str:
    """A range as a person writes it."""
    return one.first if one.first == one.last else "%s to %s" % (one.first, one.last)
