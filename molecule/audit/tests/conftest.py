# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The audit as an operator runs it, and what it must leave as it was."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from testinfra.host import Host

from ansible_collections.failover.vip.tests.lab_play import ROOT, run_playbook

#: What an audit may not touch: files, processes, addresses, the kernel's settings.
STATE = r"""
find /etc /usr/local /var/spool -type f -printf '%p %T@ %C@ %m %s\n' | sort
find /etc/keepalived /etc/haproxy -type f -exec sha256sum {} + 2>/dev/null | sort
pidof keepalived haproxy | tr ' ' '\n' | sort
ip -brief address show
sysctl --all --pattern '^net\.ipv4\.(ip_|conf)' 2>/dev/null
"""


class Audit(NamedTuple):
    """One run: the play's output and the two reports."""

    done: subprocess.CompletedProcess[str]
    report: dict[str, Any]
    sarif: dict[str, Any]

    @property
    def table(self) -> str:
        """What it printed of the findings."""
        return self.done.stdout.partition("TASK [Findings]")[2].partition("\nTASK [")[0].partition("\n")[2]

    def found(self) -> set[tuple[str, str, int]]:
        """Each finding as rule, host and line."""
        return {(one["rule"], one["host"], one["line"]) for one in self.report["findings"]}

    def of(self, rule: str) -> list[str]:
        """The messages of a rule."""
        return [one["message"] for one in self.report["findings"] if one["rule"] == rule]


def state(hosts: dict[str, Host]) -> dict[str, str]:
    """What the directors look like."""
    return {name: hosts[name].check_output(STATE) for name in ("ka1", "ka2", "rs11", "rs22")}


@pytest.fixture
def audit(
    hosts: dict[str, Host], inventory: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Audit]:
    """Runs it: ``audit("-e", "…")``. Whatever it finds, it changed nothing, and wrote both reports."""

    def run(*arguments: str, more: str = "") -> Audit:
        given = [*inventory]
        if more:
            extra = tmp_path / "more.yml"
            extra.write_text(more, encoding="utf-8")
            given.append(extra)
        before = state(hosts)
        done = run_playbook(
            ROOT / "playbooks/audit.yml", "-e", f"audit_output={tmp_path}/reports", *arguments, inventory=given
        )
        assert state(hosts) == before
        output = done.stdout + done.stderr
        assert "Traceback" not in output, output
        recap = re.findall(r"^(\S+) +: .*changed=(\d+)", done.stdout, flags=re.MULTILINE)
        assert recap, output
        assert {changed for _name, changed in recap} == {"0"}, output
        report, sarif = (
            json.loads((tmp_path / "reports" / name).read_text(encoding="utf-8"))
            for name in ("audit.json", "audit.sarif")
        )
        assert len(sarif["runs"][0]["results"]) == len(report["findings"]) + len(report["allowed"])
        result = Audit(done, report, sarif)
        with capsys.disabled():
            print(f"\naudit {' '.join(arguments)}\n{result.table}")
        return result

    return run
