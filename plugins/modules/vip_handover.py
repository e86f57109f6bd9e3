#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module vip_handover: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vip_handover
short_description: Keep TCP connections alive while a VIP moves to another director
description:
  - A director knows the connections that were opened to it. When a VIP moves, their next packets come to another
    director, which resets them. With this module on both, the new holder passes such packets on to the old one for a
    while, and the old one goes on to take them, so that what had begun is finished where it began. New connections are
    the new holder's from the first moment on.
  - First on the old holder, with O(keep), then on the new one, with O(relay), then move the VIP. The playbooks
    C(drain), C(undrain) and C(rolling) of this collection do that.
  - Works for TCP, for services of the host itself (HAProxy) and for virtual servers (LVS), with IPv4 and IPv6. Both
    directors must be in one network.
  - Everything ends after O(seconds) by itself, even when nobody comes back for it. A new O(keep) takes the place of the
    one before, and so does a new O(relay).
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
      - Each run with O(state=present) begins anew. With another O(state) a second run changes nothing.
options:
  state:
    description:
      - V(present) begins it, V(absent) ends it now.
      - V(drained) changes nothing and waits until no connection to the addresses of O(keep) is left on this host, at
        most O(timeout) seconds. It does not fail when some are left.
    type: str
    choices: [present, absent, drained]
    default: present
  keep:
    description: The VIPs that leave this host.
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: The VIP, without a prefix length.
        type: str
        required: true
      interface:
        description: The interface that it is on. Needed with O(state=present).
        type: str
        default: ''
  relay:
    description: The VIPs that come to this host. Those that do not come after all do no harm.
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: The VIP, without a prefix length.
        type: str
        required: true
      to:
        description: The old holder's own address in that network, of the same family. RV(kept) tells it.
        type: str
        required: true
      interface:
        description: The interface through which the old holder is reached.
        type: str
        required: true
  seconds:
    description:
      - How long, in seconds, at most 3600. A connection that lasts longer is reset then, as it would have been at the
        move without this module.
    type: float
    default: 60
  timeout:
    description: For O(state=drained), in seconds.
    type: float
    default: 10
requirements:
  - systemd
  - C(nft), and the kernel's C(nft_dup_ipv4) or C(nft_dup_ipv6), for O(relay)
  - C(ip), for O(keep)
seealso:
  - module: failover.vip.vip_probe
  - module: failover.vip.haproxy_server
author:
  - failover.vip contributors (@failover-vip)
"""

EXAMPLES = r"""
---
- name: Go on with the connections that are open here
  failover.vip.vip_handover:
    keep:
      - {address: 192.0.2.100, interface: eth0}
    seconds: 30

- name: Wait until they have ended
  failover.vip.vip_handover:
    state: drained
    keep:
      - {address: 192.0.2.100}
    timeout: 20
  register: drained

- name: End it now
  failover.vip.vip_handover:
    state: absent
"""

RETURN = r"""
running:
  description: Whether anything is kept or passed on now.
  returned: success
  type: bool
  sample: true
kept:
  description: The VIPs of O(keep), for O(relay) of the other directors.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: The VIP, as given.
      type: str
      sample: 192.0.2.100
    to:
      description: This host's own address on that interface. For an IPv6 VIP the link-local one.
      type: str
      sample: 192.0.2.50
connections:
  description:
    - How many connections to the addresses of O(keep) are open on this host's own sockets. Those of virtual servers
      (LVS) do not count.
  returned: success
  type: int
  sample: 3
"""

import ipaddress
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.failover.vip.plugins.module_utils._live._handover import (
    Address,
    Connection,
    HandoverError,
    Kept,
    Relayed,
    balanced,
    keep_script,
    keep_undo,
    relay_rules,
    relay_undo,
    sockets,
)
from ansible_collections.failover.vip.plugins.module_utils._live._transient import end, running, unit_command

MAX_SECONDS = 3600.0


class Part(NamedTuple):
    """One of the two things that a host can do, each for a time of its own: ``keep`` or ``relay``."""

    name: str
    do: list[str]
    data: str
    undo: str


def unit_of(name: str) -> str:
    """The unit that undoes a part."""
    return "failover-vip-%s.service" % name


def state_of(name: str) -> Path:
    """The directory with what a part needs: of the host, gone with its next boot as all of it."""
    return Path("/run/failover-vip-%s" % name)


def read(path: str) -> str:
    """The text of a file of /proc, none where the kernel has no such thing."""
    try:
        return Path(path).read_text(encoding="ascii")
    except FileNotFoundError:
        return ""


def own_connections(vips: set[Address]) -> list[Connection]:
    """The connections of this host's sockets to these addresses."""
    found = sockets(read("/proc/net/tcp")) + sockets(read("/proc/net/tcp6"))
    return [connection for connection in found if connection.vip in vips]


def own_address(module: AnsibleModule, kept: Kept, vips: set[Address]) -> str:
    """The address by which the others reach this host on the interface of a VIP."""
    _rc, out, _err = module.run_command(["ip", "-json", "address", "show", "dev", kept.interface], check_rc=True)
    scope = "link" if kept.address.version == 6 else "global"
    for info in [info for interface in json.loads(out) for info in interface.get("addr_info", [])]:
        if "local" not in info or info.get("scope") != scope:
            continue
        address = ipaddress.ip_address(info["local"])
        # The host's own comes first: keepalived adds the VIPs later.
        if address.version == kept.address.version and address not in vips:
            return str(address)
    raise HandoverError(
        "%s on %s cannot be kept: the interface has no %s address of its own"
        % (kept.address, kept.interface, "link-local IPv6" if scope == "link" else "IPv4")
    )


