# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Plan, text, tree and model: what is written reads back as what was planned."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from ansible_collections.failover.vip.plugins.action.vrrp_plan import planned
from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._plain import to_plain
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._conf._variables import interfaces_of
from ansible_collections.failover.vip.plugins.module_utils._finding import Finding
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import check
from ansible_collections.failover.vip.tests.unit.plugins.action.test_plan import DEFAULTS, topologies


def without_nothing(data: Any) -> Any:
    """Plain data without flags that are off and lists that are empty, which no text has."""
    if isinstance(data, dict):
        return {key: without_nothing(value) for key, value in data.items() if value not in (False, [], {}, None)}
    return [without_nothing(item) for item in data] if isinstance(data, list) else data


@given(topologies())
def test_any_planned_cluster_reads_back(
    drawn: tuple[list[str], list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]],
) -> None:
    hosts, instances, _scripts, arguments = drawn
    members = {
        host: {"interfaces": {"eth0": ["172.25.254.%d/24" % (10 + number)]}} for number, host in enumerate(hosts)
    }
    notify = "/etc/keepalived/mail.sh"
    result = planned({**DEFAULTS, "vrrp_instances": instances, "notify": notify, **arguments}, members, {})
    cluster = Cluster()
    for host in hosts:
        texts = {"/etc/keepalived/" + file["path"]: file["content"] for file in result["files"][host]}
        parsed = parse("/etc/keepalived/keepalived.conf", from_texts(texts), host)
        cluster.directors[host], findings = read(parsed.nodes, host, interfaces_of(members[host]))
        assert (parsed.findings, findings) == ((), [])
        assert len(parsed.paths) == len(texts)
        plain = to_plain(cluster.directors[host])
        assert without_nothing(plain) == without_nothing(sorted_by_name(result["directors"][host]))
    assert shown(check(cluster)) == shown([Finding(**finding) for finding in result["findings"]])


def sorted_by_name(data: dict[str, Any]) -> dict[str, Any]:
    """Files are read in the order of their names, and so instances in that of theirs."""
    return {**data, "vrrp_instances": sorted(data["vrrp_instances"], key=lambda item: "%s.conf" % item["name"])}


def shown(findings: list[Finding]) -> list[tuple[str, str, str, str, str]]:
    return sorted((one.rule, one.severity, one.host, one.instance, one.message) for one in findings)
