# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""What the tests of this scenario share: a client that asks both VIPs meanwhile, and the playbooks."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host

from ansible_collections.failover.vip.tests.lab_play import ROOT, asking, figure, run_playbook

#: What the client saw of each VIP, by the instance's name; filled when it has stopped.
Seen = dict[str, dict[str, Any]]
Asked = Callable[[], AbstractContextManager[Seen]]
Play = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def asked(
    hosts: dict[str, Host],
    vips: dict[str, str],
    tasks_on: Callable[..., list[dict[str, Any]]],
    request: pytest.FixtureRequest,
) -> Asked:
    """Lets the client ask every VIP 200 times a second while a block runs: ``with asked() as seen:``."""
    targets = [{"name": name, "address": address} for name, address in vips.items()]

    @contextmanager
    def client_asks() -> Iterator[Seen]:
        seen: Seen = {}
        with asking(hosts["client"], tasks_on, targets, interval=5, timeout=1000) as result:
            yield seen
        late = result["pace"]["late_ms"]["max"]
        seen.update({target["name"]: {**target, "late_ms": late} for target in result["targets"]})
        for name, target in seen.items():
            words = "{sent} requests, {failed} failed, longest without an answer {longest_gap_ms:.0f} ms"
            figure(f"{request.node.name}, {name}: {words.format(**target)} (the probe at most {late:.0f} ms late)")

    return client_asks


@pytest.fixture(scope="module")
def play(inventory: list[Path]) -> Play:
    """Runs a playbook of the collection: ``play("drain", drain_hosts="ka1")``; named values are extra variables."""

    def run(name: str, *arguments: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        given = ["--extra-vars", json.dumps(variables)] if variables else []
        return run_playbook(ROOT / f"playbooks/{name}.yml", *given, *arguments, inventory=inventory)

    return run
