# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""What the tests of all scenarios share: the lab's hosts by their names, and its addresses.

The lab is the one that LAB_ID and LAB_SUBNET name, as for ``lab/lab.sh``.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import testinfra
from testinfra.host import Host

from ansible_collections.failover.vip.tests.lab_play import ROOT, run_playbook, run_tasks
from ansible_collections.failover.vip.tests.lab_watch import HolderWatch

LAB_ID = os.environ.get("LAB_ID", "")
PREFIX = f"{LAB_ID}-" if LAB_ID else ""
NETWORK = f"failover-vip-{LAB_ID}" if LAB_ID else "failover-vip"


def _podman(*words: str) -> str:
    return subprocess.run(["podman", *words], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="session")
def hosts() -> dict[str, Host]:
    """Every running host of the lab, by its name in the inventory: ``hosts["ka1"].run("…")``."""
    names = _podman("ps", "--filter", f"network={NETWORK}", "--format", "{{.Names}}").split()
    return {name.removeprefix(PREFIX): testinfra.get_host(f"podman://{name}") for name in names}


@pytest.fixture(scope="session")
def directors() -> list[str]:
    """The names of the directors, in the inventory's order."""
    return ["ka1", "ka2"]


@pytest.fixture(scope="session")
def network_prefix() -> str:
    """The first three numbers of the lab's addresses, such as 172.25.254."""
    subnet: str = json.loads(_podman("network", "inspect", NETWORK))[0]["subnets"][0]["subnet"]
    return subnet.rsplit(".", 1)[0]


@pytest.fixture(scope="session")
def vips(network_prefix: str) -> dict[str, str]:
    """The VIPs by the names of their instances."""
    return {"WEB_VIP": f"{network_prefix}.100", "DB_VIP": f"{network_prefix}.200"}


@pytest.fixture
def watch_holders(directors: list[str], vips: dict[str, str]) -> Callable[[], HolderWatch]:
    """Makes a watch over all VIPs on all directors: ``with watch_holders() as watch:``."""
    return lambda: HolderWatch({name: PREFIX + name for name in directors}, list(vips.values()))


@pytest.fixture(scope="module")
def inventory(request: pytest.FixtureRequest) -> list[Path]:
    """The inventories of the scenario that the test belongs to."""
    return [ROOT / "inventories/lab", request.path.parent.parent / "inventory"]


@pytest.fixture(scope="module")
def site(inventory: list[Path]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs site.yml on the lab: ``site("--check", "-e", "…")``."""
    return lambda *arguments: run_playbook(ROOT / "site.yml", *arguments, inventory=inventory)


@pytest.fixture(scope="module")
def tasks_on(inventory: list[Path]) -> Callable[..., list[dict[str, Any]]]:
    """Runs tasks on a host of the lab: ``tasks_on("ka1", [{…}], "--check")`` gives their results."""
    return lambda host, tasks, *arguments: run_tasks(host, tasks, *arguments, inventory=inventory)
