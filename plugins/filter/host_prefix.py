# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write an address as the prefix that holds this one host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: host_prefix
short_description: Write an address as the prefix that holds this one host
version_added: 1.0.0
author:
  - failover.vip contributors (@failover)
description:
  - A VIP on C(lo) must not bring its network along. Whatever prefix length it has elsewhere, there it is /32, or /128
    for IPv6.
  - The address comes back in the form in which the kernel prints it, so that the two can be compared as text.
options:
  _input:
    description: An IPv4 or IPv6 address, with or without a prefix length.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Say what belongs on lo
  ansible.builtin.debug:
    # gives ["172.25.254.100/32", "2001:db8::1/128"]
    msg: "{{ ['172.25.254.100/24', '2001:DB8:0::1'] | map('failover.vip.host_prefix') }}"
"""

RETURN = r"""
_value:
  description: The address with the length of a host's prefix.
  type: str
"""

from collections.abc import Callable
from ipaddress import ip_interface

from ansible.errors import AnsibleFilterError


def host_prefix(address: str) -> str:
    """Return the address, freed from its prefix length, with /32 or /128.

    Raises AnsibleFilterError, which names the value, if it is no IPv4 or IPv6 address.
    """
    try:
        ip = ip_interface(str(address)).ip
    except ValueError:
        raise AnsibleFilterError(f"'{address}' is not an IPv4 or IPv6 address") from None
    return f"{ip}/{ip.max_prefixlen}"


class FilterModule:
    """Ansible's table of this file's filters."""

    def filters(self) -> dict[str, Callable[[str], str]]:
        """Return the filter by its name."""
        return {"host_prefix": host_prefix}
