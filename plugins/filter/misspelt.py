# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find role variables, and keys inside them, that the role's argument specification does not know."""

from __future__ import annotations

DOCUMENTATION = r"""
name: misspelt
short_description: Find variables and keys that a role's argument specification does not know
version_added: 1.0.0
author:
  - failover.vip contributors (@failover)
description:
  - Ansible drops a misspelt variable without a word, as nothing reads it.
    This filter compares variables with a role's argument specification and names each one that is not in it, with the
    name that was probably meant.
  - Values are not looked at, only names. For types and choices see M(ansible.builtin.validate_argument_spec).
positional: options
options:
  _input:
    description:
      - Variables by name, as they are in scope where the role runs.
      - Those that do not start with O(prefix) are ignored, so all of a host's variables may be given.
    type: dict
    required: true
  options:
    description:
      - The specification's options, that is C(argument_specs.ENTRY_POINT.options) of C(meta/argument_specs.yml).
      - Wherever a dictionary or a list of dictionaries has C(options) of its own, the keys inside are compared as well.
    type: dict
    required: true
  prefix:
    description:
      - What the names of the role's variables begin with, for example V(haproxy_).
    type: str
    required: true
  ignore:
    description:
      - Beginnings of names that belong to somebody else, for example V(haproxy_exporter_).
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Refuse misspelt variables
  ansible.builtin.assert:
    that: __haproxy_misspelt | length == 0
    fail_msg: "{{ __haproxy_misspelt | join('\n') }}"
  vars:
    __haproxy_names: "{{ query('ansible.builtin.varnames', '^haproxy_') }}"
    __haproxy_values: "{{ query('ansible.builtin.vars', *__haproxy_names) }}"
    __haproxy_spec: "{{ lookup('ansible.builtin.file', role_path ~ '/meta/argument_specs.yml') | from_yaml }}"
    __haproxy_misspelt: >-
      {{ dict(__haproxy_names | zip(__haproxy_values))
         | failover.vip.misspelt(__haproxy_spec.argument_specs.main.options, prefix='haproxy_') }}
"""

RETURN = r"""
_value:
  description:
    - One message for each unknown name, empty if there is none.
    - For example C(haproxy_listens[0].ballance) V(unknown, did you mean 'balance'?).
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from ansible.errors import AnsibleFilterError


def _known_names(options: Mapping[str, Any]) -> list[str]:
    """Return every name that O(options) accepts, aliases included."""
    return [name for key, option in options.items() for name in (key, *((option or {}).get("aliases") or ()))]


def _suggestion(name: str, known: Iterable[str]) -> str:
    """Say which of the known names was probably meant, or else which there are."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    if close:
        return f"unknown, did you mean '{close[0]}'?"
    return f"unknown, known are: {', '.join(names)}"


def _unknown_keys(path: str, values: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[str]:
    """Yield a message for each key of one dictionary, and of those inside it, that the specification lacks."""
    known = _known_names(options)
    for key in values:
        if key not in known:
            yield f"{path}.{key}: {_suggestion(str(key), known)}"
    yield from _unknown_inside(lambda key: f"{path}.{key}", values, options)


def _unknown_inside(
    path_of: Callable[[str], str], values: Mapping[str, Any], options: Mapping[str, Any]
) -> Iterator[str]:
    """Descend into each value whose option has options of its own."""
    for key, option in options.items():
        inner = (option or {}).get("options")
        if not inner:
            continue
        for name in (key, *(option.get("aliases") or ())):
            value = values.get(name)
            if isinstance(value, Mapping):
                yield from _unknown_keys(path_of(name), value, inner)
            elif isinstance(value, (list, tuple)):
                for index, element in enumerate(value):
                    if isinstance(element, Mapping):
                        yield from _unknown_keys(f"{path_of(name)}[{index}]", element, inner)


def misspelt(
    variables: Mapping[str, Any], options: Mapping[str, Any], prefix: str, ignore: Iterable[str] = ()
) -> list[str]:
    """Compare variables with a role's argument specification.

    Takes the variables by name, the specification's options, the prefix of the role's variables and prefixes that
    belong to others. Returns one message for each unknown name.
    Raises AnsibleFilterError if the variables or the options are not dictionaries, or the prefix is empty.
    """
    if not isinstance(variables, Mapping) or not isinstance(options, Mapping):
        raise AnsibleFilterError(
            "failover.vip.misspelt needs two dictionaries: variables, and a specification's options"
        )
    if not prefix:
        raise AnsibleFilterError("failover.vip.misspelt needs the prefix of the role's variables")
    foreign = tuple(ignore)
    own = {
        name: value
        for name, value in sorted(variables.items())
        if name.startswith(prefix) and not (foreign and name.startswith(foreign))
    }
    known = _known_names(options)
    messages = [f"{name}: {_suggestion(name, known)}" for name in own if name not in known]
    messages.extend(_unknown_inside(str, own, options))
    return messages


class FilterModule:
    """Ansible's table of this file's filters."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        """Return the filter by its name."""
        return {"misspelt": misspelt}
