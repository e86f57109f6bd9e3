# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Plays run on the lab from within a test, and what was measured meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from testinfra.host import Host

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


#: On the client, while it asks: what ends it, and every request so far.
STOP, SAMPLES = "/run/client-stop", "/var/tmp/client-samples.csv"


@contextmanager
def asking(
    client: Host, tasks_on: Callable[..., list[dict[str, Any]]], targets: list[dict[str, Any]], **options: Any
) -> Iterator[dict[str, Any]]:
    """Lets the client ask with ``vip_probe`` while a block runs; then the mapping has what the module returned."""
    probe = {"targets": targets, "duration": 1200, "stop_file": STOP, "samples_file": SAMPLES, **options}
    client.check_output(f"rm -f {STOP} {SAMPLES}")
    seen: dict[str, Any] = {}
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(tasks_on, "client", [{"name": "Ask", "failover.vip.vip_probe": probe}])
        try:
            deadline = time.monotonic() + 60
            # The header has no digits.
            while not client.run(f"grep -q '[0-9]' {SAMPLES}").succeeded:
                assert not job.done(), job.result()
                assert time.monotonic() < deadline, "the client does not ask"
                time.sleep(0.2)
            yield seen
        finally:
            client.check_output(f"touch {STOP}")
    seen.update(job.result()[0])


def figure(text: str) -> None:
    """Prints what was measured; tests/run/molecule.sh shows it at the end, also of a test that passed."""
    print(text)
    directory = os.environ.get("MOLECULE_EPHEMERAL_DIRECTORY")
    if directory:
        with Path(directory, "figures.txt").open("a", encoding="utf-8") as file:
            file.write(text + "\n")
