# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The action plugin: what it reads from the inventory, and what it says of it."""

from __future__ import annotations

from typing import Any

import yaml

from ansible_collections.failover.vip.plugins.action.vrrp_plan import (
    ARGUMENT_SPEC,
    _absent,
    _disagreements,
    _other_clusters,
    message,
    planned,
)
from ansible_collections.failover.vip.plugins.modules import vrrp_plan
from ansible_collections.failover.vip.tests.unit.plugins.action.test_plan import DB, DEFAULTS, MEMBERS, WEB

ARGUMENTS = {**DEFAULTS, "hosts": ["ka1", "ka2"], "vrrp_instances": [WEB, DB]}


def inventory(**changes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """hostvars of the reference cluster, with changes to some hosts."""
    own = {"keepalived_hosts": ["ka1", "ka2"], "keepalived_vrrp_instances": [WEB, DB]}
    return {
        host: {**(own if host.startswith("ka") else {}), **changes.get(host, {})} for host in ("ka1", "ka2", *changes)
    }


def test_a_host_that_is_not_in_the_inventory() -> None:
    (finding,) = _absent(["ka1", "ka9"], inventory())
    assert (finding.rule, finding.severity, finding.host) == ("KI001", "error", "ka9")
    assert "ka9 is not in the inventory" in message([finding])


def test_members_that_describe_another_cluster() -> None:
    assert _disagreements(ARGUMENTS, inventory()) == []
    other = [{**WEB, "virtual_router_id": 61}, DB]
    (finding,) = _disagreements(ARGUMENTS, inventory(ka2={"keepalived_vrrp_instances": other}))
    assert (finding.rule, finding.host, finding.path) == ("KI005", "ka2", "keepalived_vrrp_instances")


def test_a_number_and_its_text_are_no_disagreement() -> None:
    quoted = [{**WEB, "virtual_router_id": "51"}, DB]
    assert _disagreements(ARGUMENTS, inventory(ka2={"keepalived_vrrp_instances": quoted})) == []


def clusters(vrid: int, vip: str) -> dict[str, dict[str, Any]]:
    """A second cluster of two hosts in the same inventory."""
    theirs = {
        "keepalived_hosts": ["kb1", "kb2"],
        "keepalived_vrrp_instances": [
            {**WEB, "name": "B_VIP", "virtual_router_id": vrid, "virtual_ipaddress": [vip], "hosts": ["kb1", "kb2"]}
        ],
    }
    return inventory(kb1=theirs, kb2=theirs)


def findings(vrid: int, vip: str, **arguments: Any) -> list[str]:
    others = _other_clusters(["ka1", "ka2"], clusters(vrid, vip))
    assert list(others) == ["kb1, kb2"]
    return [finding["rule"] for finding in planned({**ARGUMENTS, **arguments}, MEMBERS, others)["findings"]]


def test_two_clusters_in_one_inventory() -> None:
    assert findings(53, "172.25.254.110/24") == []
    assert findings(51, "192.0.2.110/24") == []
    assert findings(51, "172.25.254.110/24") == ["KP013"]
    assert findings(51, "172.25.254.110/24", shared_vrids=[51]) == []
    assert findings(53, "172.25.254.100/24") == ["KP015"]


def test_what_is_allowed_stops_nothing() -> None:
    def parted(*allowed: dict[str, Any], **arguments: Any) -> tuple[list[str], list[str]]:
        others = _other_clusters(["ka1", "ka2"], clusters(51, "172.25.254.110/24"))
        result = planned({**ARGUMENTS, "allowed_findings": list(allowed), **arguments}, MEMBERS, others)
        found, silent = ([str(finding["rule"]) for finding in result[part]] for part in ("findings", "allowed"))
        return found, silent

    said = {"rule": "KP013", "reason": "two routers keep them apart"}
    assert parted(said) == ([], ["KP013"])
    assert parted({**said, "instance": "WEB_VIP"}) == ([], ["KP013"])
    assert parted({**said, "instance": "DB_VIP"}) == (["KP013"], [])
    assert parted({"rule": "KP013"}) == (["KP013", "KI006"], [])
    impossible = [{**WEB, "hosts": ["ka1", "ka9"]}, DB]
    found, allowed = parted({**said, "rule": "KI001"}, said, vrrp_instances=impossible)
    assert {"KI001", "KI007"} <= set(found)
    assert allowed == ["KP013"]


def test_the_documentation_names_every_option() -> None:
    documented = yaml.safe_load(vrrp_plan.DOCUMENTATION)["options"]
    assert set(documented) == set(ARGUMENT_SPEC)
    for name, option in documented.items():
        for key in ("type", "elements", "required", "default"):
            assert option.get(key) == ARGUMENT_SPEC[name].get(key), (name, key)
        assert set(option.get("suboptions", {})) == set(ARGUMENT_SPEC[name].get("options", {}))
