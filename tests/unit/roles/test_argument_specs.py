# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Every role: its defaults, its argument specification, its README and its families' names agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = sorted(path for path in (Path(__file__).parents[3] / "roles").iterdir() if path.is_dir())
NAMES = [role.name for role in ROLES]
FAMILIES = ["Debian", "RedHat"]
# The template lays a user's dictionary over defaults in vars/main.yml, as Ansible replaces dictionaries as a whole.
LAID_OVER = ["haproxy_global", "haproxy_defaults", "haproxy_defaults_http", "haproxy_defaults_tcp"]

each_role = pytest.mark.parametrize("role", ROLES, ids=NAMES)


def _load(path: Path) -> dict[str, Any]:
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict), f"{path} is not a dictionary"
    return loaded


def _specs(role: Path) -> dict[str, Any]:
    specs = _load(role / "meta" / "argument_specs.yml")["argument_specs"]
    assert isinstance(specs, dict)
    return specs


def _with_default(options: dict[str, Any]) -> dict[str, Any]:
    return {name: option["default"] for name, option in options.items() if "default" in option}


def test_the_roles_are_found() -> None:
    assert {"haproxy", "keepalived", "real_server"} <= set(NAMES)


@each_role
def test_defaults_equal_the_specification(role: Path) -> None:
    options = _specs(role)["main"]["options"]
    assert _load(role / "defaults" / "main.yml") == _with_default(options)


@each_role
def test_every_name_has_the_role_s_prefix(role: Path) -> None:
    assert [name for name in _specs(role)["main"]["options"] if not name.startswith(f"{role.name}_")] == []


@each_role
def test_the_entry_points_are_files(role: Path) -> None:
    specs = _specs(role)
    assert {"main", "preflight"} <= set(specs)
    assert [name for name in specs if not (role / "tasks" / f"{name}.yml").is_file()] == []


@each_role
def test_preflight_leaves_keys_to_its_tasks(role: Path) -> None:
    """Ansible would check suboptions before the first task, and refuse a misspelt key without a hint."""
    options = _specs(role)["preflight"].get("options", {})
    assert [name for name, option in options.items() if "options" in option] == []


@each_role
def test_the_readme_names_every_variable(role: Path) -> None:
    readme = (role / "README.md").read_text(encoding="utf-8")
    assert [name for name in _specs(role)["main"]["options"] if f"`{name}`" not in readme] == []


@each_role
def test_the_families_have_the_same_names(role: Path) -> None:
    families = {family: _load(role / "vars" / f"{family}.yml") for family in FAMILIES}
    assert families["Debian"].keys() == families["RedHat"].keys()
    assert all(name.startswith(f"__{role.name}_") for names in families.values() for name in names)


@pytest.mark.parametrize("name", LAID_OVER)
def test_haproxy_suboptions_equal_what_the_template_lays_under(name: str) -> None:
    role = ROLES[NAMES.index("haproxy")]
    options = _specs(role)["main"]["options"][name]["options"]
    assert _load(role / "vars" / "main.yml")[f"__{name}_defaults"] == _with_default(options)
