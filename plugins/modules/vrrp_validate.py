#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Documentation of the action plugin failover.vip.vrrp_validate."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: vrrp_validate
short_description: Check the keepalived configurations of several hosts against each other
version_added: 1.0.0
author:
  - failover.vip contributors (@failover-vip)
description:
  - Takes the configurations of the hosts of a VRRP cluster, whoever deployed it, and finds every way in which they do
    not fit together, such as another password, advertisement interval, version or set of VIPs, or unicast beside
    multicast. Each ends with both hosts holding the VIP, though C(keepalived -t) accepts each file.
  - Runs the rules that need one host alone as well.
options:
  configs:
    description:
      - The name of each host, and its configuration in one of these forms.
      - A string is the text of its C(keepalived.conf).
      - A list of files, each with C(path) and C(content), is a configuration with its includes, the main file first, as
        in RV(failover.vip.vrrp_plan#module:files). Paths are relative to O(conf_dir).
      - A mapping is RV(failover.vip.keepalived_lint#module:model), or all that this module returned, whose findings and
        allowances are taken over, with the host's name. Its passwords are fingerprints, which
        can be compared if O(failover.vip.keepalived_lint#module:fingerprint_key) was the same on all hosts.
      - Of registered results, here and in O(daemons), O(wires) and O(backends), one that failed is a finding, and one
        that was skipped is left out. So the other hosts are checked in any case.
    type: dict
    required: true
  conf_dir:
    description: Where the files of O(configs) stand.
    type: path
    default: /etc/keepalived
  interfaces:
    description:
      - The name of each host, and its interfaces with their addresses in CIDR notation.
      - Rules that need them say nothing of a host that is in neither O(interfaces) nor O(facts).
    type: dict
    default: {}
  facts:
    description: The name of each host, and its C(ansible_facts), from which the interfaces are taken.
    type: dict
    default: {}
  releases:
    description:
      - The name of each host, and the version of its keepalived, as V(2.2.7) or as package facts write it, for texts in
        O(configs). What that version does not know yet is a finding, and not taken for what the host does.
      - Results of M(failover.vip.keepalived_lint) know their host's version themselves.
    type: dict
    default: {}
  daemons:
    description:
      - The name of each host, and what M(failover.vip.keepalived_info) returned there.
      - Finds split brains, VIPs that nobody has, and daemons that run something else than their files say.
    type: dict
    default: {}
  wires:
    description:
      - The name of each host, and what M(failover.vip.vrrp_advert_info) returned there.
      - Finds strangers and two that speak at once, and compares what was heard with the files, and the senders with
        each other.
    type: dict
    default: {}
  backends:
    description:
      - The name of each real server, and a mapping of its C(facts) (or its C(interfaces)) and its C(sysctls).
      - Sysctls are named with dots, as C(net.ipv4.conf.all.arp_ignore).
    type: dict
    default: {}
  allowed_findings:
    description:
      - Findings that may stay. They are in RV(allowed) instead of RV(findings), and fail nothing.
      - >-
        A comment in a configuration file does the same, behind what it is about or on a line of its own above it, as
        C(# failover.vip: allow KH009 because the address is routed).
      - An unknown rule, a missing reason and an allowance that matches nothing are findings.
    type: list
    elements: dict
    default: []
    suboptions:
      rule:
        description: Id of the rule.
        type: str
      reason:
        description: Why it may stay.
        type: str
      host:
        description: Only on this host.
        type: str
      instance:
        description: Only of this VRRP instance.
        type: str
  holders:
    description: Whether to return RV(holders), the tables of who holds the VIPs.
    type: bool
    default: false
  fail_on:
    description: Fails if there is a finding at least this bad.
    type: str
    choices: [error, warning, info, never]
    default: error
extends_documentation_fragment:
  - failover.vip._attributes
  - failover.vip._attributes.info_module
  - failover.vip._attributes.controller_only
  - failover.vip._attributes.action_group
seealso:
  - module: failover.vip.keepalived_lint
  - module: failover.vip.vrrp_plan
  - module: failover.vip.keepalived_info
  - module: failover.vip.vrrp_advert_info
"""

EXAMPLES = r"""
---
- name: Check two files against each other
  failover.vip.vrrp_validate:
    configs:
      ka1: |
        global_defs {
            router_id ka1
        }
        vrrp_instance WEB_VIP {
            interface eth0
            virtual_router_id 51
            priority 254
            virtual_ipaddress {
                172.25.254.100/24
            }
        }
      ka2: |
        global_defs {
            router_id ka2
        }
        vrrp_instance WEB_VIP {
            interface eth0
            virtual_router_id 51
            priority 253
            virtual_ipaddress {
                172.25.254.100/24
            }
        }

- name: Tell who holds the VIPs when which checks have failed
  failover.vip.vrrp_validate:
    configs: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'lint'))) }}"
    holders: true
  register: validated
  run_once: true

