# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""A finding: one thing that is wrong, or may be, with a VRRP cluster.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

ERROR = "error"
WARNING = "warning"
INFO = "info"

#: From the worst to the mildest.
SEVERITIES = (ERROR, WARNING, INFO)


@dataclass(frozen=True)
class Finding:
    """What a rule reports.

    ``path`` is a file, or the inventory's variable (``keepalived_vrrp_instances[0].priority``);
    ``line`` is 0 where there is no file. ``hint`` says what to do.
    """

    rule: str
    severity: str
    message: str
    hint: str = ""
    host: str = ""
    path: str = ""
    line: int = 0
    instance: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The finding as plain data, for a module's result."""
        return asdict(self)

    def text(self) -> str:
        """One line for a person: ``error KH010 [ka1, WEB_VIP] message (path:line). Hint``."""
        where = ", ".join(part for part in (self.host, self.instance) if part)
        source = self.path + (":%d" % self.line if self.line else "")
        parts = [self.severity, self.rule]
        if where:
            parts.append("[%s]" % where)
        message = self.message.rstrip(".")
        parts.append(message + (" (%s)." % source if source else "."))
        if self.hint:
            parts.append(self.hint)
        return " ".join(parts)


@dataclass(frozen=True)
class Allowance:
    """Somebody's word that what a rule finds may stay as it is, with the reason.

    What is empty matches everything: an inventory speaks of a host and an instance, a comment of a line of its file, or
    of the block around it, which begins on ``block_line``.
    ``written`` says where it stands, as a file or a variable of the inventory, ``written_line`` the line (0: none).
    """

    rule: str
    reason: str
    host: str = ""
    instance: str = ""
    path: str = ""
    line: int = 0
    block_line: int = 0
    written: str = ""
    written_line: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The allowance as plain data, for a module's result."""
        return asdict(self)

    def covers(self, finding: Finding) -> bool:
        """Whether it speaks of this finding."""
        return (
            finding.rule == self.rule
            and self.host in ("", finding.host)
            and self.instance in ("", finding.instance)
            and self.path in ("", finding.path)
            and (not self.line or (finding.line > 0 and finding.line in (self.line, self.block_line)))
        )

    def place(self) -> str:
        """Where it is written, for a person."""
        return self.written + (":%d" % self.written_line if self.written_line else "")


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Worst first, then by host, place and rule; exact duplicates once."""
    return sorted(
        set(findings),
        key=lambda f: (SEVERITIES.index(f.severity), f.host, f.path, f.line, f.instance, f.rule, f.message),
    )


def at_or_above(findings: Iterable[Finding], severity: str) -> list[Finding]:
    """Those findings that are as bad as *severity*, or worse."""
    limit = SEVERITIES.index(severity)
    return [finding for finding in findings if SEVERITIES.index(finding.severity) <= limit]


def failing(findings: Iterable[Finding], fail_on: str) -> list[Finding]:
    """Those findings that fail a module with the option ``fail_on``: a severity, or ``never``."""
    return [] if fail_on == "never" else at_or_above(findings, fail_on)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint naming the closest known word, or all of them if they are few; empty if nothing is near."""
    names = sorted(known)
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    if near:
        return "Did you mean '%s'?" % near[0]
    return "Known here: %s." % ", ".join(names) if len(names) <= 12 else ""
