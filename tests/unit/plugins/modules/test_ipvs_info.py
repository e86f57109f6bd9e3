# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The module ipvs_info as Ansible runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.failover.vip.plugins.module_utils._live import _ipvs
from ansible_collections.failover.vip.plugins.modules import ipvs_info


def run(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        ipvs_info.main()
    outcome: dict[str, Any] = json.loads(capsys.readouterr().out)
    return outcome


@pytest.mark.parametrize("check_mode", [False, True])
def test_this_kernel(capsys: pytest.CaptureFixture[str], check_mode: bool) -> None:
    outcome = run(capsys, _ansible_check_mode=check_mode)
    assert outcome["available"] is Path(_ipvs.PROC_FILE).exists()
    assert bool(outcome["message"]) is not outcome["available"]
    assert outcome["changed"] is False
    assert set(yaml.safe_load(ipvs_info.RETURN)) == set(outcome) - {"changed", "invocation"}


def test_what_is_documented_is_what_is_read() -> None:
    documented = yaml.safe_load(ipvs_info.RETURN)
    service = documented["services"]["contains"]
    counters = set(_ipvs._STATS)
    assert set(service["stats"]["contains"]) == counters
    assert set(service["real_servers"]["contains"]["stats"]["contains"]) == counters


def test_a_refusal_is_a_message(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_arguments: Any) -> dict[str, Any]:
        raise _ipvs.IpvsError("Use become.")

    monkeypatch.setattr(ipvs_info, "read", read)
    outcome = run(capsys)
    assert (outcome["failed"], outcome["msg"]) == (True, "Use become.")