def address_of(text: str, option: str) -> Address:
    """The address that an option gives."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise HandoverError("%s: '%s' is no address; give it without a prefix length" % (option, text)) from None


def interface_of(name: str, option: str) -> str:
    """The interface that an option names."""
    if not name or "/" in name or not Path("/sys/class/net", name).exists():
        raise HandoverError("%s: there is no interface '%s' on this host" % (option, name))
    return name


def given(params: dict[str, Any]) -> tuple[list[Kept], list[Relayed]]:
    """The checked options."""
    beginning = params["state"] == "present"
    keep = [
        Kept(
            address_of(item["address"], "keep"),
            interface_of(item["interface"], "keep") if beginning else item["interface"],
        )
        for item in params["keep"]
    ]
    relay = [
        Relayed(
            address_of(item["address"], "relay"),
            address_of(item["to"], "relay.to"),
            interface_of(item["interface"], "relay"),
        )
        for item in params["relay"]
    ]
    for move in relay:
        if move.address.version != move.to.version:
            raise HandoverError("relay: %s and %s are of different families" % (move.address, move.to))
    both = {item.address for item in keep} & {move.address for move in relay}
    if both:
        raise HandoverError("%s cannot both leave this host and come to it" % ", ".join(sorted(map(str, both))))
    if beginning and not keep and not relay:
        raise HandoverError("with state=present, keep or relay must name a VIP")
    if not 1 <= params["seconds"] <= MAX_SECONDS:
        raise HandoverError("seconds must be 1 to %g" % MAX_SECONDS)
    return keep, relay


def parts(keep: list[Kept], relay: list[Relayed]) -> list[Part]:
    """What is to be done and undone."""
    found = []
    if keep:
        state = str(state_of("keep"))
        found.append(Part("keep", ["sh", "-s"], keep_script(keep, state), keep_undo(keep, state)))
    if relay:
        known = own_connections({move.address for move in relay}) + balanced(read("/proc/net/ip_vs_conn"))
        found.append(Part("relay", ["nft", "--file", "-"], relay_rules(relay, known), relay_undo()))
    return found


def begin(module: AnsibleModule, part: Part) -> None:
    """Undo what was there, start the unit that will undo this, and do it."""
    for program in ("systemd-run", "nft" if part.name == "relay" else "ip"):
        module.get_bin_path(program, required=True, opt_dirs=["/sbin", "/usr/sbin"])
    if part.name == "relay":
        # By the kernel too: whether it can do all of that.
        rc, _out, err = module.run_command(["nft", "--check", "--file", "-"], data=part.data)
        if rc:
            raise HandoverError("nft or the kernel cannot pass packets on: %s" % " ".join(err.split()))
    if module.check_mode:
        return
    unit, state = unit_of(part.name), state_of(part.name)
    if running(module.run_command, unit):
        end(module.run_command, unit)
    shutil.rmtree(str(state), ignore_errors=True)
    state.mkdir(mode=0o700)
    undo = state / "undo"
    undo.write_text(part.undo, encoding="ascii")
    seconds = module.params["seconds"]
    waiting = ["sleep", "%g" % seconds]
    command = unit_command(unit, "Connections outlive the move of a VIP", str(undo), seconds + 30, waiting)
    module.run_command(command, check_rc=True)
    rc, _out, err = module.run_command(part.do, data=part.data)
    if rc:
        end(module.run_command, unit)
        raise HandoverError("could not be done, and is undone: %s" % " ".join(err.split()))


def run(module: AnsibleModule) -> dict[str, Any]:
    """Do what is asked for; returns the result."""
    keep, relay = given(module.params)
    vips = {item.address for item in keep}
    units = [unit_of("keep"), unit_of("relay")]
    result: dict[str, Any] = {"changed": False, "kept": []}
    if module.params["state"] == "present":
        result["kept"] = [
            {"address": option["address"], "to": own_address(module, item, vips)}
            for option, item in zip(module.params["keep"], keep)
        ]
        for part in parts(keep, relay):
            begin(module, part)
        result["changed"] = True
    elif module.params["state"] == "absent":
        there = [unit for unit in units if running(module.run_command, unit)]
        for unit in there if not module.check_mode else []:
            end(module.run_command, unit)
        result["changed"] = bool(there)

    def busy() -> int:
        return sum(connection.busy for connection in own_connections(vips))

    left = busy()
    deadline = time.monotonic() + (module.params["timeout"] if module.params["state"] == "drained" else 0)
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left = busy()
    return {**result, "connections": left, "running": any(running(module.run_command, unit) for unit in units)}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent", "drained"], "default": "present"},
            "keep": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "address": {"type": "str", "required": True},
                    "interface": {"type": "str", "default": ""},
                },
            },
            "relay": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "address": {"type": "str", "required": True},
                    "to": {"type": "str", "required": True},
                    "interface": {"type": "str", "required": True},
                },
            },
            "seconds": {"type": "float", "default": 60},
            "timeout": {"type": "float", "default": 10},
        },
        supports_check_mode=True,
    )
    os.environ["LC_ALL"] = "C"
    try:
        result = run(module)
    except HandoverError as reason:
        module.fail_json(msg=str(reason))
    else:
        module.exit_json(**result)


if __name__ == "__main__":
    main()
