#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module keepalived_lint: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: keepalived_lint
short_description: Find what is wrong with a keepalived configuration, and read it
description:
  - Reads a keepalived configuration with everything it includes, as keepalived itself does, and reports what is wrong
    with it, with file and line.
  - Finds misspelt and misplaced keywords, values out of range, braces and quotes, includes that match nothing, and what
    C(keepalived -t) lets pass, such as a VIP without prefix, a check that cannot move it, or scripts run as root.
  - Needs no keepalived, so it also works on a folder of the controller, with C(delegate_to=localhost).
  - >-
    A comment lets a finding stay, with a reason, as C(# failover.vip: allow KH009 because the address is routed). It
    stands behind what the finding is about, on a line of its own above that, or in the block that it is about.
  - What needs more than one host, M(failover.vip.vrrp_validate) finds in the RV(model) of each.
version_added: 1.0.0
extends_documentation_fragment:
  - failover.vip._attributes
  - failover.vip._attributes.info_module
  - failover.vip._attributes.linux
  - failover.vip._attributes.action_group
options:
  path:
    description: The main configuration file.
    type: path
    default: /etc/keepalived/keepalived.conf
  host_id:
    description:
      - What conditional lines (C(@ID), C(@^ID)) are compared with, as keepalived's option C(--config-id).
      - By default the first part of the host's name, as keepalived takes it.
    type: str
  interfaces:
    description:
      - The host's interfaces, each with its addresses in CIDR notation, for the rules that need them.
      - Without them and without O(gather_interfaces) these rules say nothing.
    type: dict
  gather_interfaces:
    description: Reads the interfaces from the host (with C(ip), of iproute2).
    type: bool
    default: false
  gather_machine:
    description:
      - Reads from the host what surrounds keepalived, for the rules that need it.
      - These are keepalived's release, the scripts and users that the configuration names, kernel settings, HAProxy's
        configuration, the packet filter, keepalived's unit, systemd-networkd, the log, SELinux, and the capabilities.
      - It needs root to see all of it, and changes nothing. What cannot be learned is left out, and no rule speaks of
        it.
      - Not for a folder of the controller, which is another machine than the one the configuration is for.
    type: bool
    default: false
  fail_on:
    description:
      - Fails if there is a finding at least this bad.
      - By default it never fails, since it reads for others, which see the findings of all hosts and then decide.
    type: str
    choices: [error, warning, info, never]
    default: never
  fingerprint_key:
    description:
      - Passwords never appear in the result. With this key each is replaced by its fingerprint (HMAC-SHA-256 of the
        first eight characters, which are those that keepalived compares), so that M(failover.vip.vrrp_validate) can
        tell whether two hosts have the same.
      - Use a random key that is made for the run and forgotten after it. Passwords of eight characters are quickly
        found by trying for whoever has the key.
    type: str
notes:
  - Command lines are shown as they are, so keep passwords out of them.
seealso:
  - module: failover.vip.vrrp_validate
  - module: failover.vip.vrrp_plan
author:
  - failover.vip contributors (@failover-vip)
"""

EXAMPLES = r"""
---
- name: Read the live configuration
  failover.vip.keepalived_lint:
  register: lint

- name: Check a folder on the controller before it goes anywhere
  failover.vip.keepalived_lint:
    path: files/ka1/keepalived.conf
    host_id: ka1
    interfaces:
      eth0: [172.25.254.50/24]
    fail_on: error
  delegate_to: localhost

- name: Check a director with all that surrounds keepalived there
  failover.vip.keepalived_lint:
    gather_interfaces: true
    gather_machine: true
"""

RETURN = r"""
findings:
  description: What is wrong, worst first.
  returned: always
  type: list
  elements: dict
  contains:
    rule:
      description: Id of the rule.
      type: str
      sample: KH034
    severity:
      description: V(error), V(warning) or V(info).
      type: str
      sample: error
    message:
      description: What is wrong.
      type: str
      sample: "'enble_script_security' is no keyword of global_defs"
    hint:
      description: What to do.
      type: str
      sample: Did you mean 'enable_script_security'?
    host:
      description: Empty, since the module knows one host only.
      type: str
      sample: ""
    path:
      description: The file.
      type: str
      sample: /etc/keepalived/keepalived.conf
    line:
      description: The line in it.
      type: int
      sample: 9
    instance:
      description: The VRRP instance, if it is about one.
      type: str
      sample: WEB_VIP
allowed:
  description: Findings that a comment allows. They are not in RV(findings), and fail nothing.
  returned: always
  type: list
  elements: dict
  sample: [{"rule": "KH009", "reason": "the address is routed", "allowed_at": "/etc/keepalived/keepalived.conf:30"}]
allowances:
  description: All that comments allow, for M(failover.vip.vrrp_validate), which has rules of its own.
  returned: always
  type: list
  elements: dict
  sample: [{"rule": "KH009", "reason": "the address is routed", "path": "/etc/keepalived/keepalived.conf", "line": 31}]
model:
  description:
    - The configuration under keepalived's own keywords, in the shape of RV(failover.vip.vrrp_plan#module:directors),
      and in each block C(places), for each keyword the file and line where it stands.
    - With O(gather_machine) also C(machine), what was learned of the host, which M(failover.vip.vrrp_validate)
      understands.
    - Blocks of LVS, BFD and static addresses are checked and left out.
  returned: always
  type: dict
  sample: {"vrrp_instances": [{"name": "WEB_VIP", "virtual_router_id": 51}]}
files:
  description: The files that were read, in the order in which keepalived reads them.
  returned: always
  type: list
  elements: str
  sample: [/etc/keepalived/keepalived.conf]
"""

import ipaddress
import json
import platform
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.failover.vip.plugins.module_utils._conf._allowed import allowances, remembered
from ansible_collections.failover.vip.plugins.module_utils._conf._load import from_disk
from ansible_collections.failover.vip.plugins.module_utils._conf._parse import parse
from ansible_collections.failover.vip.plugins.module_utils._conf._plain import fingerprint, to_plain
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._conf._variables import interfaces_of
from ansible_collections.failover.vip.plugins.module_utils._finding import SEVERITIES, failing, ordered
from ansible_collections.failover.vip.plugins.module_utils._live._machine import collect, installed
from ansible_collections.failover.vip.plugins.module_utils._live._system import ThisHost
from ansible_collections.failover.vip.plugins.module_utils._machine_plain import machine_to_plain
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster, Interface
from ansible_collections.failover.vip.plugins.module_utils._rules._allowed import HOST_RULES, applied
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import RULES, check
from ansible_collections.failover.vip.plugins.module_utils._rules._elsewhere import READING
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import HOST


def _gathered(module: AnsibleModule) -> dict[str, Interface]:
    """The host's interfaces as its kernel has them."""
    command = [module.get_bin_path("ip", required=True), "-json", "address", "show"]
    rc, out, err = module.run_command(command, environ_update={"LC_ALL": "C"})
    if rc:
        module.fail_json(msg="the interfaces could not be read: %s" % err.strip(), rc=rc)
    return {
        link["ifname"]: Interface(
            link["ifname"],
            tuple(
                ipaddress.ip_interface("%s/%d" % (address["local"], address["prefixlen"]))
                for address in link.get("addr_info", [])
                if "local" in address
            ),
            "UP" in link.get("flags", []),
            link.get("address", ""),
        )
        for link in json.loads(out or "[]")
        if link.get("ifname")
    }


def main() -> None:
    """Reads, checks and reports."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "default": "/etc/keepalived/keepalived.conf"},
            "host_id": {"type": "str"},
            "interfaces": {"type": "dict"},
            "gather_interfaces": {"type": "bool", "default": False},
            "gather_machine": {"type": "bool", "default": False},
            "fail_on": {"type": "str", "choices": [*SEVERITIES, "never"], "default": "never"},
            "fingerprint_key": {"type": "str", "no_log": True},
        },
        mutually_exclusive=[("interfaces", "gather_interfaces")],
        supports_check_mode=True,
    )
    arguments = module.params
    try:
        interfaces = interfaces_of(arguments)
    except ValueError as reason:
        module.fail_json(msg="interfaces: %s; write addresses as 192.0.2.1/24" % reason)
    if arguments["gather_interfaces"]:
        interfaces = _gathered(module)
    host_id = arguments["host_id"] or platform.node().partition(".")[0]
    load, texts = remembered(from_disk)
    parsed = parse(arguments["path"], load, host_id)
    host = ThisHost()
    release = installed(host) if arguments["gather_machine"] else None
    director, findings = read(parsed.nodes, interfaces=interfaces, release=release)
    if arguments["gather_machine"]:
        director.machine = collect(host, director, parsed.paths)
    alone = [rule for rule in RULES if rule.scope == HOST]
    every = ordered([*parsed.findings, *findings, *check(Cluster({"": director}), alone)])
    allowing = allowances(texts)
    # A rule that needs the host was not looked for without it.
    judged = HOST_RULES if interfaces is not None and arguments["gather_machine"] else READING
    every, allowed = applied(every, allowing, judged)
    result: dict[str, Any] = {
        "changed": False,
        "findings": [finding.as_dict() for finding in every],
        "allowed": allowed,
        "allowances": [allowance.as_dict() for allowance in allowing],
        "model": to_plain(
            director,
            lambda secret, length: fingerprint(secret, length, arguments["fingerprint_key"] or ""),
            places=True,
        ),
        "files": list(parsed.paths),
    }
    if arguments["gather_machine"]:
        result["model"]["machine"] = machine_to_plain(director.machine)
    bad = failing(every, arguments["fail_on"])
    if bad:
        module.fail_json(
            msg="%s has mistakes:\n%s" % (arguments["path"], "\n".join(finding.text() for finding in bad)), **result
        )
    module.exit_json(**result)


if __name__ == "__main__":
    main()
