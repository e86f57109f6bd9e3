#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Documentation of the action plugin failover.vip.vrrp_plan."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: vrrp_plan
short_description: Compute every director's part of a VRRP cluster from one description
version_added: 1.0.0
author:
  - The failover.vip contributors (@failover-vip)
description:
  - Takes a VRRP cluster as the inventory describes it once, and computes what each director has to be told, namely
    state, priority,
    unicast source and peers, device and label of each VIP, router_id, and the text of its configuration files.
  - Checks the parts against each other with the rules of this collection, and fails with one message that names
    instance, hosts and mend
    if the cluster cannot work. No host is touched.
  - Priorities are allotted from the top, since a backup waits C((256 - priority)/256) of a second (VRRP version 2) or
    of the advertisement
    interval (version 3) after a clean stop of the master (RFC 9568 section 6.1). They lie close enough for each
    weighted check to move the VIP.
  - Passwords never appear in the result. Where one belongs, the files have the token C(%%auth_pass:INSTANCE%%), which
    M(failover.vip.keepalived_config) replaces on the target.
options:
  hosts:
    description:
      - The cluster's hosts, by their names in the inventory.
      - Their C(ansible_facts) and C(keepalived_instance_overrides) are read from the inventory unless O(members) is
        given.
    type: list
    elements: str
    required: true
  vrrp_instances:
    description:
      - The VRRP instances. Each has a C(name) and any keyword of keepalived's C(vrrp_instance) block, and may have
        C(hosts)
        (the instance's hosts in order of preference, default O(hosts)) and C(transport) (default O(transport)).
      - What is not set is computed. A misspelt key is refused.
    type: list
    elements: dict
    required: true
  vrrp_scripts:
    description: The C(vrrp_script) blocks, each with a C(name) and keepalived's keywords.
    type: list
    elements: dict
    default: []
  track_files:
    description: The C(track_file) blocks, each with a C(name) and keepalived's keywords.
    type: list
    elements: dict
    default: []
  track_processes:
    description: The C(vrrp_track_process) blocks, each with a C(name) and keepalived's keywords.
    type: list
    elements: dict
    default: []
  vrrp_sync_groups:
    description: The C(vrrp_sync_group) blocks, each with a C(name), its C(group) and keepalived's keywords.
    type: list
    elements: dict
    default: []
  virtual_servers:
    description:
      - Virtual servers (LVS). Each has C(address) and C(port), or C(fwmark), or C(group) (a name in
        O(virtual_server_groups)), any keyword of keepalived's C(virtual_server) block, and C(real_servers), a list with
        C(address), C(port), keywords of C(real_server) and checks.
      - C(real_servers_group) is a group of the inventory. Each of its hosts is a real server, with its address in the
        network of the virtual server, else in one of the directors'.
      - C(real_servers_defaults) is what every real server has that does not say it itself, C(port), keywords and
        checks. A check of its own takes the place of these checks.
      - What is said nowhere is V(lb_algo wlc), V(lb_kind DR), V(protocol TCP), V(delay_loop 1), V(connect_timeout 1),
        V(retry 1), V(delay_before_retry 1) and, of a real server behind TCP, C(TCP_CHECK). A dead real server is out
        after 4 seconds at most.
      - A virtual server goes to the hosts of the instance that holds its address, and to all if none does.
    type: list
    elements: dict
    default: []
  virtual_server_groups:
    description:
      - The C(virtual_server_group) blocks, each with a C(name), C(addresses) (as V(192.0.2.10-20 80)) and C(fwmarks).
    type: list
    elements: dict
    default: []
  bfd_instances:
    description: The C(bfd_instance) blocks, each with a C(name) and keepalived's keywords.
    type: list
    elements: dict
    default: []
  lvs_sync_daemon:
    description:
      - Where there are virtual servers and more than one host, directors tell each other of their connections, so that
        these survive a director. The kernel tells of a connection from its third packet on.
      - Written as C(lvs_sync_daemon) in O(global_defs) it is taken as it is.
    type: dict
    default: {}
    suboptions:
      enabled:
        description: Whether they do.
        type: bool
        default: true
      interface:
        description: Over which interface. By default that of the first instance with a virtual server.
        type: str
      instance:
        description:
          - Only the holder of this VRRP instance tells, and only the others listen.
          - By default every director does both, so that it does not matter who holds which VIP.
        type: str
      id:
        description:
          - Keeps apart what clusters on one network tell, 0 to 255. By default the lowest C(virtual_router_id) of
            O(vrrp_instances).
        type: int
  global_defs:
    description:
      - Keywords of C(global_defs), over the defaults V(reload_check_config), V(vrrp_version 3),
        V(vrrp_higher_prio_send_advert),
        V(enable_script_security) and V(router_id) with the host's name. V(null) takes a default away.
    type: dict
    default: {}
  transport:
    description:
      - V(unicast) or V(multicast), for instances that do not say it themselves.
      - The multicast group is keepalived's own C(vrrp_mcast_group4) or C(vrrp_mcast_group6) in O(global_defs).
    type: str
    default: unicast
  auth_pass:
    description:
      - Passwords of VRRP version 2, by the name of the instance. At most 8 characters. They travel in plain text.
    type: dict
    default: {}
  timers:
    description:
      - Numbers that belong together, for each instance that sets neither C(advert_int) nor C(down_timer_adverts)
        itself. A silent director is noticed within 3 seconds with V(safe), 0.9 seconds with V(standard) and 0.12
        seconds with V(fast).
      - Empty leaves keepalived's own numbers, 1 second and 3 advertisements. So does VRRP version 2, which counts in
        whole seconds.
    type: str
    choices: ['', safe, standard, fast]
    default: ''
  drain_file:
    description:
      - Every instance tracks this file. A negative number in it lowers the director's priorities by as much, and its
        VIPs move away with no gap; 0, or no file, leaves them alone.
      - Where no priority moves a VIP (C(nopreempt), priority 255), any number but 0 is a fault.
      - Empty for none.
    type: path
    default: ''
  notify:
    description:
      - Path of a script that each instance and each sync group calls at every change of state (C(notify)),
        with the arguments C(INSTANCE) or C(GROUP), its name, the state in capitals and the priority of the moment.
      - Empty for none.
    type: path
    default: ""
  conf_dir:
    description: Where the configuration will stand, for the absolute include.
    type: path
    default: /etc/keepalived
  shared_vrids:
    description: VRIDs that another cluster of the inventory may use on the same network.
    type: list
    elements: int
    default: []
  allowed_findings:
    description:
      - Findings that may stay, each with a reason. They are in RV(allowed) instead of RV(findings), and fail nothing.
      - What makes a plan impossible cannot be allowed.
    type: list
    elements: dict
    default: []
    suboptions:
      rule:
        description: Id of the rule.
        type: str
      reason:
        description: Why it may stay. Without it nothing is allowed, and that is a finding.
        type: str
      host:
        description: Only on this host.
        type: str
      instance:
        description: Only of this VRRP instance.
        type: str
  members:
    description:
      - What is known of each host, instead of the inventory's facts. For each name a dictionary with C(facts)
        (C(ansible_facts)) or
        C(interfaces) (interface name to a list of addresses with prefix), C(overrides) (instance name to keywords), and
        C(haproxy_binds) (what HAProxy is to bind, each a list of address, port and variable).
    type: dict
  groups:
    description: The hosts of the groups that real servers are taken from, instead of the inventory's.
    type: dict
  backends:
    description:
      - What is known of the hosts of O(groups), instead of the inventory's facts and C(real_server_vips).
      - For each name a dictionary with C(facts) or C(interfaces), and C(vips), the addresses that it is to hold on
        C(lo). Without C(vips) those count that it holds now.
    type: dict
extends_documentation_fragment:
  - failover.vip._attributes
  - failover.vip._attributes.info_module
  - failover.vip._attributes.controller_only
  - failover.vip._attributes.action_group
notes:
  - An action plugin, runs on the controller alone and opens no connection. Gather the facts of all members first.
seealso:
  - module: failover.vip.keepalived_config
"""

EXAMPLES = r"""
---
- name: Plan two directors that are each home to one VIP
  failover.vip.vrrp_plan:
    hosts: [ka1, ka2]
    vrrp_instances:
      - name: WEB_VIP
        virtual_router_id: 51
        interface: eth0
        virtual_ipaddress: [172.25.254.100/24]
        hosts: [ka1, ka2]
      - name: DB_VIP
        virtual_router_id: 52
        interface: eth0
        virtual_ipaddress: [172.25.254.200/24]
        hosts: [ka2, ka1]
    members:
      ka1: {interfaces: {eth0: [172.25.254.50/24]}}
      ka2: {interfaces: {eth0: [172.25.254.60/24]}}
  register: plan

- name: Plan a virtual server (real_servers_group takes the hosts of a group instead)
  failover.vip.vrrp_plan:
    hosts: [ka1, ka2]
    vrrp_instances:
      - name: WEB_VIP
        virtual_router_id: 51
        interface: eth0
        virtual_ipaddress: [172.25.254.100/24]
    virtual_servers:
      - address: 172.25.254.100
        port: 80
        real_servers:
          - {address: 172.25.254.10, port: 80, HTTP_GET: {url: [{path: /, status_code: [200]}]}}
          - {address: 172.25.254.20, port: 80, HTTP_GET: {url: [{path: /, status_code: [200]}]}}
    members:
      ka1: {interfaces: {eth0: [172.25.254.50/24]}}
      ka2: {interfaces: {eth0: [172.25.254.60/24]}}

- name: Show what ka1 will be told
  ansible.builtin.debug:
    msg: "{{ plan.files.ka1 | map(attribute='content') | join }}"
"""

RETURN = r"""
---
directors:
  description: Each host's part under keepalived's own keywords.
  returned: success
  type: dict
  sample: {"ka1": {"vrrp_instances": [{"name": "WEB_VIP", "priority": 254, "unicast_peer": ["172.25.254.60"]}]}}
files:
  description: Each host's configuration files, their paths relative to O(conf_dir).
  returned: success
  type: dict
  sample: {"ka1": [{"path": "keepalived.conf", "content": "global_defs {"}]}
vips:
  description: Each host's VIPs, held or not.
  returned: success
  type: dict
  sample: {"ka1": [{"address": "172.25.254.100", "prefixlen": 24, "dev": "eth0", "instance": "WEB_VIP"}]}
instances:
  description:
    - For each instance its VIPs, the host that is home to them, and the others in the order in which they take over.
  returned: success
  type: list
  elements: dict
  sample: [{"name": "WEB_VIP", "vips": ["172.25.254.100"], "preferred": "ka1", "backups": ["ka2"]}]
sysctls:
  description: For each host, what its kernel needs for the virtual servers. Empty without any.
  returned: success
  type: dict
  sample: {"ka1": {"net.ipv4.vs.expire_nodest_conn": "1"}}
allowed:
  description: Findings that O(allowed_findings) speaks of, with C(reason) and C(allowed_at).
  returned: success
  type: list
  elements: dict
  sample: [{"rule": "KP017", "host": "ka1", "reason": "its second director comes in May"}]
holders:
  description:
    - For each instance a table of who holds its VIPs, for every combination of failed checks.
    - C(covers) says how far it goes, V(all) combinations, V(pairs) of hosts with failures, or V(single) ones.
    - Each of C(rows) has what has C(failed) by host, the C(holder) (empty for nobody), whether the priorities C(tie),
      and the C(priorities) by host (null for FAULT). Checks that come to the same priority share a row.
  returned: success
  type: dict
  sample:
    WEB_VIP:
      covers: all
      rows:
        - {"failed": {}, "holder": "ka1", "tie": false, "priorities": {"ka1": 254, "ka2": 253}}
        - {"failed": {"ka1": ["eth0"]}, "holder": "ka2", "tie": false, "priorities": {"ka1": null, "ka2": 253}}
findings:
  description: What the rules found, worst first. With one of severity V(error) the task fails, and the message has it.
  returned: success
  type: list
  elements: dict
  contains:
    rule:
      description: Id of the rule.
      returned: always
      type: str
      sample: KP018
    severity:
      description: V(error), V(warning) or V(info).
      returned: always
      type: str
      sample: error
    message:
      description: What is wrong.
      returned: always
      type: str
      sample: "when chk_flag fails (weight -10), ka1 still has 140 and ka2 only 100: no failover"
    hint:
      description: What to do.
      returned: always
      type: str
      sample: Make the weight at least 51, or bring the priorities closer.
    host:
      description: The host, if it is about one.
      returned: always
      type: str
      sample: ka1
    path:
      description: The variable of the inventory.
      returned: always
      type: str
      sample: keepalived_vrrp_instances[0].priority
    line:
      description: Line of a file; 0 for a variable.
      returned: always
      type: int
      sample: 0
    instance:
      description: The VRRP instance, if it is about one.
      returned: always
      type: str
      sample: WEB_VIP
"""
