# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make one record of what a drill measured."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drill_record
short_description: Make one record of what a drill measured
version_added: 1.0.0
author:
  - failover.vip contributors (@failover-vip)
description:
  - Takes what the client, the directors' kernels and keepalived's logs say of one fault, and holds it against what
    VRRP promises for the live configuration (RFC 9568, section 6.1).
options:
  _input:
    description: The result of M(failover.vip.vip_probe), with a target of the instance's name.
    type: dict
    required: true
  vrrp_instance:
    description: The VRRP instance.
    type: str
    required: true
  vip:
    description: Its address.
    type: str
    required: true
  fault:
    description: What was done, as for M(failover.vip.vrrp_fault), or V(power_off).
    type: str
    required: true
  director:
    description: To which host.
    type: str
    required: true
  models:
    description: Host to RV(failover.vip.keepalived_lint#module:model).
    type: dict
    required: true
  watches:
    description: Host to the result of M(failover.vip.vip_watch).
    type: dict
    required: true
  times:
    description: C(broken_at) and C(healed_at), in seconds of the epoch.
    type: dict
    required: true
  states:
    description: C(before) and C(after), each a list of what every director held.
    type: dict
    required: true
  tolerance_ms:
    description: What a busy machine may add to the protocol's bound, in milliseconds.
    type: float
    default: 100
  return_ms:
    description:
      - How long clients may be away when the fault has healed, in milliseconds. A HAProxy that was cut off has counted
        its servers down, and needs as many good checks as C(rise) says before it sends to them again.
    type: float
    default: 100
"""

EXAMPLES = r"""
- name: Judge the drill
  ansible.builtin.set_fact:
    record: >-
      {{ probe | failover.vip.drill_record(vrrp_instance='WEB_VIP', vip='172.25.254.100', fault='stop', director='ka1',
         models=models, watches=watches, times=fault, states=states) }}
"""

RETURN = r"""
_value:
  description: The record; C(passed) says whether all was within its bounds, C(doubts) what was not.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import BadValue
from ansible_collections.failover.vip.plugins.module_utils._conf._plain import from_plain
from ansible_collections.failover.vip.plugins.module_utils._drill import record


def drill_record(
    probe: Mapping[str, Any],
    vrrp_instance: str,
    vip: str,
    fault: str,
    director: str,
    models: Mapping[str, Any],
    watches: Mapping[str, Any],
    times: Mapping[str, Any],
    states: Mapping[str, Any],
    tolerance_ms: float = 100.0,
    return_ms: float = 100.0,
) -> dict[str, Any]:
    """Return the record; see DOCUMENTATION. Raises AnsibleFilterError for what is no result of those modules."""
    try:
        directors = {host: from_plain(host, model, None) for host, model in models.items()}
        return record(
            vrrp_instance,
            vip,
            fault,
            director,
            directors,
            probe,
            watches,
            times.get("broken_at"),
            times.get("healed_at"),
            states,
            float(tolerance_ms),
            float(return_ms),
        )
    except (BadValue, KeyError, TypeError, ValueError, StopIteration) as reason:
        raise AnsibleFilterError(f"the drill of {vrrp_instance} on {director} cannot be judged: {reason!r}") from reason


class FilterModule:
    """Ansible's table of this file's filters."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        """Return the filter by its name."""
        return {"drill_record": drill_record}
