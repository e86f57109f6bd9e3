# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Say what all drills together mean."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drill_summary
short_description: Say what all drills together mean
version_added: 1.0.0
author:
  - failover.vip contributors (@failover-vip)
description:
  - Counts what passed, and says what the measured times mean for a year, as MTBF / (MTBF + MTTR).
options:
  _input:
    description: Records from P(failover.vip.drill_record#filter).
    type: list
    elements: dict
    required: true
  failures_per_year:
    description: How often a director fails without notice.
    type: float
    default: 12
"""

EXAMPLES = r"""
- name: Say what it means
  ansible.builtin.debug:
    msg: "{{ drill_records | failover.vip.drill_summary(failures_per_year=4) }}"
"""

RETURN = r"""
_value:
  description: The figures.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.failover.vip.plugins.module_utils._drill import summary


def drill_summary(records: Sequence[Mapping[str, Any]], failures_per_year: float = 12.0) -> dict[str, Any]:
    """Return the figures; see DOCUMENTATION."""
    return summary(records, float(failures_per_year))


class FilterModule:
    """Ansible's table of this file's filters."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        """Return the filter by its name."""
        return {"drill_summary": drill_summary}
