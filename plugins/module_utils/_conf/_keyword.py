# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""What the keyword tables say of one keyword: its block is where it may stand, its kind is what it takes.

What a keyword's value is, and how it is written:

========== =============================== ==========================================
kind       value                           text
========== =============================== ==========================================
flag       True                            the bare keyword
switch     True or False                   the bare keyword, or ``keyword false``
int        a whole number in the range     ``keyword 51``
number     a number in the range           ``keyword 0.1``
choice     one of ``choices``              ``keyword MASTER``
word       one word                        ``keyword eth0``, quoted where needed
words      words, as a list or one string  ``keyword 192.0.2.1 25``
command    a command line                  ``keyword "/path/script argument"``
address    an IP address                   ``keyword 192.0.2.1``
server     an address and a port           ``keyword 192.0.2.1 80``
method     an LVS forwarding method        ``keyword TUN type gue port 6080``
weight     a Track: weight and reverse     ``weight -30 reverse``
items      a list of words                 a block with one item a line
vips       a list of Vip                   a block with one address a line
tracks     a list of Track                 a block with one name a line
lines      a list of free lines            a block with the lines as they are
block      options of the sub-block        a block (see ``Keyword.block``)
========== =============================== ==========================================

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from typing import NamedTuple, Optional


class BadValue(ValueError):
    """A value that its keyword cannot take; the message says what it takes."""


class Keyword(NamedTuple):
    """One keyword of one block. ``low`` and ``high`` are inclusive.

    ``since``: the version of keepalived that brought it, as (2, 2, 8).
    ``decimals``: the version since which a number may have decimals.
    ``header``: what stands between the keyword and the brace of a block: nothing, a ``name``, or ``words``. Outside
    blocks ``words`` may follow the value.
    ``many``: may stand more than once; of blocks the value is then a list.
    ``fold``: a choice in upper or lower case.
    ``pattern``: what a word, or each of the words, must match; ``shape`` says it to a person.
    """

    name: str
    kind: str
    low: Optional[float] = None
    high: Optional[float] = None
    choices: tuple[str, ...] = ()
    block: str = ""
    since: tuple[int, ...] = ()
    decimals: tuple[int, ...] = ()
    header: str = ""
    many: bool = False
    fold: bool = False
    pattern: str = ""
    shape: str = ""


def table(*keywords: Keyword) -> dict[str, Keyword]:
    """Keywords by their names."""
    return {keyword.name: keyword for keyword in keywords}
