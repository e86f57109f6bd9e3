# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Changes of a host that end by themselves: a transient systemd unit that undoes them, however it ends.

So nobody has to come back for it, neither the controller nor a connection that the change itself has cut.

Private to the collection failover.vip: it may change with any release.
"""

from __future__ import annotations

import time
from typing import Any, Callable

#: As AnsibleModule.run_command: exit status, output, errors.
Run = Callable[..., Any]
#: Seconds that undoing may take.
UNDO_SECONDS = 60


def unit_command(unit: str, description: str, undo: str, limit: float, command: list[str]) -> list[str]:
    """The command line that starts a unit.

    :param undo: the script that is run when the unit ends.
    :param limit: seconds after which it ends even if its command does not.
    """
    return [
        "systemd-run",
        "--quiet",
        "--collect",
        "--unit=%s" % unit,
        "--description=%s" % description,
        "--property=RuntimeMaxSec=%g" % limit,
        "--property=ExecStopPost=/bin/sh %s" % undo,
        # Not slower than what it is about, on a busy machine.
        "--property=Nice=-5",
        *command,
    ]


def running(run: Run, unit: str) -> bool:
    """Whether the unit is there, be it that it still undoes."""
    _rc, out, _err = run(["systemctl", "show", "--property=ActiveState", "--value", unit])
    return out.strip() not in ("inactive", "failed", "")


def end(run: Run, unit: str) -> None:
    """End the unit and wait until it has undone."""
    run(["systemctl", "stop", unit], check_rc=True)
    deadline = time.monotonic() + UNDO_SECONDS
    while running(run, unit) and time.monotonic() < deadline:
        time.sleep(0.1)
