# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The module keepalived_config as Ansible runs it, on a tree of the test, with a stand-in for keepalived.

The real keepalived tests trees in the Molecule scenarios, in both of its versions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.failover.vip.plugins.modules import keepalived_config

# Refuses a file with the word "wrong" in it, in keepalived's own words, and reads the fragments beside the main file.
KEEPALIVED = """#!/bin/sh
if [ "$1" = --version ]; then
    echo "Keepalived v2.3.3 (03/30,2025)" >&2
    exit 0
fi
for last; do :; done
bad=$(grep -ln wrong "$last" "${last%/*}"/conf.d/*.conf)
[ -n "$bad" ] || exit 0
echo "($bad: Line 1) Unknown keyword 'wrong'" >&2
exit 5
"""
SECRETS = ["old-secret", "new-secret", "third-secret"]
TOKEN = "%%auth_pass:WEB_VIP%%"
FILES = [
    {"path": "keepalived.conf", "content": "include conf.d/*.conf\n"},
    {"path": "conf.d/50-web.conf", "content": f"auth_pass {TOKEN}\n"},
    {"path": "scripts/check.sh", "content": "#!/bin/sh\n", "mode": "0755"},
]


@pytest.fixture
def host(tmp_path: Path) -> dict[str, Any]:
    """Arguments for a host that has an orphan in its tree."""
    program = tmp_path / "keepalived.sh"
    program.write_text(KEEPALIVED)
    program.chmod(0o755)
    orphan = tmp_path / "etc/conf.d/90-old.conf"
    orphan.parent.mkdir(parents=True)
    orphan.write_text("auth_pass old-secret\n")
    for directory in (orphan.parent, orphan.parent.parent):
        directory.chmod(0o755)
    return {
        "conf_dir": str(tmp_path / "etc"),
        "keepalived": str(program),
        "files": FILES,
        "secrets": {TOKEN: "new-secret"},
    }


def run(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        keepalived_config.main()
    printed = capsys.readouterr().out
    assert not [secret for secret in SECRETS if secret in printed], "neither an old nor a new one is told"
    outcome: dict[str, Any] = json.loads(printed)
    return outcome


def contents(conf_dir: str) -> dict[str, str]:
    root = Path(conf_dir)
    return {str(path.relative_to(root)): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


def test_check_then_for_real_then_again(capsys: pytest.CaptureFixture[str], host: dict[str, Any]) -> None:
    before = contents(host["conf_dir"])
    checked = run(capsys, **host, _ansible_check_mode=True, _ansible_diff=True)
    assert contents(host["conf_dir"]) == before
    done = run(capsys, **host, _ansible_diff=True)
    assert contents(host["conf_dir"]) == {
        "conf.d/50-web.conf": "auth_pass new-secret\n",
        "keepalived.conf": "include conf.d/*.conf\n",
        "scripts/check.sh": "#!/bin/sh\n",
    }
    root = host["conf_dir"]
    for outcome in (checked, done):
        assert outcome["changed"] is True
        assert outcome["changed_paths"] == [
            f"{root}/scripts",
            f"{root}/conf.d/50-web.conf",
            f"{root}/keepalived.conf",
            f"{root}/scripts/check.sh",
        ]
        assert outcome["removed_paths"] == [f"{root}/conf.d/90-old.conf"]
        assert outcome["tested"].startswith("yes")
        assert [(entry["before"], entry["after"]) for entry in outcome["diff"]] == [
            ("", "auth_pass ********\n"),
            ("", "include conf.d/*.conf\n"),
            ("", "#!/bin/sh\n"),
            ("auth_pass ********\n", ""),
        ]
    again = run(capsys, **host)
    assert (again["changed"], again["changed_paths"], again["removed_paths"]) == (False, [], [])
    assert again["tested"] == "no, nothing differs"
    assert run(capsys, **host, test="always")["tested"].startswith("yes")


def test_another_secret_is_a_change_that_the_diff_does_not_tell(
    capsys: pytest.CaptureFixture[str], host: dict[str, Any]
) -> None:
    run(capsys, **host)
    outcome = run(capsys, **{**host, "secrets": {TOKEN: "third-secret"}}, _ansible_diff=True)
    assert [entry["after"] for entry in outcome["diff"]] == ["auth_pass ******** (another value)\n"]
    assert contents(host["conf_dir"])["conf.d/50-web.conf"] == "auth_pass third-secret\n"


def test_orphans_can_be_kept(capsys: pytest.CaptureFixture[str], host: dict[str, Any]) -> None:
    assert run(capsys, **host, orphans="keep")["removed_paths"] == []
    assert "conf.d/90-old.conf" in contents(host["conf_dir"])


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_bad_tree_is_refused_and_nothing_changes(
    capsys: pytest.CaptureFixture[str], host: dict[str, Any], check_mode: bool
) -> None:
    before = contents(host["conf_dir"])
    bad = {"path": "conf.d/60-bad.conf", "content": "wrong\n"}
    outcome = run(capsys, **{**host, "files": [*FILES, bad]}, _ansible_check_mode=check_mode)
    assert outcome["failed"] is True
    assert outcome["messages"] == [
        {"path": f"{host['conf_dir']}/conf.d/60-bad.conf", "line": 1, "message": "Unknown keyword 'wrong'"}
    ]
    assert "The live tree is untouched" in outcome["msg"]
    assert contents(host["conf_dir"]) == before


def test_keepalived_that_is_not_installed(capsys: pytest.CaptureFixture[str], host: dict[str, Any]) -> None:
    before = contents(host["conf_dir"])
    host["keepalived"] = "keepalived-that-is-nowhere"
    checked = run(capsys, **host, _ansible_check_mode=True)
    assert (checked["changed"], checked["tested"]) == (True, "no, keepalived is not installed")
    outcome = run(capsys, **host)
    assert outcome["msg"] == "keepalived-that-is-nowhere is not installed, so the tree cannot be tested"
    assert contents(host["conf_dir"]) == before


def test_the_test_can_be_left_out(capsys: pytest.CaptureFixture[str], host: dict[str, Any]) -> None:
    assert run(capsys, **host, test="never")["tested"] == "no, it was not wanted"


def test_a_missing_secret_is_named(capsys: pytest.CaptureFixture[str], host: dict[str, Any]) -> None:
    outcome = run(capsys, **{**host, "secrets": {}})
    assert outcome["msg"] == f"conf.d/50-web.conf asks for the secret {TOKEN}, and secrets has no value for it"


def test_the_examples_work(capsys: pytest.CaptureFixture[str], host: dict[str, Any]) -> None:
    task = yaml.safe_load(keepalived_config.EXAMPLES)[0]
    arguments = {**task["failover.vip.keepalived_config"], "secrets": {TOKEN: "new-secret"}}
    outcome = run(capsys, conf_dir=host["conf_dir"], keepalived=host["keepalived"], **arguments)
    assert outcome["changed"] is True
    assert set(outcome) - {"invocation"} <= set(yaml.safe_load(keepalived_config.RETURN)) | {"changed"}
