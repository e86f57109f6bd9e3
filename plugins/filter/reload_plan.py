# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tell what a change of a cluster's configuration needs."""

from __future__ import annotations

DOCUMENTATION = r"""
name: reload_plan
short_description: Tell what a change of a cluster's configuration needs
version_added: 1.0.0
author:
  - failover.vip contributors (@failover-vip)
description:
  - Compares what each director runs with the files that it is to run, and says whether it needs nothing, a reload or a
    restart, and whether one director after the other may have it.
  - Where directors that are half-way would not understand each other, as with another set of VIPs, they must reload
    together, or two of them hold one VIP.
positional: wanted
options:
  _input:
    description: Host to RV(failover.vip.keepalived_lint#module:model) of what it runs, read with O(fingerprint_key).
    type: dict
    required: true
  wanted:
    description: Host to its files, each with C(path), relative to O(conf_dir), and C(content). The main file is first.
    type: dict
    required: true
  auth_pass:
    description: Instance to password, for the tokens C(%%auth_pass:INSTANCE%%) in the files.
    type: dict
    default: {}
  secrets:
    description: Name to secret, for the tokens C(%%secret:NAME%%) in the files.
    type: dict
    default: {}
  fingerprint_key:
    description: The key that O(_input) was read with. Passwords are only compared by it.
    type: str
    required: true
  conf_dir:
    description: Directory of the files.
    type: path
    default: /etc/keepalived
"""

EXAMPLES = r"""
- name: See whether one director after the other will do
  ansible.builtin.assert:
    that: plan.findings | length == 0
    fail_msg: "{{ plan.findings | map(attribute='message') | join(' ') }}"
  vars:
    plan: "{{ running | failover.vip.reload_plan(wanted, fingerprint_key=key) }}"
"""

RETURN = r"""
_value:
  description:
    - C(hosts) has for each host C(action), V(nothing), V(reload) or V(restart), with its C(reasons), and its
      C(instances), each V(same), V(changed), V(added) or V(removed).
    - C(together) has the instances whose hosts must reload together, each with C(reason) and C(window), in seconds.
    - C(findings) has what is wrong with one director after the other.
  type: dict
"""

import os.path
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.failover.vip.plugins.module_utils._apply._reload_plan import findings
from ansible_collections.failover.vip.plugins.module_utils._apply._reload_plan import reload_plan as planned
from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import BadValue
from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._plain import Mask, fingerprint, from_plain, to_plain
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster, Director
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import check


def _director(host: str, files: Iterable[Mapping[str, Any]], conf_dir: str, mask: Mask) -> Director:
    """What the files say, in the same shape as what keepalived_lint read."""
    texts = [(os.path.join(conf_dir, file["path"]), str(file["content"])) for file in files]
    if not texts:
        raise BadValue("there is no file for %s" % host)
    parsed = parse(texts[0][0], from_texts(dict(texts)), host.partition(".")[0])
    return from_plain(host, to_plain(read(parsed.nodes, host)[0], mask))


def reload_plan(
    running: Mapping[str, Mapping[str, Any]],
    wanted: Mapping[str, Iterable[Mapping[str, Any]]],
    auth_pass: Mapping[str, Any] | None = None,
    secrets: Mapping[str, Any] | None = None,
    fingerprint_key: str = "",
    conf_dir: str = "/etc/keepalived",
) -> dict[str, Any]:
    """The plan as data, with the findings of a roll-out of one host at a time.

    :raises AnsibleFilterError: if one of the two is no configuration.
    """

    tokens = {"auth_pass": auth_pass or {}, "secret": secrets or {}}

    def shown(secret: str, length: int | None) -> str:
        """What keepalived_lint shows of the secret that stands here, or that the token here stands for."""
        token = re.fullmatch("%%(auth_pass|secret):(.+)%%", secret)
        known = tokens[token[1]].get(token[2], secret) if token else secret
        return fingerprint(str(known), length, fingerprint_key)

    try:
        old = Cluster({host: from_plain(host, model) for host, model in running.items()})
        new = Cluster({host: _director(host, files, conf_dir, shown) for host, files in wanted.items()})
    except (BadValue, KeyError, TypeError, AttributeError) as reason:
        raise AnsibleFilterError(f"failover.vip.reload_plan cannot read a configuration: {reason}") from reason
    plan = planned(old, new, check)
    return {**plan.as_data(), "findings": [finding.as_dict() for finding in findings(plan, serial=1)]}


class FilterModule:
    """Ansible's table of this file's filters."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        """Return the filter by its name."""
        return {"reload_plan": reload_plan}
