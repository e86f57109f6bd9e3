# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""A machine's facts as plain data for a module's result, and back.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.failover.vip.plugins.module_utils._model import Machine, Origin, PathFacts

_KEYS = ("release", "paths", "users", "sysctls", "ip_vs", "haproxy_binds", "facts")


def machine_to_plain(machine: Machine) -> dict[str, Any]:
    """What is known. The beginnings of scripts stay out, since a script may hold a password."""
    found: dict[str, Any] = {
        "release": None if machine.release is None else list(machine.release),
        "paths": {
            path: {key: value for key, value in facts._asdict().items() if key != "head"}
            for path, facts in machine.paths.items()
        },
        "users": dict(machine.users),
        "sysctls": dict(machine.sysctls),
        "ip_vs": machine.ip_vs,
        "haproxy_binds": None
        if machine.haproxy_binds is None
        else [[address, port, *origin] for address, port, origin in machine.haproxy_binds],
        "facts": dict(machine.facts),
    }
    return {key: value for key, value in found.items() if value is not None}


def machine_from_plain(data: Any) -> Machine:
    """The inverse of :func:`machine_to_plain`.

    :raises ValueError: if the data does not have that shape.
    """
    if not isinstance(data, Mapping) or set(data) - set(_KEYS):
        raise ValueError("'machine' must be a mapping of %s, as keepalived_lint gives it" % ", ".join(_KEYS))
    try:
        release, binds = data.get("release"), data.get("haproxy_binds")
        return Machine(
            None if release is None else tuple(int(part) for part in release),
            {str(path): PathFacts(**facts) for path, facts in dict(data.get("paths") or {}).items()},
            {str(name): bool(there) for name, there in dict(data.get("users") or {}).items()},
            {str(key): str(value) for key, value in dict(data.get("sysctls") or {}).items()},
            data.get("ip_vs"),
            None
            if binds is None
            else [(str(address), int(port), Origin(str(path), int(line))) for address, port, path, line in binds],
            dict(data.get("facts") or {}),
        )
    except (TypeError, ValueError, AttributeError) as reason:
        raise ValueError("'machine' cannot be read: %s" % reason) from None
