#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module vip_watch: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vip_watch
short_description: Record when virtual addresses come to a host and leave it
description:
  - Listens to the kernel for O(duration) seconds, or until O(stop_file) appears, and returns each moment at which one
    of O(vips) came to the host or left it, with the lines that keepalived wrote to its log meanwhile.
  - Run it with C(async) on every director while something happens to them. Together the results say who held a VIP
    when, and whether two did.
  - Times are the host's own. Compare hosts only as far as their clocks agree.
version_added: 1.0.0
extends_documentation_fragment:
  - failover.vip._attributes
  - failover.vip._attributes.linux
  - failover.vip._attributes.info_module
  - failover.vip._attributes.action_group
options:
  vips:
    description: The addresses to watch, IPv4 or IPv6. A prefix length is allowed and ignored.
    type: list
    elements: str
    required: true
  duration:
    description: How long to watch, in seconds. At most 3600.
    type: float
    default: 60
  stop_file:
    description:
      - The watch ends early, within a tenth of a second of the moment at which this file appears.
      - It must not exist when the watch begins.
    type: path
  ready_file:
    description: Is made as soon as the watch has begun, and removed at its end.
    type: path
  log_file:
    description:
      - The log whose new lines are returned, at most 500. Where it does not exist, the journal is asked for the lines
        of keepalived's unit.
    type: path
    default: /var/log/keepalived.log
requirements:
  - iproute2 on the host (the command C(ip))
seealso:
  - module: failover.vip.vip_probe
  - module: failover.vip.vrrp_fault
author:
  - failover.vip contributors (@failover-vip)
"""

EXAMPLES = r"""
---
- name: Watch who holds the VIPs while something happens
  failover.vip.vip_watch:
    vips: [192.0.2.100, 2001:db8::100]
    duration: 30
    stop_file: /run/watch.stop
  async: 60
  poll: 0
  register: watch_job
"""

RETURN = r"""
began:
  description: When the watch began, in seconds of the epoch.
  returned: success
  type: float
  sample: 1763829120.2
ended:
  description: When it ended.
  returned: success
  type: float
  sample: 1763829150.2
vips:
  description: One entry for each address, in the order of O(vips).
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: The address, without its prefix.
      type: str
      sample: 192.0.2.100
    held_at_first:
      description: Whether the host had it when the watch began.
      type: bool
      sample: true
    events:
      description: What happened to it.
      type: list
      elements: dict
      contains:
        at:
          description: When, in seconds of the epoch.
          type: float
          sample: 1763829125.31
        held:
          description: Whether it came (true) or left.
          type: bool
          sample: false
log:
  description: What keepalived wrote to its log meanwhile.
  returned: success
  type: list
  elements: str
  sample: ['2026-11-22T16:12:00.123456+00:00 ka1 Keepalived_vrrp[812]: (WEB_VIP) Entering MASTER STATE']
"""

import ipaddress
import time
from pathlib import Path
from typing import Optional

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.failover.vip.plugins.module_utils._live._holders import parse_addresses
from ansible_collections.failover.vip.plugins.module_utils._live._monitor import Monitor

MAX_LINES = 500


def log_size(path: Path) -> Optional[int]:
    """Where the log ends now, None if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def log_lines(module: AnsibleModule, path: Path, size: Optional[int], began: float) -> list[str]:
    """What was written since."""
    if size is not None:
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                # A log that is shorter than before was rotated: all of it is new.
                file.seek(size if path.stat().st_size >= size else 0)
                return file.read(1_000_000).splitlines()[-MAX_LINES:]
        except OSError:
            return []
    journalctl = module.get_bin_path("journalctl")
    if journalctl is None:
        return []
    options = ["--unit=keepalived", "--since=@%.6f" % began, "--output=short-iso-precise", "--lines=%d" % MAX_LINES]
    _rc, out, _err = module.run_command([journalctl, "--quiet", "--no-pager", *options])
    return str(out).splitlines()


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "vips": {"type": "list", "elements": "str", "required": True},
            "duration": {"type": "float", "default": 60},
            "stop_file": {"type": "path"},
            "ready_file": {"type": "path"},
            "log_file": {"type": "path", "default": "/var/log/keepalived.log"},
        },
        supports_check_mode=True,
    )
    given = module.params
    if not 0.1 <= given["duration"] <= 3600:
        module.fail_json(msg="duration must be 0.1 to 3600 seconds")
    try:
        vips = [str(ipaddress.ip_interface(vip).ip) for vip in given["vips"]]
    except ValueError as reason:
        module.fail_json(msg="vips: %s" % reason)
    stop, ready = given["stop_file"], given["ready_file"]
    if stop and Path(stop).exists():
        module.fail_json(msg="stop_file %s is there already: the watch would end at once. Remove it first." % stop)
    ip = module.get_bin_path("ip", required=True, opt_dirs=["/sbin", "/usr/sbin"])
    log = Path(given["log_file"])
    size = log_size(log)
    monitor = Monitor(ip)
    try:
        if not monitor.pass_sentinel():
            module.fail_json(msg="'ip monitor address' tells nothing on this host")
        _rc, out, _err = module.run_command([ip, "-oneline", "address", "show"], check_rc=True)
        first = parse_addresses(out)
        # What came before the addresses were listed is in the list.
        seen = len(monitor.events)
        began = time.time()
        if ready:
            Path(ready).touch()
        end = time.monotonic() + given["duration"]
        while time.monotonic() < end and not (stop and Path(stop).exists()):
            if not monitor.read(min(0.1, max(0.0, end - time.monotonic()))):
                module.fail_json(msg="'ip monitor address' ended by itself")
        if not monitor.pass_sentinel():
            module.fail_json(msg="'ip monitor address' tells nothing any more")
        ended = time.time()
    finally:
        monitor.close()
        if ready:
            Path(ready).unlink(missing_ok=True)
    module.exit_json(
        changed=False,
        began=began,
        ended=ended,
        vips=[
            {
                "address": vip,
                "held_at_first": vip in first,
                "events": [
                    {"at": event.at, "held": event.held} for event in monitor.events[seen:] if event.address == vip
                ],
            }
            for vip in vips
        ],
        log=log_lines(module, log, size, began),
    )


if __name__ == "__main__":
    main()
