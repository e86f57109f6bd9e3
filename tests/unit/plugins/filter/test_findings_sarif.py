# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The filter findings_sarif: what the standard asks for, and where each part of a finding is."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.failover.vip.plugins.filter.findings_sarif import FilterModule, findings_sarif
from ansible_collections.failover.vip.plugins.module_utils._finding import Finding
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import RULES
from ansible_collections.failover.vip.plugins.module_utils._rules._elsewhere import TITLES

MAIN = "/etc/keepalived/keepalived.conf"
ERROR = Finding("KP005", "error", "the set of VIPs differs", "Mend it.", "ka2", MAIN, 31, "WEB_VIP").as_dict()
WARNING = Finding("KW001", "warning", "both speak.", "", "ka1", "VRRP on eth0").as_dict()
INFO = Finding("KI008", "info", "nothing left", "Drop it.", path="keepalived_allowed_findings[0]").as_dict()
IN_FILE = {**ERROR, "rule": "KH009", "reason": "routed", "allowed_at": MAIN + ":30"}
IN_INVENTORY = {**ERROR, "rule": "KP017", "reason": "soon", "allowed_at": "keepalived_allowed_findings[0]"}


def run(*findings: dict[str, Any], allowed: Any = ()) -> dict[str, Any]:
    """The one run, after a look at what every log must have (SARIF 2.1.0, sections 3.13, 3.14, 3.27)."""
    log = findings_sarif(findings, allowed)
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (one,) = log["runs"]
    rules = one["tool"]["driver"]["rules"]
    assert one["tool"]["driver"]["name"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert all(rule["shortDescription"]["text"] for rule in rules)
    assert len(one["results"]) == len(findings) + len(allowed)
    for result in one["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        for location in result.get("locations", []):
            physical = location.get("physicalLocation")
            if physical:
                assert urlsplit(physical["artifactLocation"]["uri"]).scheme == "file"
                assert physical.get("region", {"startLine": 1})["startLine"] >= 1
    return dict(one)


def test_a_finding_in_a_file() -> None:
    (result,) = run(ERROR)["results"]
    assert (result["ruleId"], result["level"]) == ("KP005", "error")
    assert result["message"]["text"] == "ka2, WEB_VIP: the set of VIPs differs. Mend it."
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "file://ka2/etc/keepalived/keepalived.conf"},
                "region": {"startLine": 31},
            },
            "logicalLocations": [{"name": "WEB_VIP", "fullyQualifiedName": "ka2/WEB_VIP"}],
        }
    ]
    assert "suppressions" not in result


def test_findings_that_are_in_no_file() -> None:
    wire, inventory = run(WARNING, INFO)["results"]
    assert wire["locations"] == [{"logicalLocations": [{"name": "ka1", "fullyQualifiedName": "ka1"}]}]
    assert (wire["level"], wire["message"]["text"]) == ("warning", "ka1: both speak.")
    assert (inventory["level"], "locations" in inventory) == ("note", False)


def test_odd_names_stay_addresses() -> None:
    odd = {**ERROR, "host": "a b/c", "path": "/etc/ä %.conf", "line": 0}
    (result,) = run(odd)["results"]
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "file://a%20b%2Fc/etc/%C3%A4%20%25.conf"}
    }


def test_allowed_findings_are_suppressed() -> None:
    error, in_file, in_inventory = run(ERROR, allowed=[IN_FILE, IN_INVENTORY])["results"]
    assert "suppressions" not in error
    assert in_file["suppressions"] == [{"kind": "inSource", "justification": "routed"}]
    assert in_inventory["suppressions"] == [{"kind": "external", "justification": "soon"}]


def test_a_finding_is_recognised_in_the_next_run() -> None:
    def mark(finding: dict[str, Any]) -> str:
        return str(run(finding)["results"][0]["partialFingerprints"]["failover.vip/v1"])

    assert mark({**ERROR, "line": 99}) == mark(ERROR)
    assert (
        len({mark({**ERROR, part: "other"}) for part in ("host", "path", "instance", "message")} | {mark(ERROR)}) == 5
    )


def test_every_rule_has_a_title() -> None:
    ids = {rule.id for rule in RULES} | set(TITLES)
    one = run(*({**ERROR, "rule": rule} for rule in sorted(ids)))
    titles = {rule["id"]: rule["shortDescription"]["text"] for rule in one["tool"]["driver"]["rules"]}
    assert set(titles) == ids
    assert not [rule for rule, title in titles.items() if rule == title]


def test_no_finding() -> None:
    assert (run()["results"], run()["tool"]["driver"]["rules"]) == ([], [])


@pytest.mark.parametrize("findings", [[{"rule": "KH009"}], "text", [1]])
def test_misuse_is_an_error(findings: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="needs findings of vrrp_validate"):
        findings_sarif(findings)


def test_ansible_finds_it() -> None:
    assert FilterModule().filters()["findings_sarif"] is findings_sarif