- name: Read every director's live configuration
  failover.vip.keepalived_lint:
  register: lint

- name: Check them against each other
  failover.vip.vrrp_validate:
    configs: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'lint'))) }}"
    allowed_findings:
      - rule: KP017
        host: ka1
        reason: its second director comes in May
  run_once: true
"""

RETURN = r"""
---
findings:
  description: What is wrong, worst first.
  returned: always
  type: list
  elements: dict
  contains:
    rule:
      description: Id of the rule.
      returned: always
      type: str
      sample: KP002
    severity:
      description: V(error), V(warning) or V(info).
      returned: always
      type: str
      sample: error
    message:
      description: What is wrong.
      returned: always
      type: str
      sample: auth_pass differs (ka1, ka2)
    hint:
      description: What to do.
      returned: always
      type: str
      sample: Use the same authentication on all hosts.
    host:
      description: The host, of several that disagree the last.
      returned: always
      type: str
      sample: ka2
    path:
      description: The file.
      returned: always
      type: str
      sample: /etc/keepalived/keepalived.conf
    line:
      description: The line in it; 0 if not known.
      returned: always
      type: int
      sample: 14
    instance:
      description: The VRRP instance, if it is about one.
      returned: always
      type: str
      sample: WEB_VIP
holders:
  description:
    - For each instance a table of who holds its VIPs, for every combination of failed checks.
    - C(covers) says how far it goes, V(all) combinations, V(pairs) of hosts with failures, or V(single) ones.
    - Each of C(rows) has what has C(failed) by host, the C(holder) (empty for nobody), whether the priorities C(tie),
      and the C(priorities) by host (null for FAULT). Checks that come to the same priority share a row.
    - It takes for granted that the hosts hear and accept each other, which the findings are about.
  returned: with O(holders)
  type: dict
  sample:
    WEB_VIP:
      covers: all
      rows:
        - {"failed": {}, "holder": "ka1", "tie": false, "priorities": {"ka1": 254, "ka2": 253}}
        - {"failed": {"ka1": ["eth0"]}, "holder": "ka2", "tie": false, "priorities": {"ka1": null, "ka2": 253}}
allowed:
  description: The findings that somebody allows.
  returned: always
  type: list
  elements: dict
  contains:
    rule:
      description: Id of the rule.
      returned: always
      type: str
      sample: KP002
    severity:
      description: V(error), V(warning) or V(info).
      returned: always
      type: str
      sample: error
    message:
      description: What is wrong.
      returned: always
      type: str
      sample: auth_pass differs (ka1, ka2)
    hint:
      description: What to do.
      returned: always
      type: str
      sample: Use the same authentication on all hosts.
    host:
      description: The host, of several that disagree the last.
      returned: always
      type: str
      sample: ka2
    path:
      description: The file.
      returned: always
      type: str
      sample: /etc/keepalived/keepalived.conf
    line:
      description: The line in it; 0 if not known.
      returned: always
      type: int
      sample: 14
    instance:
      description: The VRRP instance, if it is about one.
      returned: always
      type: str
      sample: WEB_VIP
    reason:
      description: Why it may stay.
      returned: always
      type: str
      sample: the address is routed
    allowed_at:
      description: Where that is written, a file with its line, or the entry of O(allowed_findings).
      returned: always
      type: str
      sample: keepalived_allowed_findings[0]
"""
