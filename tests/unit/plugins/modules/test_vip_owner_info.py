# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The module vip_owner_info as Ansible runs it, on a host and a network that are handed in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
import yaml
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.failover.vip.plugins.module_utils._live import _owner
from ansible_collections.failover.vip.plugins.modules import vip_owner_info

HOLDER = bytes.fromhex("525400000002")
OWN = bytes.fromhex("525400000001")
LINK = {
    "ifname": "eth0",
    "flags": ["UP", "LOWER_UP"],
    "link_type": "ether",
    "address": "52:54:00:00:00:01",
    "addr_info": [{"local": "192.0.2.1", "prefixlen": 24}],
}


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with eth0 in 192.0.2.0/24 and 2001:db8::/64; 52:54:00:00:00:02 answers for 192.0.2.100."""

    def run_command(_module: AnsibleModule, command: list[str], **_options: Any) -> tuple[int, str, str]:
        assert command[0] == "/sbin/ip"
        if "address" in command:
            return 0, json.dumps([LINK]), ""
        return 0, json.dumps([{"dst": "2001:db8::/64" if "-6" in command else "192.0.2.0/24", "dev": "eth0"}]), ""

    def ask(asked: Sequence[_owner.Question], timeout: float, interval: float) -> _owner.Asked:
        assert (timeout, interval) == (0.5, 0.1)
        frame = OWN + HOLDER + bytes.fromhex("08060001080006040002") + HOLDER + bytes([192, 0, 2, 100]) + OWN + bytes(4)
        return _owner.Asked(5, [_owner.Heard(0.25, asked[0].interface, 4, frame, 0)])

    monkeypatch.setattr(AnsibleModule, "run_command", run_command)
    monkeypatch.setattr(AnsibleModule, "get_bin_path", lambda *_arguments, **_options: "/sbin/ip")
    monkeypatch.setattr(vip_owner_info, "ask", ask)


def run(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        vip_owner_info.main()
    outcome: dict[str, Any] = json.loads(capsys.readouterr().out)
    return outcome


@pytest.mark.parametrize("check_mode", [False, True])
def test_owners(capsys: pytest.CaptureFixture[str], check_mode: bool) -> None:
    outcome = run(
        capsys,
        vips=["192.0.2.100/24", "2001:db8::100"],
        timeout=0.5,
        interval=0.1,
        _ansible_check_mode=check_mode,
    )
    assert outcome["changed"] is False
    common = {"interface": "eth0", "local_interface": None, "held_here": False, "asked": 5}
    answers = [{"mac": "52:54:00:00:00:02", "first_ms": 0.25, "last_ms": 0.25, "replies": 1}]
    assert outcome["vips"] == [
        {"address": "192.0.2.100", **common, "answers": answers, "owners": 1, "verdict": "one"},
        {"address": "2001:db8::100", **common, "answers": [], "owners": 0, "verdict": "none"},
    ]
    documented = yaml.safe_load(vip_owner_info.RETURN)["vips"]["contains"]
    assert set(documented) == set(outcome["vips"][0])
    assert set(documented["answers"]["contains"]) == set(answers[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vips": ["nowhere"]}, "'nowhere' is no IP address; write it as 192.0.2.10, 192.0.2.10/24 or 2001:db8::10/64"),
        (
            {"vips": ["192.0.2.100"], "interface": "eth9"},
            "there is no interface eth9 on this host; it has eth0",
        ),
        (
            {"vips": ["192.0.2.100"], "timeout": 0.1},
            "timeout must be 0.01 to 60 seconds, and interval 0.01 seconds to timeout",
        ),
        (
            {"vips": ["192.0.2.100"], "timeout": "nan"},
            "timeout must be 0.01 to 60 seconds, and interval 0.01 seconds to timeout",
        ),
    ],
)
def test_refusals(capsys: pytest.CaptureFixture[str], arguments: dict[str, Any], message: str) -> None:
    outcome = run(capsys, **arguments)
    assert (outcome["failed"], outcome["msg"]) == (True, message)
