#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module vip_owner_info: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vip_owner_info
short_description: Ask the network who answers for a virtual address
description:
  - Asks by ARP (IPv4) or Neighbour Solicitation (IPv6) who answers for each virtual address. Nobody, one host, or
    two, which is a split brain.
  - The result is the truth of the wire. A daemon that believes to be MASTER without having the address, and a second
    host that keeps
    an address it should have given up, are both seen here, and not in any daemon's own state.
  - Asking changes no neighbour entry of anybody for the virtual address. IPv4 is asked with an ARP probe (RFC 5227),
    IPv6 from the
    link-local address of the asking interface.
  - All addresses are asked at once, several times within O(timeout).
version_added: 1.0.0
extends_documentation_fragment:
  - failover.vip._attributes
  - failover.vip._attributes.info_module
  - failover.vip._attributes.linux
  - failover.vip._attributes.action_group
options:
  vips:
    description:
      - The addresses to ask for, IPv4 or IPv6. A prefix length is allowed and ignored.
    type: list
    elements: str
    required: true
  interface:
    description:
      - The interface to ask on, for all of O(vips).
      - Without it, the interface that has the address, or else the one by which its network is reached directly, is
        found for each address.
    type: str
  timeout:
    description:
      - How long to listen for answers, in seconds. Silence is known only after all of it.
    type: float
    default: 1.0
  interval:
    description:
      - How often to ask within O(timeout), in seconds from one question to the next.
    type: float
    default: 0.25
requirements:
  - iproute2 on the host (the command C(ip))
  - the capability CAP_NET_RAW, which root has
notes:
  - A host that is just probing whether one of the addresses is free, with IPv4 Address Conflict Detection (RFC 5227),
    takes an ARP probe for a rival.
    Keepalived does not do this.
  - A hand-over of the address within O(timeout) shows as two answers. RV(vips[].answers[].first_ms) and
    RV(vips[].answers[].last_ms)
    tell it from a split brain, in which both go on answering.
seealso:
  - module: failover.vip.vip_probe
author:
  - failover.vip contributors (@failover-vip)
"""

EXAMPLES = r"""
---
- name: Ask who holds the virtual addresses
  failover.vip.vip_owner_info:
    vips:
      - 192.0.2.100/24
      - 2001:db8::100
  register: owners

- name: Stop unless each address has exactly one holder
  ansible.builtin.assert:
    that: owners.vips | rejectattr('verdict', 'equalto', 'one') | length == 0
    fail_msg: "{{ owners.vips | rejectattr('verdict', 'equalto', 'one') | map(attribute='address') | join(', ') }}"

- name: Ask on a given interface, and wait longer
  failover.vip.vip_owner_info:
    vips: [192.0.2.100]
    interface: eth0
    timeout: 3
    interval: 0.5
"""

RETURN = r"""
vips:
  description: One entry for each distinct address, in the order of O(vips).
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: The address, without prefix length.
      type: str
      sample: 192.0.2.100
    interface:
      description: The interface that was asked on.
      type: str
      sample: eth0
    local_interface:
      description: The interface of this host that has the address, V(null) when none has.
      type: str
      sample: eth0
    held_here:
      description:
        - Whether this host has the address and answers for it.
        - A real server of LVS, which has it on V(lo) and keeps silent about it (C(arp_ignore)), does not hold it.
      type: bool
      sample: false
    asked:
      description: How many times the question was sent.
      type: int
      sample: 4
    answers:
      description: Who answered, first come first. This host does not hear itself.
      type: list
      elements: dict
      contains:
        mac:
          description: The hardware address in the answer.
          type: str
          sample: 52:54:00:00:00:50
        first_ms:
          description: Milliseconds from the first question to the first answer.
          type: float
          sample: 0.231
        last_ms:
          description: Milliseconds from the first question to the last answer.
          type: float
          sample: 750.702
        replies:
          description: How many answers came. One host answers each question at most once.
          type: int
          sample: 4
    owners:
      description:
        - How many hosts hold the address. This one if RV(vips[].held_here), and each other hardware address that
          answered.
        - A virtual router MAC (keepalived's C(use_vmac)) that answers more often than it was asked is two hosts.
      type: int
      sample: 1
    verdict:
      description: V(none) for no owner, V(one) for one, V(split) for more.
      type: str
      sample: one
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.failover.vip.plugins.module_utils._live._owner import (
    OwnerError,
    ask,
    judge,
    questions,
    read_host,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "vips": {"type": "list", "elements": "str", "required": True},
            "interface": {"type": "str"},
            "timeout": {"type": "float", "default": 1.0},
            "interval": {"type": "float", "default": 0.25},
        },
        supports_check_mode=True,
    )
    timeout, interval = module.params["timeout"], module.params["interval"]
    if not 0.01 <= timeout <= 60 or not 0.01 <= interval <= timeout:
        module.fail_json(msg="timeout must be 0.01 to 60 seconds, and interval 0.01 seconds to timeout")
    ip = module.get_bin_path("ip", required=True, opt_dirs=["/sbin", "/usr/sbin"])

    def run(arguments: list[str]) -> str:
        _rc, out, _err = module.run_command([ip, *arguments[1:]], check_rc=True, environ_update={"LC_ALL": "C"})
        return str(out)

    try:
        host = read_host(run, lambda path: Path(path).read_text(encoding="ascii"))
        asked = questions(host, module.params["vips"], module.params["interface"])
        module.exit_json(changed=False, vips=judge(host, asked, ask(asked, timeout, interval)))
    except OwnerError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
