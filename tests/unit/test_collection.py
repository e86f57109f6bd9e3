# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""What is written down twice in the collection, since Ansible wants it so, and must not drift apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def test_every_module_is_in_the_action_group() -> None:
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py")}
    assert set(load("meta/runtime.yml")["action_groups"]["vip"]) == modules


def test_versions_agree() -> None:
    """The first release is described by the fragment of its number until antsibull-changelog writes it down."""
    version = load("galaxy.yml")["version"]
    released = load("changelogs/changelog.yaml")["releases"]
    assert version in released or (ROOT / "changelogs" / "fragments" / f"{version}.yml").exists()
