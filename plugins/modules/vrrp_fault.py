#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module vrrp_fault: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_fault
short_description: Break a director for a while, on purpose
description:
  - Makes one fault on the host, for drills, and heals it. The fault is a transient systemd unit of the host itself,
    which heals when it ends, so a fault that cuts the connection, or a controller that goes away, leaves nothing
    broken.
  - One fault at a time. While one is there, another is refused.
version_added: 1.0.0
extends_documentation_fragment:
  - failover.vip._attributes
  - failover.vip._attributes.linux
  - failover.vip._attributes.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - No file or setting changes for good.
  idempotent:
    support: partial
    details:
      - Each run with O(state=present) makes the fault anew. With O(state=absent) a second run changes nothing.
options:
  state:
    description:
      - V(present) makes the fault and returns at once.
      - V(absent) heals it now, if it is still there, and says when it began and ended.
    type: str
    choices: [present, absent]
    default: present
  fault:
    description:
      - V(stop), V(reload) and V(restart) ask systemd to do that with keepalived. V(stop) starts it again.
      - V(kill) ends all of its processes with SIGKILL, V(hang) stops them with SIGSTOP and lets them go on.
      - V(link_down) takes O(interface) down, and restores its routes with it.
      - V(isolate) drops every packet that comes or goes through O(interface), V(vrrp_filtered) those of VRRP alone. The
        latter is a split brain.
      - V(service) stops O(service) and starts it again.
      - V(command) runs O(break_command) and O(heal_command).
      - Required with O(state=present).
    type: str
    choices: [stop, kill, hang, link_down, isolate, vrrp_filtered, service, command, reload, restart]
  seconds:
    description: How long the fault lasts, in seconds. At most 600.
    type: float
    default: 5
  delay:
    description: Seconds from the start of the unit to the fault, so that the answer is out before the network is gone.
    type: float
    default: 1
  interface:
    description: For the faults of the network.
    type: str
    default: ''
  service:
    description: The systemd unit for O(fault=service).
    type: str
    default: ''
  break_command:
    description: What breaks it, for the shell, with O(fault=command).
    type: str
    default: ''
  heal_command:
    description: What heals it. It is run even when O(break_command) fails.
    type: str
    default: ''
requirements:
  - systemd on the host
  - C(nft), with egress hooks (Linux 5.16), for O(fault=isolate); C(nft) for O(fault=vrrp_filtered)
seealso:
  - module: failover.vip.vip_probe
  - module: failover.vip.vip_watch
author:
  - failover.vip contributors (@failover-vip)
"""

EXAMPLES = r"""
---
- name: Kill keepalived with all of its processes
  failover.vip.vrrp_fault:
    fault: kill

- name: Cut the director off for three seconds
  failover.vip.vrrp_fault:
    fault: isolate
    interface: eth0
    seconds: 3

- name: Hear when it began and ended, and see that it is over
  failover.vip.vrrp_fault:
    state: absent
  register: fault
"""

RETURN = r"""
running:
  description: Whether the fault is there now.
  returned: success
  type: bool
  sample: false
broken_at:
  description: When the fault began, in seconds of the epoch by the host's clock. Null if there was none.
  returned: success
  type: float
  sample: 1763829120.25
healed_at:
  description: When it was healed. Null if it is still there, or there was none.
  returned: success
  type: float
  sample: 1763829125.31
"""

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.failover.vip.plugins.module_utils._live._faults import (
    KINDS,
    MAX_SECONDS,
    FaultError,
    fault_of,
    scripts,
)
from ansible_collections.failover.vip.plugins.module_utils._live._transient import end, running, unit_command

UNIT = "failover-vip-fault.service"

#: Of the host, gone with its next boot as every fault is.
STATE = Path("/run/failover-vip-fault")


def moment(name: str) -> float | None:
    """The time that a script noted, None if it did not."""
    try:
        return float((STATE / name).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def answer(module: AnsibleModule) -> dict[str, Any]:
    """What the scripts have noted so far."""
    return {
        "running": running(module.run_command, UNIT),
        "broken_at": moment("broken_at"),
        "healed_at": moment("healed_at"),
    }


def make(module: AnsibleModule) -> None:
    """Start the fault's unit."""
    given = module.params
    if not 0.1 <= given["seconds"] <= MAX_SECONDS or not 0 <= given["delay"] <= 60:
        module.fail_json(msg="seconds must be 0.1 to %g, and delay 0 to 60" % MAX_SECONDS)
    try:
        fault = fault_of(
            given["fault"],
            given["interface"],
            given["service"],
            {"break": given["break_command"], "heal": given["heal_command"]},
        )
    except FaultError as reason:
        module.fail_json(msg=str(reason))
    for program in ("systemd-run", *fault.needs):
        module.get_bin_path(program, required=True, opt_dirs=["/sbin", "/usr/sbin"])
    if given["interface"] and not Path("/sys/class/net", given["interface"]).exists():
        module.fail_json(msg="there is no interface %s on this host" % given["interface"])
    if running(module.run_command, UNIT):
        module.fail_json(
            msg="a fault is there already: one at a time. It heals by itself; state=absent heals it now.",
            **answer(module),
        )
    if not module.check_mode:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(STATE)
        STATE.mkdir(mode=0o700)
        for name, text in scripts(fault, given["delay"], given["seconds"], str(STATE)).items():
            (STATE / name).write_text(text, encoding="utf-8")
        limit = given["delay"] + given["seconds"] + 30
        breaking = ["/bin/sh", "%s/break" % STATE]
        # A unit of its own is none of the processes that the fault stops or kills.
        command = unit_command(UNIT, "A fault on purpose, healed by itself", "%s/heal" % STATE, limit, breaking)
        module.run_command(command, check_rc=True)
    module.exit_json(changed=True, **answer(module))


def heal(module: AnsibleModule) -> None:
    """End the fault's unit, which heals; wait until it has."""
    there = running(module.run_command, UNIT)
    if there and not module.check_mode:
        end(module.run_command, UNIT)
    result = answer(module)
    if result["broken_at"] is not None and not (STATE / "made").exists() and not module.check_mode:
        module.fail_json(
            msg="the fault could not be made; 'journalctl -u %s' on this host says why" % UNIT, changed=there, **result
        )
    module.exit_json(changed=there, **result)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "fault": {"type": "str", "choices": list(KINDS)},
            "seconds": {"type": "float", "default": 5},
            "delay": {"type": "float", "default": 1},
            "interface": {"type": "str", "default": ""},
            "service": {"type": "str", "default": ""},
            "break_command": {"type": "str", "default": ""},
            "heal_command": {"type": "str", "default": ""},
        },
        required_if=[("state", "present", ["fault"])],
        supports_check_mode=True,
    )
    os.environ["LC_ALL"] = "C"
    if module.params["state"] == "present":
        make(module)
    heal(module)


if __name__ == "__main__":
    main()
