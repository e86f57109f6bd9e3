#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module haproxy_server: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: haproxy_server
short_description: Take a server out of a running HAProxy and back
description:
  - Drains a server of one or all backends, puts it into maintenance or makes it ready again, and sets its weight,
    through HAProxy's runtime socket. No configuration changes.
  - A drained server gets no new clients and finishes those that it has; clients that a cookie binds to it still come.
    Its checks go on. In maintenance it gets none at all, and is not checked.
  - What was asked for and what the checks say are two things, and this module keeps them apart. A server that is down
    can be drained, and is then drained and down.
version_added: 1.0.0
extends_documentation_fragment:
  - failover.vip._attributes
  - failover.vip._attributes.linux
  - failover.vip._attributes.action_group
attributes:
  check_mode:
    support: full
    details:
      - Nothing is waited for, since nothing changes.
  diff_mode:
    support: full
    details:
      - State and weight of each server, before and after.
  idempotent:
    support: full
options:
  server:
    description: The server's name.
    type: str
    required: true
  backend:
    description: The backend or listen section. V(*) stands for all that have such a server.
    type: str
    default: '*'
  state:
    description:
      - V(ready) lets it take part again, as far as its checks are good.
      - V(drain) gives it no new clients.
      - V(maint) takes it out at once. With O(wait_drained) it is drained first.
      - Not given, it stays as it is.
    type: str
    choices: [ready, drain, maint]
  weight:
    description:
      - Its weight, from 0 to 256. With 0 it gets no new clients either, although it is ready.
      - Not given, it stays as it is. RV(servers[].configured_weight) says which one the configuration has.
    type: int
  wait_drained:
    description:
      - With V(drain) and V(maint), how many seconds to wait at most until it serves no session any more.
      - If it still does then, the module fails. The server stays drained, and nothing is cut.
      - With 0 nothing is waited for.
    type: float
    default: 0
  wait_up:
    description:
      - With V(ready), how many seconds to wait at most until its checks find it up.
      - Out of maintenance HAProxy takes it as up before any check, so a check that passed since is waited for.
      - If it is not up then, the module fails, and says what the last check said. The server stays ready, and comes
        back when its checks are good.
      - With 0 nothing is waited for.
    type: float
    default: 0
  socket:
    description:
      - The runtime socket. It must have C(level admin).
      - By default the first that exists of C(/run/haproxy/control.sock) and C(/var/lib/haproxy/control.sock), which the
        role C(failover.vip.haproxy) makes, C(/run/haproxy/admin.sock) and C(/var/lib/haproxy/stats).
    type: path
notes:
  - HAProxy forgets all this at a reload, unless C(load-server-state-from-file) is configured. The server then is as
    the configuration has it.
  - A server that is in maintenance by its configuration (C(disabled)) becomes ready like any other.
author:
  - failover.vip contributors (@failover-vip)
"""

EXAMPLES = r"""
---
- name: Let a server finish, then take it out of every backend
  failover.vip.haproxy_server:
    server: rs11
    state: maint
    wait_drained: 60

- name: Take it back, and go on when its checks are good
  failover.vip.haproxy_server:
    server: rs11
    state: ready
    wait_up: 30

- name: Give it half of the load of others
  failover.vip.haproxy_server:
    backend: webcluster
    server: rs11
    weight: 50

- name: On every director, from the play of the real server itself
  failover.vip.haproxy_server:
    server: "{{ inventory_hostname }}"
    state: drain
    wait_drained: 60
  delegate_to: "{{ item }}"
  loop: "{{ groups['directors'] }}"
"""

RETURN = r"""
socket:
  description: The socket that was asked.
  returned: success
  type: str
  sample: /run/haproxy/control.sock
servers:
  description: The server in each of its backends, as it is now.
  returned: success
  type: list
  elements: dict
  contains:
    backend:
      description: The backend or listen section.
      type: str
      sample: webcluster
    server:
      description: The server.
      type: str
      sample: rs11
    state:
      description: What was asked for, V(ready), V(drain) or V(maint).
      type: str
      sample: drain
    status:
      description: HAProxy's own word, which mixes that with its checks.
      type: str
      sample: DRAIN
    up:
      description: Whether its checks have it up. One without checks is.
      type: bool
      sample: true
    weight:
      description: Its weight.
      type: int
      sample: 100
    configured_weight:
      description: The weight that the configuration has.
      type: int
      sample: 100
    sessions:
      description: Sessions that it serves.
      type: int
      sample: 0
    queued:
      description: Requests that wait for it alone.
      type: int
      sample: 0
    last_check:
      description: What its last check said, empty if it has none.
      type: str
      sample: L7OK
