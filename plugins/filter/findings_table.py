# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lay findings out as a table for a person."""

from __future__ import annotations

DOCUMENTATION = r"""
name: findings_table
short_description: Lay findings out as a table for a person
version_added: 1.0.0
author:
  - failover.vip contributors (@failover)
description:
  - Makes a table of findings, with what is wrong and what to do about it, and a summary as its last line.
  - The worst come first, and among these what happens at this moment. What is the same in several places is one row.
positional: allowed
options:
  _input:
    description:
      - Findings as RV(failover.vip.vrrp_validate#module:findings) has them.
    type: list
    elements: dict
    required: true
  allowed:
    description:
      - Findings that somebody allows, as RV(failover.vip.vrrp_validate#module:allowed) has them. They are counted.
    type: list
    elements: dict
    default: []
  hosts:
    description: The hosts that were looked at, for the summary.
    type: list
    elements: str
    default: []
  width:
    description: How many characters a line may have.
    type: int
    default: 132
"""

EXAMPLES = r"""
- name: Read what is wrong
  ansible.builtin.debug:
    msg: "{{ checked.findings | failover.vip.findings_table(checked.allowed, hosts=['ka1', 'ka2']) }}"
"""

RETURN = r"""
_value:
  description: The lines of the table.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.failover.vip.plugins.module_utils._finding import SEVERITIES

_HEAD = ("SEVERITY", "RULE", "WHERE", "WHAT", "WHAT TO DO")
_GAP = "  "
#: Narrower columns cannot be read.
_LEAST_WIDTH = 80


def findings_table(
    findings: Iterable[Mapping[str, Any]],
    allowed: Iterable[Mapping[str, Any]] = (),
    hosts: Sequence[str] = (),
    width: int = 132,
) -> list[str]:
    """The lines of a table with a summary.

    Takes findings and allowed findings as vrrp_validate returns them, the names of the hosts, and the characters of a
    line. Raises AnsibleFilterError if a finding is none, or the width too small.
    """
    if width < _LEAST_WIDTH:
        raise AnsibleFilterError(f"failover.vip.findings_table: width is {width}, and must be at least {_LEAST_WIDTH}")
    try:
        found = sorted(findings, key=lambda one: (SEVERITIES.index(one["severity"]), not _is_now(one)))
        rows = _rows(found)
    except (KeyError, TypeError, ValueError) as reason:
        raise AnsibleFilterError(f"failover.vip.findings_table needs findings of vrrp_validate: {reason!r}") from reason
    lines = _laid_out([[[cell] for cell in _HEAD], *rows], width) if rows else []
    return [*lines, *([""] if lines else []), summary(found, list(allowed), hosts)]


def _is_now(finding: Mapping[str, Any]) -> bool:
    """Whether it is about what happens at this moment, and not about what is written."""
    return str(finding["rule"]).startswith(("KD", "KW", "KI009"))


def _rows(findings: Iterable[Mapping[str, Any]]) -> list[list[list[str]]]:
    """The cells of each row, each a list of paragraphs; what is the same in several places is one row."""
    same: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for finding in findings:
        same.setdefault(tuple(finding[part] for part in ("severity", "rule", "message", "hint")), []).append(finding)
    rows = []
    for (severity, rule, message, hint), found in same.items():
        instances = ", ".join(dict.fromkeys(finding["instance"] for finding in found if finding["instance"]))
        what = f"{instances}: {message}" if instances else message
        rows.append([[severity], [rule], list(dict.fromkeys(map(where, found))), [what], [hint]])
    return rows


def where(finding: Mapping[str, Any]) -> str:
    """host:file:line, as far as there is one."""
    line = str(finding["line"]) if finding.get("line") else ""
    return ":".join(part for part in (finding.get("host", ""), finding.get("path", ""), line) if part)


def _laid_out(rows: Sequence[Sequence[Sequence[str]]], width: int) -> list[str]:
    """The rows with their long cells broken; a blank line between two of them."""
    first, second, third = (max(len(text) for row in rows for text in row[column]) for column in (0, 1, 2))
    rest = width - first - second - 4 * len(_GAP)
    place = min(third, rest * 2 // 5)
    what = (rest - place) * 11 // 20
    widths = (first, second, place, what, rest - place - what)
    lines: list[str] = []
    for number, row in enumerate(rows):
        cells = [
            [line for text in cell for line in wrap(text, size, break_on_hyphens=False)]
            for cell, size in zip(row, widths, strict=True)
        ]
        if number > 1:
            lines.append("")
        lines += [
            _GAP.join(part.ljust(size) for part, size in zip(parts, widths, strict=True)).rstrip()
            for parts in zip_longest(*cells, fillvalue="")
        ]
    return lines


def summary(findings: Sequence[Mapping[str, Any]], allowed: Sequence[Any], hosts: Sequence[str]) -> str:
    """One line: how many of what, on which hosts."""
    counts = [(sum(finding["severity"] == severity for finding in findings), severity) for severity in SEVERITIES]
    said = ", ".join(
        f"{count} {severity}{'s' if count > 1 and severity != 'info' else ''}" for count, severity in counts if count
    )
    on = f" on {', '.join(hosts)}" if hosts else ""
    silent = f"; {len(allowed)} allowed" if allowed else ""
    return f"{said or 'Nothing found'}{on}{silent}."


class FilterModule:
    """Ansible's table of this file's filters."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        """Return the filter by its name."""
        return {"findings_table": findings_table}
