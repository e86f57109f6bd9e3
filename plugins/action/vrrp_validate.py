# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Action part of failover.vip.vrrp_validate: runs on the controller. See modules/vrrp_validate.py."""

from __future__ import annotations

import os.path
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.failover.vip.plugins.module_utils._conf._allowed import allowances
from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import BadValue
from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._plain import from_plain
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._conf._variables import interfaces_of
from ansible_collections.failover.vip.plugins.module_utils._finding import (
    ERROR,
    SEVERITIES,
    Allowance,
    Finding,
    failing,
)
from ansible_collections.failover.vip.plugins.module_utils._model import Backend, Cluster, Director, Interface
from ansible_collections.failover.vip.plugins.module_utils._rules._allowed import EVERY_RULE, applied, from_inventory
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import RULES, check
from ansible_collections.failover.vip.plugins.module_utils._rules._daemon import DAEMON, WIRE
from ansible_collections.failover.vip.plugins.module_utils._rules._holders import as_data
from ansible_collections.failover.vip.plugins.module_utils._rules._wire import names, senders
from ansible_collections.failover.vip.plugins.module_utils._wire._model_of import clusters_of

_BY_HOST = {"type": "dict", "default": {}}
ARGUMENT_SPEC: dict[str, Any] = {
    "configs": {"type": "dict", "required": True},
    "conf_dir": {"type": "path", "default": "/etc/keepalived"},
    "interfaces": _BY_HOST,
    "facts": _BY_HOST,
    "releases": _BY_HOST,
    "daemons": _BY_HOST,
    "wires": _BY_HOST,
    "backends": _BY_HOST,
    "allowed_findings": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {name: {"type": "str"} for name in ("rule", "reason", "host", "instance")},
    },
    "holders": {"type": "bool", "default": False},
    "fail_on": {"type": "str", "choices": [*SEVERITIES, "never"], "default": "error"},
}
#: The rules between hosts that an advertisement has all the words for.
ON_THE_WIRE = [
    rule
    for rule in RULES
    if rule.id in ("KP001", "KP002", "KP003", "KP004", "KP005", "KP007", "KP010", "KP015", "KP027")
]


class Config(NamedTuple):
    """One host's part, what was found while it was read, and what its comments allow."""

    director: Director
    findings: list[Finding]
    allowances: list[Allowance]


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


def config_of(
    host: str,
    config: Any,
    conf_dir: str,
    interfaces: dict[str, Interface] | None,
    release: tuple[int, ...] | None = None,
) -> Config:
    """One host's part, from any of the four forms. ``release``: of its keepalived, for a text.

    :raises BadValue: if it has none of them.
    """
    if isinstance(config, Mapping):
        try:
            if "model" not in config:
                return Config(from_plain(host, config, interfaces), [], [])
            return Config(
                from_plain(host, config["model"], interfaces),
                [
                    _taken(Finding, item, host)
                    for name in ("findings", "allowed")
                    for item in config.get(name) or []
                    # What is wrong with an allowance is said here, where all is known that it may speak of.
                    if item["rule"] not in ("KI006", "KI007", "KI008")
                ],
                [_taken(Allowance, item, host) for item in config.get("allowances") or []],
            )
        except (BadValue, KeyError, TypeError, AttributeError) as reason:
            raise BadValue("configs.%s: %s" % (host, reason)) from None
    if not isinstance(config, (str, list, tuple)):
        raise BadValue("configs.%s must be text, files, or what keepalived_lint returned" % host)
    texts = _texts(host, config, conf_dir)
    parsed = parse(texts[0][0], from_texts(dict(texts)), host.partition(".")[0])
    director, findings = read(parsed.nodes, host, interfaces, release)
    director.machine.release = release
    said = [replace(finding, host=host) for finding in parsed.findings]
    return Config(director, [*said, *findings], [replace(one, host=host) for one in allowances(dict(texts))])


def _taken(kind: Any, item: Mapping[str, Any], host: str) -> Any:
    """A finding or an allowance of keepalived_lint, which does not know its host's name."""
    known = {name: item[name] for name in kind.__dataclass_fields__ if name in item}
    return kind(**{**known, "host": host})


def _release(arguments: Mapping[str, Any], host: str) -> tuple[int, ...] | None:
    """The version of a host's keepalived, also as Debian writes it (``1:2.2.7-1+b2``)."""
    if host not in arguments["releases"]:
        return None
    given = str(arguments["releases"][host])
    match = re.fullmatch(r"(?:[0-9]+:)?v?([0-9]+(?:\.[0-9]+)+)(?:[-+~].*)?", given)
    if match is None:
        raise BadValue("releases.%s must be a version, as 2.2.7, not '%s'" % (host, given))
    return tuple(int(part) for part in match[1].split("."))


