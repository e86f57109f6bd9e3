#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module vip_probe: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vip_probe
short_description: Keep asking virtual addresses at a fixed pace and measure every outage
description:
  - Asks any number of services from a client host at a fixed pace, and reports each outage with its start and length,
    and who answered before and after it.
  - A slow or missing answer does not delay the next probe (open loop), so that no outage hides behind a probe that
    waits.
  - The length of an outage is the time between the last good answer before it and the first one after it, less one
    O(interval).
    A service that was away for a time L is reported with L plus or minus one O(interval), the difference of the two
    answer times, and RV(pace.late_ms).
  - Run it with C(async) to measure while something else happens. Give C(async) more seconds than O(duration) and
    O(timeout) together.
version_added: 1.0.0
extends_documentation_fragment:
  - failover.vip._attributes
  - failover.vip._attributes.linux
  - failover.vip._attributes.action_group
attributes:
  check_mode:
    support: full
    details:
      - The services are asked as ever, O(samples_file) is not written.
  diff_mode:
    support: none
    details:
      - A measurement has no state before and after.
  idempotent:
    support: partial
    details:
      - Each run is a new measurement. RV(ignore:changed) is true when O(samples_file) was written.
options:
  targets:
    description:
      - What to ask. All are asked at the same pace, in turns.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Names the target in the results. Must be unique.
        type: str
        required: true
      kind:
        description:
          - How to ask. V(http) fetches O(targets[].path), and a good answer is complete and has one of
            O(targets[].status).
          - V(tcp) opens a connection and resets it. The kernel answers this even for a process that hangs.
          - V(udp) sends a datagram, as to an echo service, and any answer is a good one.
          - V(arp) asks the network who has the address (IPv4 only). The MAC address that answers is the backend, so a
            move shows by the change of names. Needs the capability CAP_NET_RAW, which root has.
        type: str
        choices: [arp, http, tcp, udp]
        default: http
      address:
        description: The IPv4 or IPv6 address.
        type: str
        required: true
      port:
        description: The port.
        type: int
        default: 80
      payload:
        description: What V(udp) sends.
        type: str
        default: vip_probe
      interface:
        description: The interface that V(arp) asks on. By default the one by which the address is reached directly.
        type: str
        default: ''
      path:
        description: What V(http) asks for. A short page is enough, at most 64 KiB of it are read.
        type: str
        default: /
      host:
        description: The name in the C(Host) header of V(http). By default O(targets[].address).
        type: str
      status:
        description: The HTTP status codes of a good answer.
        type: list
        elements: int
        default: [200]
      backend_header:
        description: The response header that names the server behind the address. By default the first line of the
          body names it.
        type: str
      backend_regex:
        description:
          - A Python regular expression that picks the server's name out of that header or line.
            The name is its first group, or all of the match if it has no group.
        type: str
  interval:
    description: The pace, in milliseconds from one probe of a target to the next. At least 1.
    type: float
    default: 10
  timeout:
    description:
      - A probe has failed when its answer is not complete after this many milliseconds.
      - From 1000 on, lost packets are sent again by the kernel, and show as slow answers and not as failed ones.
    type: float
    default: 500
  duration:
    description: How long to ask, in seconds. At most 3600.
    type: float
    default: 10
  max_probes:
    description: A run of more probes than this, of all targets together, is refused. At most 10000000.
    type: int
    default: 1000000
  stop_file:
    description:
      - The run ends early, in good order, within a tenth of a second and O(timeout) of the moment at which this file
        appears.
      - It must not exist when the run begins.
    type: path
  samples_file:
    description:
      - Write every probe to this file, as CSV with a header, in the order in which they finish. What was there is
        overwritten.
      - The columns are C(target), C(number), C(due) (seconds of the epoch), C(late_ms), C(took_ms), C(error) (empty
        for a good answer) and C(backend).
      - It is there as soon as the run has begun, and grows meanwhile.
    type: path
seealso:
  - module: failover.vip.vip_owner_info
author:
  - failover.vip contributors (@failover-vip)
