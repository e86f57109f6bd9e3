# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find HAProxy durations that are written without a unit."""

from __future__ import annotations

DOCUMENTATION = r"""
name: bare_durations
short_description: Find HAProxy durations that are written without a unit
version_added: 1.0.0
author:
  - failover.vip contributors (@failover)
description:
  - HAProxy reads a bare number as milliseconds. C(inter 3) is three milliseconds, where its writer nearly always
    meant three seconds. This filter walks through a value and names every duration that is not a whole number with a
    unit.
  - The keys whose values are durations are C(inter), C(fastinter), C(downinter), C(slowstart), C(hard_stop_after),
    C(stats_timeout) and all that begin with C(timeout_). A value that is empty is no duration and is passed over.
  - Raw configuration lines, that is strings in lists, are searched for the same keywords followed by a bare number.
options:
  _input:
    description:
      - Any value, usually a dictionary of a role's variables by name.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Refuse durations without a unit
  ansible.builtin.assert:
    that: __haproxy_bare | length == 0
    fail_msg: "{{ __haproxy_bare | join('\n') }}"
  vars:
    # gives "haproxy_listens[0].servers[0].inter: '3' has no unit ..."
    __haproxy_bare: "{{ {'haproxy_listens': haproxy_listens} | failover.vip.bare_durations }}"
"""

RETURN = r"""
_value:
  description: One message for each duration without a unit, empty if there is none.
  type: list
  elements: str
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_KEY = re.compile(r"(?:inter|fastinter|downinter|slowstart|hard_stop_after|stats_timeout|timeout_\w+)")
# HAProxy's configuration manual, section 2.5 "Time format": a whole number and one of these units.
_DURATION = re.compile(r"\d+(?:us|ms|s|m|h|d)")
_UNITS = "us, ms, s, m, h, d"
_BARE_IN_LINE = re.compile(
    r"(?:^|\s)((?:inter|fastinter|downinter|slowstart|hard-stop-after|timeout\s+[a-z-]+)\s+(\d+))(?=\s|$)"
)


def _advice(number: str) -> str:
    """Say what a bare number means to HAProxy and what to write instead."""
    return f"HAProxy would read {number} milliseconds: write {number}s, or {number}ms if that is meant"


def _walk(path: str, value: Any) -> Iterator[str]:
    """Yield a message for each duration below this path that lacks its unit."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            here = f"{path}.{key}" if path else str(key)
            yield from _duration(here, inner) if _KEY.fullmatch(str(key)) else _walk(here, inner)
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            here = f"{path}[{index}]"
            if not isinstance(inner, str):
                yield from _walk(here, inner)
            elif not inner.lstrip().startswith("#"):
                for words, number in _BARE_IN_LINE.findall(inner):
                    yield f"{here}: '{words}' has no unit; {_advice(number)}"


def _duration(path: str, value: Any) -> Iterator[str]:
    """Yield a message if this value is neither empty nor a number with a unit."""
    text = "" if value is None else str(value).strip()
    if not text or _DURATION.fullmatch(text):
        return
    if text.isdecimal():
        yield f"{path}: '{text}' has no unit; {_advice(text)}"
    else:
        yield f"{path}: '{text}' is not a duration; write a whole number and a unit ({_UNITS}), for example 500ms"


def bare_durations(value: Any) -> list[str]:
    """Return a message for each HAProxy duration in the value that is not a whole number with a unit.

    Takes any value; dictionaries and lists are walked through. Units are HAProxy's own (configuration manual, 2.5).
    """
    return list(_walk("", value))


class FilterModule:
    """Ansible's table of this file's filters."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        """Return the filter by its name."""
        return {"bare_durations": bare_durations}
