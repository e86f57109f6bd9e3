# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""keepalived.conf as a tree, and the tree as text: the only place where braces and quotes are printed.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple, Optional

from ansible_collections.failover.vip.plugins.module_utils._model import Origin

#: A word that keepalived reads back as it is. '#' and '!' begin comments, '$' a variable, '@' a conditional line.
_BARE = re.compile(r"^[A-Za-z0-9_./:,+*%=<>|&^~?\[\]()'-][^\s\"#!{}$@\\]*$")

_ESCAPED_COMMENT = re.compile(r"\\([#!])")


class Raw(str):
    """A word as it stands in a file, quotes and all: it is printed as it is."""

    __slots__ = ()


class Node(NamedTuple):
    """A line, or a block where there are children. ``words[0]`` is the keyword."""

    words: tuple[str, ...]
    children: Optional[tuple[Node, ...]] = None
    origin: Origin = Origin()


def plain(word: str) -> str:
    """A word without what only the file needs: its double quotes, or the backslash before a # or !."""
    if len(word) > 1 and word[0] == word[-1] == '"':
        return str(word[1:-1])
    return (_ESCAPED_COMMENT.sub(r"\1", word) if "\\" in word else word).lstrip('"')


def quoted(word: str) -> str:
    """A command line in double quotes, with what would end them escaped: keepalived unescapes command lines."""
    return Raw('"%s"' % word.replace("\\", "\\\\").replace('"', '\\"'))


def _written(word: str) -> str:
    # Of other words than command lines keepalived only takes the quotes away.
    return word if isinstance(word, Raw) or _BARE.match(word) else '"%s"' % word


def text(nodes: Iterable[Node], depth: int = 0) -> str:
    """The nodes as keepalived.conf(5) wants them, four spaces a level."""
    lines: list[str] = []
    for node in nodes:
        line = "    " * depth + " ".join([node.words[0], *(_written(word) for word in node.words[1:])])
        if node.children is None:
            lines.append(line)
        else:
            lines += [line + " {", text(node.children, depth + 1).rstrip("\n"), "    " * depth + "}"]
            if not node.children:
                del lines[-2]
    return "\n".join(lines) + "\n" if lines else ""
