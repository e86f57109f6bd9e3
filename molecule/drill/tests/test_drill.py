# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Every fault once, by the drill playbook: what it cost, and that all is whole afterwards."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host

from ansible_collections.failover.vip.tests.lab_play import ROOT, figure, run_playbook

FAULTS = ["stop", "kill", "hang", "link_down", "isolate", "vrrp_filtered", "power_off", "service", "command"]
FAULTS += ["reload", "restart"]
#: The machine has two cores, and another lab beside this one.
BUSY_MS = 300
#: 0.05 s and 18 advertisements (keepalived_timers: standard), with the backup's Skew_Time of 0.6 ms.
CRASH_MS = (850.6, 900.6)


@pytest.fixture(scope="module")
def arguments() -> list[str]:
    """The drill's, as a user would give them."""
    given = {
        "drill_faults": FAULTS,
        "drill_instances": ["WEB_VIP"],
        "drill_tolerance": BUSY_MS,
        # One advertisement interval, and 100 ms.
        "drill_return": 150 + BUSY_MS,
    }
    return ["-e", json.dumps(given), "-e", "drill_client=client"]


@pytest.fixture(scope="module", autouse=True)
def _nft(hosts: dict[str, Host], directors: list[str]) -> None:
    """What cuts a director off from its network."""
    for name in directors:
        hosts[name].check_output("apt-get --quiet --yes install nftables")


