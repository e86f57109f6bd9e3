# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The module keepalived_lint as Ansible runs it, on files of the test's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.failover.vip.plugins.module_utils._conf._plain import from_plain
from ansible_collections.failover.vip.plugins.module_utils._live._system import ThisHost
from ansible_collections.failover.vip.plugins.modules import keepalived_lint

DATA = Path(__file__).parents[2] / "data"
LINKS = [
    {"ifname": "lo", "flags": ["UP"], "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}]},
    {
        "ifname": "eth0",
        "flags": ["UP"],
        "address": "52:54:00:00:00:01",
        "addr_info": [{"local": "198.51.100.1", "prefixlen": 24}, {}],
    },
    {"ifname": "eth1", "flags": []},
]


def run(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        keepalived_lint.main()
    outcome: dict[str, Any] = json.loads(capsys.readouterr().out)
    return outcome


def rules(outcome: dict[str, Any]) -> list[str]:
    return sorted({finding["rule"] for finding in outcome["findings"]})


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_file_without_mistakes(capsys: pytest.CaptureFixture[str], check_mode: bool) -> None:
    path = str(DATA / "sample.conf")
    outcome = run(capsys, path=path, host_id="ka1", fail_on="error", _ansible_check_mode=check_mode)
    assert (outcome["changed"], outcome["files"]) == (False, [path])
    assert outcome["model"]["global_defs"]["router_id"] == "ka1"
    web = outcome["model"]["vrrp_instances"][0]
    assert outcome["findings"] == []
    assert (web["name"], web["version"], web["priority"]) == ("WEB_VIP", 3, 254)
    assert web["places"][""][0] == path
    assert run(capsys, path=path, host_id="ka2")["model"]["global_defs"]["router_id"] == "ka2"
    documented = yaml.safe_load(keepalived_lint.RETURN)
    assert set(documented) == {key for key in outcome if key not in ("changed", "invocation")}


def test_the_lessons_first_file(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(DATA / "lesson" / "ka1.conf")
    outcome = run(capsys, path=path)
    assert rules(outcome) == ["KH007", "KH020", "KH022", "KH026", "KH027", "KH034", "KH048"]
    assert {(finding["path"], finding["host"]) for finding in outcome["findings"]} == {(path, "")}
    documented = yaml.safe_load(keepalived_lint.RETURN)["findings"]["contains"]
    assert all(set(finding) == set(documented) for finding in outcome["findings"])
    failed = run(capsys, path=path, fail_on="warning")
    assert failed["failed"] is True
    assert "Did you mean 'track_script'?" in failed["msg"]
    assert failed["findings"] == outcome["findings"]


def test_no_password_is_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def token(password: str, **arguments: Any) -> str:
        path = tmp_path / "keepalived.conf"
        path.write_text(
            "vrrp_instance A {\nauthentication {\nauth_type PASS\nauth_pass %s\n}\nauth_hmac {\nkey %s\n}\n}"
            % (password, password),
            encoding="utf-8",
        )
        outcome = run(capsys, path=str(path), **arguments)
        assert password not in json.dumps(outcome)
        return str(outcome["model"]["vrrp_instances"][0]["authentication"]["auth_pass"])

    assert token("canary-1") == token("canary-2") == "%%auth_pass%%"
    key = {"fingerprint_key": "of this run"}
    assert token("canary-1", **key) == token("canary-1-of-which-8-count", **key)
    assert token("canary-1", **key) != token("canary-2", **key)
    assert token("canary-1", **key) != token("canary-1", fingerprint_key="of another")


def test_interfaces(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(DATA / "lesson" / "ka2.conf")
    assert "KH010" not in rules(run(capsys, path=path))
    assert "KH010" in rules(run(capsys, path=path, interfaces={"eth0": ["198.51.100.1/24"]}))
    assert "KH045" in rules(run(capsys, path=path, interfaces={}))

    def run_command(_module: AnsibleModule, command: list[str], **_options: Any) -> tuple[int, str, str]:
        assert command == ["/sbin/ip", "-json", "address", "show"]
        return 0, json.dumps(LINKS), ""

    monkeypatch.setattr(AnsibleModule, "run_command", run_command)
    monkeypatch.setattr(AnsibleModule, "get_bin_path", lambda *_arguments, **_options: "/sbin/ip")
    assert "KH010" in rules(run(capsys, path=path, gather_interfaces=True))
    monkeypatch.setattr(AnsibleModule, "run_command", lambda *_arguments, **_options: (1, "", "not allowed\n"))
    assert run(capsys, path=path, gather_interfaces=True)["msg"] == "the interfaces could not be read: not allowed"


def test_the_machine_around_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A script that others can write is found with it, and vrrp_validate takes what is learned."""
    script = tmp_path / "check.sh"
    script.write_text("#!/bin/sh\ntrue the-canary\necho 0\n", encoding="utf-8")
    script.chmod(0o777)
    path = tmp_path / "keepalived.conf"
    path.write_text("vrrp_script chk {\nscript %s\nuser root\n}\n" % script, encoding="utf-8")
    monkeypatch.setattr(ThisHost, "run", lambda *_arguments: (127, "", ""))
    assert {"KH024", "KH025"}.isdisjoint(rules(run(capsys, path=str(path))))
    outcome = run(capsys, path=str(path), gather_machine=True)
    assert {"KH024", "KH027"} <= set(rules(outcome))
    machine = outcome["model"]["machine"]
    assert machine["paths"][str(script)]["mode"] == 0o777
    assert str(path) in machine["paths"]
    assert "canary" not in json.dumps(outcome)
    assert from_plain("ka1", outcome["model"]).machine.paths[str(script)].writable_by_others


def test_refusals(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = str(tmp_path / "gone.conf")
    outcome = run(capsys, path=path, fail_on="error")
    assert "there is no configuration" in outcome["msg"]
    assert outcome["findings"][0]["path"] == path
    assert "192.0.2.1/24" in run(capsys, path=path, interfaces={"eth0": ["x"]})["msg"]


def test_the_examples(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They run, on a file that stands where they say."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "files" / "ka1").mkdir(parents=True)
    (tmp_path / "files" / "ka1" / "keepalived.conf").write_text(
        "vrrp_instance A {\ninterface eth1\n}\n", encoding="utf-8"
    )
    live, folder, whole = (task["failover.vip.keepalived_lint"] for task in yaml.safe_load(keepalived_lint.EXAMPLES))
    assert live is None
    assert "model" in run(capsys, **{**whole, "gather_interfaces": False})
    outcome = run(capsys, **folder)
    assert outcome["failed"] is True
    assert rules(outcome) == ["KH044", "KH045"]


def test_a_comment_allows_a_finding(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    included = tmp_path / "more.conf"
    included.write_text("vrrp_script unused { # failover.vip: allow KH022 because it comes\nscript /a\n}\n", "utf-8")
    path = tmp_path / "keepalived.conf"
    text = "! failover.vip: allow KH034 because of 2.4\nnew_word\n! failover.vip: allow KH041\ninclude more.conf\n"
    path.write_text(text + "global_defs {\nenable_script_security\n}\n", "utf-8")
    outcome = run(capsys, path=str(path), fail_on="error")
    assert "failed" not in outcome
    assert not {"KH034", "KH022"} & set(rules(outcome))
    assert "KI006" in rules(outcome)
    assert {(one["rule"], one["reason"], one["allowed_at"]) for one in outcome["allowed"]} == {
        ("KH034", "of 2.4", f"{path}:1"),
        ("KH022", "it comes", f"{included}:1"),
    }
    assert [(one["rule"], one["line"]) for one in outcome["allowances"]] == [("KH034", 2), ("KH041", 4), ("KH022", 1)]
