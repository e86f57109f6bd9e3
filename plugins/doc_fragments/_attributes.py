# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Attributes that the modules of this collection document alike.

Private to this collection: no other may rely on it.
"""

from __future__ import annotations


class ModuleDocFragment:
    """Text only. A module extends ``failover.vip._attributes`` and, of the others, those that are true of it.

    A module that changes something states ``support`` for check_mode, diff_mode, idempotent and platform itself.
    """

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: In check mode nothing is changed, and C(changed) says whether a real run would change something.
  diff_mode:
    description: In diff mode the result shows what changes, or in check mode would change, as text before and after.
  idempotent:
    description:
      - A second run with the same arguments reports no change.
      - This holds as long as nobody else changes the same things in between.
  platform:
    description: Operating systems of the hosts that the module runs on.
"""

    # For modules that only read: *_info, and those that measure.
    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - The module only reads, so it does the same in check mode.
  diff_mode:
    support: N/A
    details:
      - The module changes nothing.
  idempotent:
    support: full
    details:
      - The module changes nothing.
"""

    # For modules that run on the managed hosts.
    LINUX = r"""
options: {}
attributes:
  platform:
    support: full
    platforms: linux
"""

    # For action plugins that do everything on the controller and open no connection.
    CONTROLLER_ONLY = r"""
options: {}
attributes:
  action:
    description: The work is done on the controller, by an action plugin of the same name.
    support: full
  connection:
    description: Whether the connection of the host in the play is used.
    support: none
    details:
      - No connection is opened, so the host in the play need not be reachable.
  delegation:
    description: Whether C(delegate_to) has an effect.
    support: none
    details:
      - The result does not depend on the host that the task is delegated to.
  platform:
    support: full
    platforms: all
"""

    ACTION_GROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/failover.vip.vip) in C(module_defaults) to set defaults for all modules of the collection.
    support: full
    membership:
      - failover.vip.vip
"""
