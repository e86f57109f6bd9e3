# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""What is written down twice in the collection, since Ansible wants it so, and must not drift apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def entry_points(role: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Entry point -> option -> its specification."""
    specs = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]
    return {name: spec.get("options", {}) for name, spec in specs.items()}


def test_roles_are_found() -> None:
    assert {"haproxy", "keepalived", "real_server"} <= set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_defaults_equal_their_specification(role: str) -> None:
    """``defaults/main.yml`` is what counts at run time, the specification is what ``ansible-doc`` shows."""
    defaults = load(f"roles/{role}/defaults/main.yml")
    for name, options in entry_points(role).items():
        specified = {option: spec["default"] for option, spec in options.items() if "default" in spec}
        assert specified == {option: defaults.get(option) for option in specified}, name


@pytest.mark.parametrize("role", ROLES)
def test_every_default_is_specified(role: str) -> None:
    specified = {option for options in entry_points(role).values() for option in options}
    assert set(load(f"roles/{role}/defaults/main.yml")) <= specified


@pytest.mark.parametrize("role", ROLES)
def test_role_has_a_readme(role: str) -> None:
    """Galaxy refuses a collection with a role that has none."""
    assert (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8").startswith("# ")


def test_every_module_is_in_the_action_group() -> None:
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py")}
    assert set(load("meta/runtime.yml")["action_groups"]["vip"]) == modules


def test_versions_agree() -> None:
    """The first release is described by the fragment of its number until antsibull-changelog writes it down."""
    version = load("galaxy.yml")["version"]
    released = load("changelogs/changelog.yaml")["releases"]
    assert version in released or (ROOT / "changelogs" / "fragments" / f"{version}.yml").exists()
