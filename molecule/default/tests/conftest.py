# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Plays on the lab, as fixtures."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.failover.vip.tests.lab_play import ROOT, run_playbook, run_tasks

INVENTORY = [ROOT / "inventories/lab", Path(__file__).resolve().parent.parent / "inventory"]


@pytest.fixture(scope="session")
def site() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs site.yml on the lab: ``site("--check", "-e", "…")``."""
    return lambda *arguments: run_playbook(ROOT / "site.yml", *arguments, inventory=INVENTORY)


@pytest.fixture(scope="session")
def tasks_on() -> Callable[..., list[dict[str, Any]]]:
    """Runs tasks on a host of the lab: ``tasks_on("ka1", [{…}], "--check")`` gives their results."""
    return lambda hosts, tasks, *arguments: run_tasks(hosts, tasks, *arguments, inventory=INVENTORY)


@pytest.fixture(scope="session")
def ask_owner(tasks_on: Callable[..., list[dict[str, Any]]]) -> Callable[[str, list[str]], list[dict[str, Any]]]:
    """Asks from a host who answers for addresses."""

    def ask(host: str, vips: list[str]) -> list[dict[str, Any]]:
        (result,) = tasks_on(host, [{"name": "Ask", "failover.vip.vip_owner_info": {"vips": vips}}])
        vips_found: list[dict[str, Any]] = result["vips"]
        return vips_found

    return ask