@pytest.fixture(scope="module")
def report(inventory: list[Path], arguments: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One drill with all faults, and what it wrote."""
    output = tmp_path_factory.mktemp("drill")
    done = run_playbook(
        ROOT / "playbooks/drill.yml",
        *arguments,
        *("-e", "drill_confirm=yes", "-e", f"drill_output={output}"),
        inventory=inventory,
        seconds=1200,
    )
    shown = re.search(r"INSTANCE +FAULT.*?drill\.html", done.stdout, re.DOTALL)
    # Ansible shows a list of lines as YAML: long ones are folded.
    lines = re.sub(r"'?\n +- '?", "\n", shown.group()) if shown else "the drill showed no table"
    table = re.sub(r"\n +", " ", lines)
    figure(table)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    found: dict[str, Any] = json.loads((output / "drill.json").read_text(encoding="utf-8"))
    found["html"] = (output / "drill.html").read_text(encoding="utf-8")
    return found


def of(report: dict[str, Any], fault: str) -> dict[str, Any]:
    (found,) = [item for item in report["drills"] if item["fault"] == fault]
    return dict(found)


def busy(found: dict[str, Any]) -> float:
    """What the machine may add to any wait, in milliseconds: by what it kept the client, it may have kept others."""
    return BUSY_MS + float(found["late_ms"])


def test_every_fault_was_made_and_kept_its_promise(report: dict[str, Any]) -> None:
    assert [item["fault"] for item in report["drills"]] == FAULTS
    assert [(item["fault"], item["doubts"]) for item in report["drills"] if not item["passed"]] == []
    assert all(item["sent"] > 500 for item in report["drills"])
    assert all(item["healed_at"] >= item["broken_at"] for item in report["drills"])


@pytest.mark.parametrize("fault", ["link_down", "isolate", "power_off"])
def test_a_crash_lies_within_the_protocols_own_interval(report: dict[str, Any], fault: str) -> None:
    found = of(report, fault)
    assert (found["expected"]["low_ms"], found["expected"]["high_ms"]) == CRASH_MS
    # Between two requests 5 ms pass, and the last advertisement may have been a little late.
    assert CRASH_MS[0] - 60 <= found["away_ms"] <= CRASH_MS[1] + busy(found), found["outages"]


def test_a_healed_partition_leaves_one_holder_that_clients_reach(report: dict[str, Any]) -> None:
    for fault in ("isolate", "vrrp_filtered"):
        found = of(report, fault)
        # So it was one: both held the VIP.
        assert found["doubled_ms"] > 1000
        assert found["back_ms"] <= 150 + busy(found), found["outages"]
        last = found["holders"][-1]
        assert last["holders"] == ["ka1"]
        # Both until the heal; what comes later is the one that takes over before the other lets go.
        healed = found["healed_at"]
        divided = [part for part in found["holders"] if len(part["holders"]) == 2 and part["start"] < healed]
        together = divided[-1]["start"] + divided[-1]["length_ms"] / 1000
        assert together <= healed + (150 + busy(found)) / 1000


def test_a_killed_keepalived_leaves_no_vip_behind(report: dict[str, Any]) -> None:
    found = of(report, "kill")
    assert found["away_ms"] <= CRASH_MS[1] + busy(found)
    assert found["doubled_ms"] <= busy(found)


def test_a_reload_costs_nothing(report: dict[str, Any]) -> None:
    found = of(report, "reload")
    assert (found["failed"], found["away_ms"], found["none_ms"]) == (0, 0, 0), found["outages"]


def test_a_failed_check_leaves_no_gap(report: dict[str, Any]) -> None:
    found = of(report, "command")
    # What is under way when the VIP moves is cut; only drain knows of the move before it happens.
    assert found["away_ms"] <= busy(found), found["outages"]
    # The one takes the VIP before the other leaves it, but two processes watch, and either may be late.
    assert found["none_ms"] <= 20 + found["late_ms"], found["holders"]


def test_the_drill_healed_everything(report: dict[str, Any], hosts: dict[str, Host], vips: dict[str, str]) -> None:
    for name, vip in (("ka1", "WEB_VIP"), ("ka2", "DB_VIP")):
        assert hosts[name].run(f"ip -oneline address show to {vips[vip]}").stdout
        assert hosts[name].service("keepalived").is_running
        assert hosts[name].service("haproxy").is_running
        assert not hosts[name].run("nft list tables").stdout.strip()
        assert hosts[name].run("systemctl is-active failover-vip-fault.service").stdout.strip() == "inactive"


def test_the_report_is_one_page_with_everything_in_it(report: dict[str, Any]) -> None:
    html = report["html"]
    assert html.count("<svg") == len(FAULTS)
    # Nothing is fetched from anywhere.
    assert not re.search(r"(src|href)=\"(?!#)|url\(|@import", html)
    summary = report["summary"]
    assert summary["passed"] == summary["drills"] == len(FAULTS)
    assert CRASH_MS[0] - 60 <= summary["crash_max_ms"]
    assert 0.9999 < summary["availability"] < 1


def test_it_asks_first_and_says_in_check_mode_what_it_would_do(inventory: list[Path], arguments: list[str]) -> None:
    refused = run_playbook(ROOT / "playbooks/drill.yml", *arguments, "-e", "drill_confirm=no", inventory=inventory)
    assert refused.returncode != 0
    assert "not confirmed: nothing was done" in refused.stdout
    checked = run_playbook(
        ROOT / "playbooks/drill.yml", *arguments, "-e", "drill_confirm=no", "--check", inventory=inventory
    )
    assert checked.returncode == 0, checked.stdout[-3000:]
    assert "link_down" in checked.stdout
    assert "changed=0" in checked.stdout


def test_it_refuses_what_is_not_there(inventory: list[Path]) -> None:
    words = ["-e", "drill_client=client", "-e", "drill_confirm=yes"]
    for variables, why in (
        ("drill_instances=WEB_VIP,MAIL_VIP", "drill_instances names MAIL_VIP; the instances are"),
        ("drill_faults=stop,explode", "explode"),
    ):
        refused = run_playbook(ROOT / "playbooks/drill.yml", *words, "-e", variables, inventory=inventory)
        assert refused.returncode != 0
        assert why in " ".join(refused.stdout.split()), refused.stdout
        assert "changed=0" in refused.stdout


def test_it_refuses_a_sick_cluster(inventory: list[Path], arguments: list[str], hosts: dict[str, Host]) -> None:
    try:
        hosts["ka2"].check_output("systemctl stop keepalived")
        refused = run_playbook(ROOT / "playbooks/drill.yml", *arguments, "-e", "drill_confirm=yes", inventory=inventory)
    finally:
        hosts["ka2"].check_output("systemctl start keepalived")
    assert refused.returncode != 0
    assert "keepalived does not run on ka2" in refused.stdout
