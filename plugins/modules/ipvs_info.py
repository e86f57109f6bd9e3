#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module ipvs_info: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_info
short_description: The kernel's table of virtual servers (LVS)
description:
  - Asks the kernel itself, over generic netlink, for virtual services, their real servers with weights and connections,
    time-outs and sync daemons. Needs no C(ipvsadm).
  - Where the kernel has no IPVS, RV(available) is V(false) and RV(message) says what to do. The module does not fail
    then, and loads nothing.
version_added: 1.0.0
extends_documentation_fragment:
  - failover.vip._attributes
  - failover.vip._attributes.info_module
  - failover.vip._attributes.linux
  - failover.vip._attributes.action_group
requirements:
  - the capability CAP_NET_ADMIN, which root has
notes:
  - Each network namespace has a table of its own. The module reads that of the host it runs on.
seealso:
  - module: failover.vip.keepalived_info
author:
  - failover.vip contributors (@failover-vip)
"""

EXAMPLES = r"""
---
- name: Read the table of virtual servers
  failover.vip.ipvs_info:
  register: ipvs

- name: Stop where a kernel has no IPVS
  ansible.builtin.assert:
    that: ipvs.available
    fail_msg: "{{ ipvs.message }}"

- name: Wait until a real server that is to be stopped has no connection left
  failover.vip.ipvs_info:
  register: ipvs
  until: >-
    ipvs.services | map(attribute='real_servers') | flatten | selectattr('address', 'eq', '192.0.2.11')
    | map(attribute='active_connections') | sum == 0
  retries: 30
  delay: 1
"""

RETURN = r"""
available:
  description: Whether the kernel has IPVS. If not, lists are empty and values V(null).
  returned: success
  type: bool
  sample: true
message:
  description: Where it has none, what is missing, what to do and what works without it. Empty otherwise.
  returned: success
  type: str
  sample: ""
version:
  description: The version of IPVS.
  returned: success
  type: str
  sample: 1.2.1
connection_table_size:
  description: How many rows the table of connections has.
  returned: success
  type: int
  sample: 4096
timeouts:
  description: After how many seconds of silence a connection is forgotten.
  returned: success
  type: dict
  contains:
    tcp:
      description: Of TCP, when established.
      type: int
      sample: 900
    tcp_fin:
      description: Of TCP, when closing.
      type: int
      sample: 120
    udp:
      description: Of UDP.
      type: int
      sample: 300
services:
  description: The virtual services.
  returned: success
  type: list
  elements: dict
  contains:
    family:
      description: V(ipv4) or V(ipv6).
      type: str
      sample: ipv4
    protocol:
      description: V(tcp), V(udp), V(sctp) or a number. V(null) with a firewall mark.
      type: str
      sample: tcp
    address:
      description: The virtual address. V(null) with a firewall mark.
      type: str
      sample: 172.25.254.100
    port:
      description: The port, V(0) for all. V(null) with a firewall mark.
      type: int
      sample: 80
    fwmark:
      description: The firewall mark. V(null) without.
      type: int
      sample: null
    scheduler:
      description: The scheduler, keepalived's C(lb_algo). V(null) if the service has none.
      type: str
      sample: rr
    scheduler_flags:
      description: Its flags in ipvsadm's words, such as V(sh-fallback), V(sh-port) or V(flag-3).
      type: list
      elements: str
      sample: []
    one_packet:
      description: Whether each packet is scheduled by itself.
      type: bool
      sample: false
    persistence_timeout:
      description: For how many seconds a client stays with its real server. V(null) if it does not.
      type: int
      sample: 360
    persistence_engine:
      description: What tells clients apart, such as V(sip). V(null) for their addresses.
      type: str
      sample: null
    netmask:
      description:
        - Clients of one such network count as one in persistence. A mask for IPv4, a prefix length for IPv6.
      type: str
      sample: 255.255.255.255
    stats: &stats
      description: Counters since the entry was made or they were set to zero, and rates as the kernel estimates them.
      type: dict
      contains:
        connections:
          description: Connections.
          type: int
          sample: 6
        in_packets:
          description: Packets from clients.
          type: int
          sample: 36
        out_packets:
          description: Packets to clients, V(0) with direct routing and tunnels.
          type: int
          sample: 0
        in_bytes:
          description: Bytes from clients.
          type: int
          sample: 2388
        out_bytes:
          description: Bytes to clients.
          type: int
          sample: 0
        connections_per_second:
          description: Rate of new connections.
          type: int
          sample: 1
        in_packets_per_second:
          description: Rate of packets from clients.
          type: int
          sample: 6
        out_packets_per_second:
          description: Rate of packets to clients.
          type: int
          sample: 0
        in_bytes_per_second:
          description: Rate of bytes from clients.
          type: int
          sample: 398
        out_bytes_per_second:
          description: Rate of bytes to clients.
          type: int
          sample: 0
    real_servers:
      description: The real servers.
      type: list
      elements: dict
      contains:
        address:
          description: The address.
          type: str
          sample: 172.25.254.10
        port:
          description: The port.
          type: int
          sample: 80
        forwarding:
          description: V(dr), V(nat), V(tunnel), V(local) or V(bypass).
          type: str
          sample: dr
        tunnel_type:
          description: V(ipip), V(gue) or V(gre), V(null) if there is no tunnel or the kernel does not tell.
          type: str
          sample: null
        tunnel_port:
          description: The port of a V(gue) tunnel, V(null) elsewhere.
          type: int
          sample: null
        weight:
          description: The weight, V(0) if it gets no new connections.
          type: int
          sample: 1
        upper_threshold:
          description: With that many connections it gets no new ones, V(0) for no limit.
          type: int
          sample: 0
        lower_threshold:
          description: Below that many it gets new ones again, V(0) if not set.
          type: int
          sample: 0
        active_connections:
          description: Connections that are established.
          type: int
          sample: 0
        inactive_connections:
          description: Other connections that are remembered.
          type: int
          sample: 3
        persistent_connections:
          description: Clients that are to stay with it.
          type: int
          sample: 0
        stats: *stats
sync_daemons:
  description: The daemons that tell other directors of connections.
  returned: success
  type: list
  elements: dict
  contains:
    state:
      description: V(master) sends, V(backup) receives.
      type: str
      sample: master
    interface:
      description: The interface.
      type: str
      sample: eth0
    sync_id:
      description: The ID that both sides must have, V(0) for any.
      type: int
      sample: 51
    sync_maxlen:
      description: The most bytes in a message. V(null) if the kernel does not tell.
      type: int
      sample: 1472
    group:
      description: The multicast group. V(null) if the kernel does not tell.
      type: str
      sample: 224.0.0.81
    port:
      description: The UDP port. V(null) if the kernel does not tell.
      type: int
      sample: 8848
    ttl:
      description: The time to live of its packets. V(null) if the kernel does not tell.
      type: int
      sample: 1
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.failover.vip.plugins.module_utils._live._ipvs import IpvsError, read
from ansible_collections.failover.vip.plugins.module_utils._live._netlink import opened


def main() -> None:
    """Ask and tell."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    try:
        result = read(os.path.exists, opened, os.uname().release)
    except IpvsError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
