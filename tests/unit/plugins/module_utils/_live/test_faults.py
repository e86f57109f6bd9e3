# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Every fault has commands that a shell can read, and heals whatever happens."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from ansible_collections.failover.vip.plugins.module_utils._live._faults import (
    KINDS,
    Fault,
    FaultError,
    fault_of,
    scripts,
)


@pytest.mark.parametrize("kind", KINDS)
def test_the_scripts_are_shell(kind: str, tmp_path: Path) -> None:
    fault = fault_of(kind, "eth0", "haproxy", {"break": "touch a", "heal": "rm a"})
    for text in scripts(fault, 1, 5, str(tmp_path)).values():
        subprocess.run(["sh", "-n"], input=text, text=True, check=True)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("link_down", "needs an interface"),
        ("isolate", "needs an interface"),
        ("vrrp_filtered", "needs an interface"),
        ("service", "needs a service"),
        ("command", "needs break_command and heal_command"),
        ("earthquake", "no fault 'earthquake'"),
    ],
)
def test_what_a_fault_needs(kind: str, what: str) -> None:
    with pytest.raises(FaultError, match=what):
        fault_of(kind)


def run(fault: Fault, state: Path, seconds: float) -> None:
    """What the unit does: break, and heal at the end however it ends."""
    for name, text in scripts(fault, 0, seconds, str(state)).items():
        (state / name).write_text(text, encoding="utf-8")
    subprocess.run(["sh", str(state / "break")], check=False)
    subprocess.run(["sh", str(state / "heal")], check=True)


def test_a_fault_lasts_as_long_as_it_should_and_heals(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    before = time.time()
    run(Fault("test ! -e %s && touch %s" % (broken, broken), "rm %s" % broken), tmp_path, 0.3)
    assert not broken.exists()
    assert (tmp_path / "made").exists()
    began, ended = (float((tmp_path / name).read_text(encoding="ascii")) for name in ("broken_at", "healed_at"))
    assert before - 0.01 <= began <= ended - 0.3


def test_a_fault_that_cannot_be_made_is_healed_at_once(tmp_path: Path) -> None:
    half = tmp_path / "half"
    run(Fault("touch %s; false" % half, "rm %s" % half), tmp_path, 60)
    assert not half.exists()
    assert not (tmp_path / "made").exists()
    assert (tmp_path / "healed_at").exists()