"""

EXAMPLES = r"""
---
- name: Measure while the director is stopped
  failover.vip.vip_probe:
    targets:
      - name: WEB_VIP
        address: 192.0.2.100
      - name: DB_VIP
        address: 192.0.2.200
        path: /healthz
        backend_header: X-Backend
      - name: smtp
        kind: tcp
        address: 2001:db8::100
        port: 25
    interval: 5
    timeout: 500
    duration: 60
    stop_file: /run/probe.stop
    samples_file: /var/tmp/samples.csv
  async: 90
  poll: 0
  register: probe_job

- name: Ask a page whose first line is "served by rs11"
  failover.vip.vip_probe:
    targets:
      - name: WEB_VIP
        address: 192.0.2.100
        backend_regex: served by (\S+)
    duration: 5
"""

RETURN = r"""
targets:
  description: One entry for each target, in the order of O(targets).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the target.
      type: str
      sample: WEB_VIP
    sent:
      description: How many probes were sent.
      type: int
      sample: 2000
    failed:
      description: How many of them failed.
      type: int
      sample: 4
    unsent:
      description: How many probes this host could not send for want of ports, files or rights. They count nowhere else.
      type: int
      sample: 0
    availability:
      description: The share of the probes that were answered well, from 0 to 1. V(null) when none was sent.
      type: float
      sample: 0.998
    errors:
      description: Why probes failed, and how many did.
      type: dict
      sample: {"refused": 1, "timeout": 3}
    answer_ms:
      description: Time from departure to the complete good answer in milliseconds, as C(min), C(p50), C(p90), C(p99),
        C(p999) and C(max).
      type: dict
      sample: {"min": 0.2, "p50": 0.3, "p90": 0.4, "p99": 0.9, "p999": 2.0, "max": 2.6}
    outages:
      description: The outages, in order. They do not overlap, and each failed probe belongs to one.
      type: list
      elements: dict
      contains:
        start:
          description: When the first missing answer should have come, in seconds of the epoch.
          type: float
          sample: 1795355321.532188
        length_ms:
          description: From then to the next good answer, in milliseconds.
          type: float
          sample: 16.207
        failed_probes:
          description: How many probes failed in a row.
          type: int
          sample: 4
        before:
          description: Who gave the last good answer before. Empty when the answer names nobody, V(null) when there
            was none.
          type: str
          sample: ka1
        after:
          description: Who gave the first good answer after. V(null) when the outage did not end within the run.
          type: str
          sample: ka2
    longest_ms:
      description: The length of the longest outage in milliseconds, 0 without any.
      type: float
      sample: 16.207
    longest_gap_ms:
      description: The longest time between two good answers less one O(interval), in milliseconds, also when no probe
        failed.
      type: float
      sample: 16.207
    backends:
      description: Who answered, and how often. After 10000 different names the rest is counted as C((others)).
      type: dict
      sample: {"rs11": 998, "rs22": 998}
start:
  description: When the first probe was due, in seconds of the epoch.
  returned: success
  type: float
  sample: 1795355311.5
interval_ms:
  description: The pace that was asked for, in milliseconds.
  returned: success
  type: float
  sample: 5.0
stopped:
  description: Whether the run ended early, by O(stop_file) or a SIGTERM.
  returned: success
  type: bool
  sample: false
pace:
  description: How good the measurement itself was.
  returned: success
  type: dict
  contains:
    late_ms:
      description: How late probes left after they were due in milliseconds, as in RV(targets[].answer_ms). No figure
        is better than these.
      type: dict
      sample: {"min": 0.06, "p50": 0.07, "p90": 0.12, "p99": 0.3, "p999": 1.1, "max": 2.4}
    elapsed:
      description: How long the run took, in seconds.
      type: float
      sample: 10.001
    cpu_percent:
      description: How much of one processor the run took.
      type: float
      sample: 12.5
