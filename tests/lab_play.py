# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Plays run on the lab from within a test, and what was measured meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent


def run_playbook(
    playbook: Path, *arguments: str, inventory: list[Path], seconds: float = 600, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs a playbook on the lab of this environment (LAB_ID), with the checkout's collection and configuration."""
    command = [
        "ansible-playbook",
        *(word for path in inventory for word in ("-i", str(path))),
        str(playbook),
        *arguments,
    ]
    own = {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".ansible/collections"),
        "ANSIBLE_NOCOLOR": "1",
        **environment,
    }
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=seconds, env={**os.environ, **own}, cwd=ROOT
    )


def run_tasks(hosts: str, tasks: list[dict[str, Any]], *arguments: str, inventory: list[Path]) -> list[dict[str, Any]]:
    """Runs tasks on one host of the lab; returns each task's result. Fails with the whole output if a task does."""
    play = [{"name": "Test", "hosts": hosts, "gather_facts": False, "become": False, "tasks": tasks}]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "play.yml"
        path.write_text(yaml.safe_dump(play, sort_keys=False), encoding="utf-8")
        done = run_playbook(path, *arguments, inventory=inventory, ANSIBLE_STDOUT_CALLBACK="ansible.posix.json")
    assert done.returncode == 0, done.stdout + done.stderr
    (output,) = json.loads(done.stdout)["plays"]
    return [next(iter(task["hosts"].values())) for task in output["tasks"]]


def figure(text: str) -> None:
    """Prints what was measured; tests/run/molecule.sh shows it at the end, also of a test that passed."""
    print(text)
    directory = os.environ.get("MOLECULE_EPHEMERAL_DIRECTORY")
    if directory:
        with Path(directory, "figures.txt").open("a", encoding="utf-8") as file:
            file.write(text + "\n")