"""

import os
from collections.abc import Iterable, Iterator
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.failover.vip.plugins.module_utils._live._haproxy_socket import (
    DRAIN,
    MAINT,
    NAME,
    READY,
    Ask,
    HaproxyError,
    Server,
    choose,
    command,
    read_servers,
    unix_socket,
    wait_until,
)

SOCKETS = (
    "/run/haproxy/control.sock",
    "/var/lib/haproxy/control.sock",
    "/run/haproxy/admin.sock",
    "/var/lib/haproxy/stats",
)
#: Seconds until a command that HAProxy took must show.
_PATIENCE = 2.0


class Change:
    """What is wanted of one server's name in a running HAProxy."""

    def __init__(self, params: dict[str, Any], ask: Ask) -> None:
        self.params = params
        self.ask = ask

    def look(self) -> list[Server]:
        """The server in all backends that are meant."""
        return choose(read_servers(self.ask), self.params["backend"], self.params["server"])

    def wanted(self, server: Server) -> dict[str, Any]:
        """Its state and weight afterwards."""
        weight = self.params["weight"]
        return {"state": self.params["state"] or server.state, "weight": server.weight if weight is None else weight}

    def make(self, before: Iterable[Server]) -> list[Server]:
        """Does it, waits, and returns the servers as they are then."""
        for server in before:
            # Before it takes traffic.
            if self.wanted(server)["weight"] != server.weight:
                command(self.ask, f"set server {server.label} weight {self.params['weight']}")
        if self.params["state"] == MAINT and self.params["wait_drained"] > 0:
            # One that is in maintenance must not come back for it.
            for server in before:
                if server.state == READY:
                    command(self.ask, f"set server {server.label} state {DRAIN}")
            self.wait_drained()
        for server in self.look():
            if self.wanted(server)["state"] != server.state:
                command(self.ask, f"set server {server.label} state {self.params['state']}")
        servers, others = wait_until(self.look, lambda one: self.wanted(one) == shown(one), _PATIENCE)
        if others:
            raise HaproxyError(f"{said(others)}: HAProxy took the command, but it has no effect")
        if self.params["state"] == DRAIN and self.params["wait_drained"] > 0:
            servers = self.wait_drained()
        if self.params["state"] == READY and self.params["wait_up"] > 0:
            servers = self.wait_up()
        return servers

    def wait_drained(self) -> list[Server]:
        """Until no session is left."""
        seconds = self.params["wait_drained"]
        servers, busy = wait_until(self.look, lambda one: one.sessions + one.queued == 0, seconds)
        if busy:
            left = ", ".join(f"{one.label} has {one.sessions} sessions and {one.queued} queued" for one in busy)
            raise HaproxyError(
                f"still busy after {seconds:g} s: {left}. Nothing was cut, and it stays as it is: {said(busy)}."
                " Wait longer, or use state ready to take it back"
            )
        return servers

    def wait_up(self) -> list[Server]:
        """Until the checks are good."""
        seconds = self.params["wait_up"]
        servers, down = wait_until(self.look, lambda one: one.proven and not one.hindrance, seconds)
        if down:
            why = "; ".join(
                f"{one.label} is {one.status}, {one.hindrance or 'its last check: ' + (one.last_check or 'none yet')}"
                for one in down
            )
            raise HaproxyError(f"not up after {seconds:g} s: {why}")
        return servers


def shown(server: Server) -> dict[str, Any]:
    """What this module can change."""
    return {"state": server.state, "weight": server.weight}


def said(servers: Iterable[Server]) -> str:
    """For messages."""
    return ", ".join(f"{one.label} is {one.state} ({one.status})" for one in servers)


def diff(before: Iterable[Server], after: Iterable[tuple[Server, dict[str, Any]]]) -> dict[str, str]:
    """State and weight of each server, a line each."""

    def text(rows: Iterable[tuple[Server, dict[str, Any]]]) -> str:
        return "".join("%s: %s, weight %d\n" % (one.label, row["state"], row["weight"]) for one, row in rows)

    return {"before": text((one, shown(one)) for one in before), "after": text(after)}


def complaints(params: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the arguments."""
    for name in ("server", "backend"):
        if not NAME.fullmatch(params[name]) and (name, params[name]) != ("backend", "*"):
            yield f"{name} is '{params[name]}', which is no name in HAProxy (letters, digits and -_.: only)"
    if params["weight"] is not None and not 0 <= params["weight"] <= 256:
        yield f"weight is {params['weight']}, and must be 0 to 256"
    for name in ("wait_drained", "wait_up"):
        if params[name] < 0:
            yield f"{name} is {params[name]:g} s, and must not be negative"


def main() -> None:
    """Compare, change, wait and report."""
    module = AnsibleModule(
        argument_spec={
            "server": {"type": "str", "required": True},
            "backend": {"type": "str", "default": "*"},
            "state": {"type": "str", "choices": [READY, DRAIN, MAINT]},
            "weight": {"type": "int"},
            "wait_drained": {"type": "float", "default": 0},
            "wait_up": {"type": "float", "default": 0},
            "socket": {"type": "path"},
        },
        supports_check_mode=True,
    )
    wrong = list(complaints(module.params))
    if wrong:
        module.fail_json(msg="; ".join(wrong))
    path = module.params["socket"] or next(filter(os.path.exists, SOCKETS), "")
    if not path:
        module.fail_json(
            msg="there is none of %s: give the socket, and see that 'stats socket … level admin' is configured"
            % ", ".join(SOCKETS)
        )
    change = Change(module.params, unix_socket(path))
    try:
        before = change.look()
        after = [(one, change.wanted(one)) for one in before]
        changed = any(shown(one) != row for one, row in after)
        servers = before if module.check_mode else change.make(before)
    except HaproxyError as reason:
        text = f"{path}, {module.params['backend']}/{module.params['server']}: {reason}"
        module.fail_json(msg=text if text.endswith((".", "?")) else text + ".")
    result = {"changed": changed, "socket": path, "servers": [one.as_data() for one in servers]}
    if module._diff:
        result["diff"] = diff(before, after)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
