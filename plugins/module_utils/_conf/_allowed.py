# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Comments in keepalived.conf that let a finding stay: ``# failover.vip: allow KH009 because the VIP is a /32``.

One stands behind what it speaks of, or on a line of its own above it. It speaks of that line, and of the block that the
line is in, as a finding about a VIP has the line of ``virtual_ipaddress``. Several rules are parted by commas.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Callable

from ansible_collections.failover.vip.plugins.module_utils._conf._parse import Load, Source, uncommented
from ansible_collections.failover.vip.plugins.module_utils._finding import Allowance

_MARK = "failover.vip:"
_BEFORE = re.compile(r"[#!]+[ \t]*$")
_SAID = re.compile(r"allow[ \t]+(?P<rules>[^ \t].*?)(?:[ \t]+because(?:[ \t]+(?P<reason>.*))?)?$")
_QUOTED = re.compile(r'"[^"]*"?')


def remembered(load: Load) -> tuple[Callable[[str], Sequence[Source]], dict[str, str]]:
    """The same way to the files, and the text of each file that was read on it, by its path."""
    texts: dict[str, str] = {}

    def loading(path: str) -> Sequence[Source]:
        sources = load(path)
        texts.update((source.path, source.text) for source in sources if source.text is not None)
        return sources

    return loading, texts


def allowances(texts: Mapping[str, str]) -> list[Allowance]:
    """What the comments of these files allow. One that is not understood has no rule, or no reason."""
    return [allowance for path, text in texts.items() for allowance in _of_file(path, text)]


def _of_file(path: str, text: str) -> Iterator[Allowance]:
    if _MARK not in text:
        return
    waiting: list[Allowance] = []
    #: The lines on which the blocks around the current one begin.
    blocks: list[int] = []
    head = 0
    for number, line in enumerate(text.split("\n"), 1):
        waiting += _of_line(path, line.strip(), number)
        content = uncommented(line.rstrip("\r"))[0]
        if not content:
            continue
        around = blocks[-1] if blocks else 0
        yield from (replace(allowance, line=number, block_line=around) for allowance in waiting)
        waiting = []
        for word in re.split(r"([{}])", _QUOTED.sub("-", content)):
            if word == "{":
                blocks.append(head)
            elif word == "}":
                del blocks[-1:]
            elif word.strip():
                head = number
    # What stands below all else speaks of nothing.
    yield from waiting


def _of_line(path: str, line: str, number: int) -> list[Allowance]:
    """What the comment of one line allows; the line that it speaks of is not known yet."""
    before, mark, said = line.partition(_MARK)
    sign = _BEFORE.search(before)
    if not mark or sign is None or before[: sign.start()].count('"') % 2:
        return []
    found = _SAID.fullmatch(said.strip())
    if found is None:
        return [Allowance("", "", path=path, line=number, written=path, written_line=number)]
    rules = [rule for rule in re.split(r"[ \t,]+", found.group("rules")) if rule]
    reason = (found.group("reason") or "").strip()
    return [Allowance(rule, reason, path=path, line=number, written=path, written_line=number) for rule in rules]
