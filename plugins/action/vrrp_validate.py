# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Action part of failover.vip.vrrp_validate: runs on the controller. See modules/vrrp_validate.py."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._plain import from_plain
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._conf._values import BadValue
from ansible_collections.failover.vip.plugins.module_utils._conf._variables import interfaces_of
from ansible_collections.failover.vip.plugins.module_utils._finding import SEVERITIES, Finding, failing, ordered
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster, Director, Interface
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import check

ARGUMENT_SPEC: dict[str, Any] = {
    "configs": {"type": "dict", "required": True},
    "conf_dir": {"type": "path", "default": "/etc/keepalived"},
    "interfaces": {"type": "dict", "default": {}},
    "facts": {"type": "dict", "default": {}},
    "fail_on": {"type": "str", "choices": [*SEVERITIES, "never"], "default": "error"},
}


def _texts(host: str, config: Any, conf_dir: str) -> list[tuple[str, str]]:
    """The files of one host, the main one first."""
    if isinstance(config, str):
        return [(os.path.join(conf_dir, "keepalived.conf"), config)]
    found = [
        (os.path.join(conf_dir, str(file["path"])), str(file["content"]))
        for file in config
        if isinstance(file, Mapping) and "path" in file and "content" in file
    ]
    if not found or len(found) != len(config):
        raise BadValue("configs.%s must be files, each with 'path' and 'content'" % host)
    return found


def director_of(
    host: str, config: Any, conf_dir: str, interfaces: dict[str, Interface] | None
) -> tuple[Director, list[Finding]]:
    """One host's part, from any of the three forms.

    :raises BadValue: if it has none of them.
    """
    if isinstance(config, Mapping):
        try:
            return from_plain(host, config, interfaces), []
        except BadValue as reason:
            raise BadValue("configs.%s: %s" % (host, reason)) from None
    if not isinstance(config, (str, list, tuple)):
        raise BadValue("configs.%s must be text, files, or a model from keepalived_lint" % host)
    texts = _texts(host, config, conf_dir)
    parsed = parse(texts[0][0], from_texts(dict(texts)), host.partition(".")[0])
    director, findings = read(parsed.nodes, host, interfaces)
    said = [replace(finding, host=host) for finding in parsed.findings]
    return director, [*said, *findings]


def validated(arguments: Mapping[str, Any]) -> list[Finding]:
    """All findings of the hosts' configurations, worst first.

    :raises BadValue: if an argument has the wrong shape.
    """
    cluster = Cluster()
    findings: list[Finding] = []
    for host, config in arguments["configs"].items():
        known = {key: arguments[key][host] for key in ("interfaces", "facts") if host in arguments[key]}
        try:
            interfaces = interfaces_of(known)
        except (AttributeError, TypeError, ValueError) as reason:
            raise BadValue("the interfaces of %s: %s" % (host, reason)) from reason
        cluster.directors[host], more = director_of(str(host), config, arguments["conf_dir"], interfaces)
        findings += more
    return ordered([*findings, *check(cluster)])


class ActionModule(ActionBase):
    """Reads what it is given, and nothing else."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """The module's result."""
        super().run(tmp, task_vars)
        _result, arguments = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        try:
            findings = validated(arguments)
        except BadValue as reason:
            raise AnsibleActionFail(str(reason)) from reason
        return outcome(findings, arguments["fail_on"])


def outcome(findings: list[Finding], fail_on: str) -> dict[str, Any]:
    """The result, failed if there is a finding of the severity *fail_on* or worse."""
    result: dict[str, Any] = {"changed": False, "findings": [finding.as_dict() for finding in findings]}
    bad = failing(findings, fail_on)
    if not bad:
        return result
    lines = "\n".join(finding.text() for finding in bad)
    return {**result, "failed": True, "msg": "The configurations have mistakes:\n%s" % lines}
