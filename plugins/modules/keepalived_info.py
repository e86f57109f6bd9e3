#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module keepalived_info: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: keepalived_info
short_description: What a running keepalived believes, and what the kernel holds
description:
  - Asks the running keepalived for its state by a signal, and reads the dump that it writes. JSON where that is built
    in, the data dump elsewhere.
  - Puts beside each VRRP instance which of its VIPs the kernel really has. A MASTER without its VIP is a black hole, a
    BACKUP with one is a split brain.
  - It is what this host believes. Who answers on the network is told by M(failover.vip.vip_owner_info).
version_added: 1.0.0
extends_documentation_fragment:
  - failover.vip._attributes
  - failover.vip._attributes.info_module
  - failover.vip._attributes.linux
  - failover.vip._attributes.action_group
options:
  keepalived:
    description: The program. By default it is searched in C(PATH), C(/usr/sbin) and C(/usr/local/sbin).
    type: path
  pid_file:
    description: Where keepalived's parent process has its number.
    type: path
    default: /run/keepalived.pid
  timeout:
    description: How long to wait for the dump, in seconds.
    type: float
    default: 3.0
notes:
  - Needs root, as the dumps are readable by root alone. They are left in the daemon's C(/tmp), as keepalived does.
seealso:
  - module: failover.vip.vip_owner_info
author:
  - failover.vip contributors (@failover-vip)
"""

EXAMPLES = r"""
---
- name: Ask keepalived for its state
  failover.vip.keepalived_info:
  register: keepalived

- name: Stop where it believes something that the kernel does not
  ansible.builtin.assert:
    that:
      - keepalived.running
      - keepalived.instances | rejectattr('consistent') | length == 0
    fail_msg: "{{ keepalived.instances | rejectattr('consistent') | map(attribute='name') | join(', ') }}"
"""

RETURN = r"""
version:
  description: The installed version, empty if the program does not tell.
  returned: success
  type: str
  sample: 2.3.3
build:
  description: The options that it was built with.
  returned: success
  type: list
  elements: str
  sample: [LVS, VRRP, VRRP_AUTH, JSON, BFD]
running:
  description: Whether it runs. If not, there are no instances.
  returned: success
  type: bool
  sample: true
pid:
  description: The parent process, V(null) if there is none.
  returned: success
  type: int
  sample: 2716
source:
  description: The dump that was read, V(json) or V(data), V(null) without a process.
  returned: success
  type: str
  sample: json
instances:
  description: The VRRP instances.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
      sample: WEB_VIP
    virtual_router_id:
      description: The VRID.
      type: int
      sample: 51
    interface:
      description: The interface that VRRP runs on.
      type: str
      sample: eth0
    version:
      description: The VRRP version.
      type: int
      sample: 3
    state:
      description: V(INIT), V(BACKUP), V(MASTER) or V(FAULT).
      type: str
      sample: MASTER
    wanted_state:
      description: The state that it is to be in.
      type: str
      sample: MASTER
    priority:
      description: The base priority.
      type: int
      sample: 254
    effective_priority:
      description: The priority with the weights of what is tracked.
      type: int
      sample: 254
    advert_int:
      description: Seconds between two advertisements.
      type: float
      sample: 1.0
    nopreempt:
      description: Whether it leaves the VIP where it is when it returns.
      type: bool
      sample: false
    preempt_delay:
      description: Seconds that it waits when it returns.
      type: float
      sample: 0.0
    last_transition:
      description: When the state last changed, in seconds of the epoch.
      type: float
      sample: 1795367650.1086
    virtual_ipaddress:
      description: The VIPs in the advertisements, with prefix.
      type: list
      elements: str
      sample: [172.25.254.100/24]
    virtual_ipaddress_excluded:
      description: The VIPs that move along, with prefix.
      type: list
      elements: str
      sample: []
    held:
      description: Which of the VIPs the kernel has on an interface other than C(lo).
      type: list
      elements: str
      sample: [172.25.254.100]
    consistent:
      description: Whether that is what the state says, all of them for a MASTER and none otherwise.
      type: bool
      sample: true
    counters:
      description: keepalived's own counters. Empty where the data dump was read.
      type: dict
      sample: {"advert_rcvd": 7, "advert_sent": 3, "become_master": 1}
"""

import os
import time
from typing import Optional

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.failover.vip.plugins.module_utils._live._daemon import DaemonError, read


class Host:
    """This host, as `_daemon.System` wants it."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module

    def run(self, *command: str) -> tuple[int, str, str]:
        status, output, errors = self.module.run_command(list(command), environ_update={"LC_ALL": "C"})
        return int(status), str(output), str(errors)

    def text(self, path: str) -> Optional[str]:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return None

    def stamp(self, path: str) -> Optional[tuple[int, int]]:
        try:
            status = os.stat(path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size

    def signal(self, pid: int, number: int) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            raise DaemonError("keepalived (pid %d) ended just now. Run the task again." % pid) from None
        except PermissionError:
            raise DaemonError("keepalived (pid %d) can only be asked by root. Use become." % pid) from None

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def main() -> None:
    """Ask and tell."""
    module = AnsibleModule(
        argument_spec={
            "keepalived": {"type": "path"},
            "pid_file": {"type": "path", "default": "/run/keepalived.pid"},
            "timeout": {"type": "float", "default": 3.0},
        },
        supports_check_mode=True,
    )
    program = module.params["keepalived"] or module.get_bin_path(
        "keepalived", opt_dirs=["/usr/sbin", "/usr/local/sbin"]
    )
    if not program:
        module.fail_json(
            msg="keepalived is not installed here. Install it, or say where it is with the option keepalived."
        )
    try:
        result = read(Host(module), program, module.params["pid_file"], module.params["timeout"])
    except DaemonError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
