# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Findings as SARIF, the format in which other tools read what a checker found."""

from __future__ import annotations

DOCUMENTATION = r"""
name: findings_sarif
short_description: Findings as SARIF, which other tools read
version_added: 1.0.0
author:
  - failover.vip contributors (@failover)
description:
  - Makes a SARIF 2.1.0 log of findings. Pipelines and editors show it beside what other checkers found.
  - A file on a host is C(file://HOST/PATH). What is in no file has the host and the instance as its logical location.
  - Allowed findings are in it as suppressed, with the reason.
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
      - Findings that somebody allows, as RV(failover.vip.vrrp_validate#module:allowed) has them.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Keep what was found for the pipeline
  ansible.builtin.copy:
    content: "{{ checked.findings | failover.vip.findings_sarif(checked.allowed) | to_nice_json }}"
    dest: keepalived.sarif
    mode: '0644'
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
_value:
  description: The log as a dictionary, for C(to_json).
  type: dict
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from ansible.errors import AnsibleFilterError

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, INFO, WARNING
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import RULES
from ansible_collections.failover.vip.plugins.module_utils._rules._elsewhere import TITLES

_LEVELS = {ERROR: "error", WARNING: "warning", INFO: "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_TITLES = {**TITLES, **{rule.id: rule.title for rule in reversed(RULES)}}


def findings_sarif(findings: Iterable[Mapping[str, Any]], allowed: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """A SARIF log (OASIS SARIF 2.1.0) with one run.

    Takes findings and allowed findings as vrrp_validate returns them.
    Raises AnsibleFilterError if a finding is none.
    """
    every = [*findings, *allowed]
    try:
        rules = sorted({str(finding["rule"]) for finding in every})
        results = [_result(finding, rules) for finding in every]
    except (KeyError, TypeError) as reason:
        raise AnsibleFilterError(f"failover.vip.findings_sarif needs findings of vrrp_validate: {reason!r}") from reason
    driver = {
        "name": "failover.vip",
        "rules": [{"id": rule, "shortDescription": {"text": _TITLES.get(rule, rule)}} for rule in rules],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _result(finding: Mapping[str, Any], rules: list[str]) -> dict[str, Any]:
    """Section 3.27 of the standard."""
    who = ", ".join(part for part in (finding["host"], finding["instance"]) if part)
    text = f"{who}: {finding['message']}" if who else finding["message"]
    # Without the line, which changes with every edit above it (section 3.27.17).
    same = "\n".join(str(finding[part]) for part in ("rule", "host", "path", "instance", "message"))
    result: dict[str, Any] = {
        "ruleId": finding["rule"],
        "ruleIndex": rules.index(finding["rule"]),
        "level": _LEVELS[finding["severity"]],
        "message": {"text": f"{text.rstrip('.')}. {finding['hint']}".rstrip()},
        "partialFingerprints": {"failover.vip/v1": hashlib.sha256(same.encode()).hexdigest()},
    }
    location = _location(finding)
    if location:
        result["locations"] = [location]
    if "reason" in finding:
        kind = "external" if finding["allowed_at"].startswith("keepalived_allowed_findings") else "inSource"
        result["suppressions"] = [{"kind": kind, "justification": finding["reason"]}]
    return result


def _location(finding: Mapping[str, Any]) -> dict[str, Any]:
    """Section 3.28: the file, and the host and instance."""
    location: dict[str, Any] = {}
    if finding["path"].startswith("/"):
        physical: dict[str, Any] = {
            "artifactLocation": {"uri": f"file://{quote(finding['host'], safe='')}{quote(finding['path'])}"}
        }
        if finding["line"]:
            physical["region"] = {"startLine": finding["line"]}
        location["physicalLocation"] = physical
    names = [part for part in (finding["host"], finding["instance"]) if part]
    if names:
        location["logicalLocations"] = [{"name": names[-1], "fullyQualifiedName": "/".join(names)}]
    return location


class FilterModule:
    """Ansible's table of this file's filters."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        """Return the filter by its name."""
        return {"findings_sarif": findings_sarif}