def _interfaces(arguments: Mapping[str, Any], host: str) -> dict[str, Interface] | None:
    known = {key: arguments[key][host] for key in ("interfaces", "facts") if host in arguments[key]}
    try:
        return interfaces_of(known)
    except (AttributeError, TypeError, ValueError) as reason:
        raise BadValue("the interfaces of %s: %s" % (host, reason)) from reason


def _backend(host: str, given: Mapping[str, Any]) -> Backend:
    """A real server from its facts, or interfaces, and its sysctls.

    :raises BadValue: if it has another shape.
    """
    try:
        backend = Backend(host, interfaces_of(given))
        backend.machine.sysctls.update((str(key), str(value)) for key, value in given["sysctls"].items())
    except (AttributeError, TypeError, ValueError) as reason:
        raise BadValue("backends.%s: %s" % (host, reason)) from reason
    return backend


def _read(kind: str, key: str, results: Mapping[str, Any], findings: list[Finding]) -> dict[str, Mapping[str, Any]]:
    """Of registered results those that were a success; KI009 for each failed one, and nothing for a skipped one.

    :param kind: what could not be read, for the finding.
    :param key: what a success has.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for host, result in results.items():
        if not isinstance(result, Mapping):
            raise BadValue("what is said of %s of %s must be a module's result" % (kind, host))
        if key in result:
            found[str(host)] = result
        elif not result.get("skipped") and result:
            reason = " ".join(str(result.get("msg") or "no reason was given").split())
            findings.append(
                Finding(
                    "KI009",
                    ERROR,
                    "%s could not be read: %s" % (kind, reason),
                    "What is wrong there is not known, nor is what does not fit with it. Mend that and look again.",
                    host=str(host),
                )
            )
    return found


def validated(arguments: Mapping[str, Any]) -> tuple[list[Finding], list[dict[str, Any]], Cluster]:
    """All findings of the hosts' configurations, worst first, those that are allowed, and the cluster itself.

    :raises BadValue: if an argument has the wrong shape.
    """
    cluster = Cluster()
    findings: list[Finding] = []
    allowing = from_inventory(arguments["allowed_findings"])
    daemons = _read("the daemon", "running", arguments["daemons"], findings)
    wires = _read("the wire", "routers", arguments["wires"], findings)
    backends = _read("the real server", "sysctls", arguments["backends"], findings)
    configs = arguments["configs"]
    results = {host: config for host, config in configs.items() if _is_result(config)}
    _read("the configuration", "model", results, findings)
    for host in (host for host in configs if host not in results or "model" in results[host]):
        director, more, allowances_of_files = config_of(
            str(host), configs[host], arguments["conf_dir"], _interfaces(arguments, host), _release(arguments, host)
        )
        for name, given in ((DAEMON, daemons), (WIRE, wires)):
            if host in given:
                director.machine.facts[name] = given[host]
        cluster.directors[host] = director
        findings += more
        allowing += allowances_of_files
    cluster.backends = {host: _backend(host, given) for host, given in backends.items()}
    try:
        findings += check(cluster)
        # What the files say already is not said of the wire again.
        said = {(finding.rule, finding.message) for finding in findings}
        for wire in wires.values():
            for link in clusters_of(wire["routers"], senders(cluster), names(cluster)):
                for host in link.directors.keys() & cluster.directors.keys():
                    link.directors[host].machine.release = cluster.directors[host].machine.release
                findings += [one for one in check(link, ON_THE_WIRE) if (one.rule, one.message) not in said]
    except (KeyError, TypeError, AttributeError) as reason:
        if not daemons and not wires:
            raise
        raise BadValue(
            "daemons must be what keepalived_info returned, and wires what vrrp_advert_info did: %r" % reason
        ) from reason
    return (*applied(findings, allowing, EVERY_RULE), cluster)


def _is_result(config: Any) -> bool:
    """Whether it is what keepalived_lint returned, or a task that failed or was skipped."""
    return isinstance(config, Mapping) and any(key in config for key in ("model", "msg", "skipped", "unreachable"))


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
            return answered(arguments)
        except BadValue as reason:
            raise AnsibleActionFail(str(reason)) from reason


def answered(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The module's result for its arguments.

    :raises BadValue: if an argument has the wrong shape.
    """
    findings, allowed, cluster = validated(arguments)
    held = {"holders": as_data(cluster)} if arguments["holders"] else {}
    return {**outcome(findings, allowed, arguments["fail_on"]), **held}


def outcome(findings: list[Finding], allowed: list[dict[str, Any]], fail_on: str) -> dict[str, Any]:
    """The result, failed if there is a finding of the severity *fail_on* or worse."""
    result: dict[str, Any] = {
        "changed": False,
        "findings": [finding.as_dict() for finding in findings],
        "allowed": allowed,
    }
    bad = failing(findings, fail_on)
    if not bad:
        return result
    lines = "\n".join(finding.text() for finding in bad)
    return {**result, "failed": True, "msg": "The configurations have mistakes:\n%s" % lines}