"""

import csv
import os
import re
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.failover.vip.plugins.module_utils._live._outages import Target, percentiles, summary
from ansible_collections.failover.vip.plugins.module_utils._live._owner import OwnerError, questions, read_host
from ansible_collections.failover.vip.plugins.module_utils._live._probe import (
    KINDS,
    Plan,
    ProbeError,
    Run,
    Sample,
    check,
    probe,
)

COLUMNS = ("target", "number", "due", "late_ms", "took_ms", "error", "backend")


def read_target(item: dict[str, Any]) -> Target:
    """Return the target that one element of `targets` describes. Raises ProbeError on a broken expression."""
    try:
        regex = re.compile(item["backend_regex"]) if item["backend_regex"] else None
    except re.error as error:
        raise ProbeError(f"target {item['name']}: backend_regex is no regular expression: {error}") from None
    payload = item["payload"].encode("utf-8")
    return Target(**{**item, "status": tuple(item["status"]), "backend_regex": regex, "payload": payload})


def placed(module: AnsibleModule, target: Target) -> Target:
    """Return the target with the interface that ARP is asked on, and its MAC address. Raises OwnerError."""
    if target.kind != "arp":
        return target
    ip = module.get_bin_path("ip", required=True, opt_dirs=["/sbin", "/usr/sbin"])

    def run(arguments: list[str]) -> str:
        _rc, out, _err = module.run_command([ip, *arguments[1:]], check_rc=True, environ_update={"LC_ALL": "C"})
        return str(out)

    host = read_host(run, lambda path: Path(path).read_text(encoding="ascii"))
    asked = questions(host, [target.address], target.interface or None)[0]
    return target._replace(interface=asked.interface, mac=asked.mac)


def rows(samples: list[Sample], targets: list[Target]) -> list[tuple[Any, ...]]:
    """Return the lines of the samples file, without its header."""
    return [
        (
            targets[sample.target].name,
            sample.number,
            f"{sample.due:.6f}",
            f"{sample.late * 1000:.3f}",
            f"{sample.took * 1000:.3f}",
            sample.reply.error,
            sample.reply.backend,
        )
        for sample in samples
    ]


def result(run: Run, plan: Plan) -> dict[str, Any]:
    """Return what the module returns of a run."""
    return {
        "targets": [summary(series, plan.interval, run.epoch) for series in run.series],
        "start": round(run.epoch, 6),
        "interval_ms": round(plan.interval * 1000, 3),
        "stopped": run.stopped,
        "pace": {
            "late_ms": percentiles(run.pace.late),
            "elapsed": round(run.pace.elapsed, 3),
            "cpu_percent": round(100 * run.pace.cpu / run.pace.elapsed, 1),
        },
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "targets": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "name": {"type": "str", "required": True},
                    "kind": {"type": "str", "choices": sorted(KINDS), "default": "http"},
                    "address": {"type": "str", "required": True},
                    "port": {"type": "int", "default": 80},
                    "path": {"type": "str", "default": "/"},
                    "host": {"type": "str"},
                    "status": {"type": "list", "elements": "int", "default": [200]},
                    "backend_header": {"type": "str"},
                    "backend_regex": {"type": "str"},
                    "payload": {"type": "str", "default": "vip_probe"},
                    "interface": {"type": "str", "default": ""},
                },
            },
            "interval": {"type": "float", "default": 10},
            "timeout": {"type": "float", "default": 500},
            "duration": {"type": "float", "default": 10},
            "max_probes": {"type": "int", "default": 1000000},
            "stop_file": {"type": "path"},
            "samples_file": {"type": "path"},
        },
        supports_check_mode=True,
    )
    params = module.params
    stop_file, samples_file = params["stop_file"], None if module.check_mode else params["samples_file"]
    signals: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: signals.append(number))
    try:
        targets = [placed(module, read_target(item)) for item in params["targets"]]
        plan = Plan(params["interval"] / 1000, params["timeout"] / 1000, params["duration"], params["max_probes"])
        check(targets, plan)
        if stop_file and os.path.lexists(stop_file):
            raise ProbeError(f"stop_file {stop_file} exists already and would end the run at once: remove it first")
        with ExitStack() as stack:
            write = None
            if samples_file:
                file = stack.enter_context(open(samples_file, "w", encoding="utf-8", newline=""))
                write = csv.writer(file, lineterminator="\n")
                write.writerow(COLUMNS)
                file.flush()

            def record(samples: list[Sample]) -> None:
                if write:
                    write.writerows(rows(samples, targets))

            run = probe(targets, plan, record, lambda: bool(signals or (stop_file and os.path.lexists(stop_file))))
        outcome = result(run, plan)
    except (ProbeError, OwnerError) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"cannot write samples_file {samples_file}: {error.strerror}")
    for target in outcome["targets"]:
        if target["unsent"]:
            module.warn(f"{target['name']}: {target['unsent']} probes could not be sent by this host itself")
    module.exit_json(changed=bool(samples_file), **outcome)


if __name__ == "__main__":
    main()
