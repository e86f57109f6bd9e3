# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The module vip_handover as Ansible runs it, with the commands answered here.

What the commands do is shown by test_handover.py with real kernels, and all of it together by molecule/rolling.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.failover.vip.plugins.modules import vip_handover

LO = {"address": "192.0.2.100", "interface": "lo"}
RELAY = {"address": "192.0.2.100", "to": "192.0.2.50", "interface": "lo"}
ADDRESSES = json.dumps(
    [
        {
            "addr_info": [
                {"local": "192.0.2.50", "scope": "global"},
                {"local": "192.0.2.100", "scope": "global"},
                {"local": "2001:db8::50", "scope": "global"},
                {"local": "fe80::50", "scope": "link"},
            ]
        }
    ]
)


class Host:
    """Answers the module's commands; ``fails`` is the command that does."""

    def __init__(self) -> None:
        self.units: set[str] = set()
        self.done: list[str] = []
        self.fails = ""

    def __call__(self, command: list[str], **options: Any) -> tuple[int, str, str]:
        text = " ".join(command)
        if self.fails and text.startswith(self.fails):
            return 1, "", "Error: Could not process rule:\n No such file or directory"
        if text.startswith("systemctl show"):
            return 0, "active\n" if command[-1] in self.units else "inactive\n", ""
        if command[:2] == ["ip", "-json"]:
            return 0, ADDRESSES, ""
        if command[0] == "systemd-run":
            self.units.add(next(word.removeprefix("--unit=") for word in command if word.startswith("--unit=")))
        if text.startswith("systemctl stop"):
            self.units.discard(command[-1])
        self.done.append(text + (" " + options["data"] if options.get("data") else ""))
        return 0, "", ""


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Host:
    made = Host()
    monkeypatch.setattr(AnsibleModule, "run_command", made)
    monkeypatch.setattr(AnsibleModule, "get_bin_path", lambda _module, name, *_args, **_options: name)
    monkeypatch.setattr(vip_handover, "state_of", lambda name: tmp_path / name)
    monkeypatch.setattr(vip_handover, "read", lambda _path: "")
    return made


@pytest.fixture
def run(host: Host, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(**arguments: Any) -> dict[str, Any]:
        with patch_module_args(arguments), pytest.raises(SystemExit):
            vip_handover.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return run


def test_the_old_holder_tells_how_it_is_reached(run: Any, host: Host) -> None:
    wide = {"address": "2001:DB8::100", "interface": "lo"}
    result = run(keep=[LO, wide])
    assert result["kept"] == [
        {"address": "192.0.2.100", "to": "192.0.2.50"},
        {"address": "2001:DB8::100", "to": "fe80::50"},
    ]
    assert (result["changed"], result["running"], result["connections"]) == (True, True, 0)
    # What undoes it is there before anything is done.
    assert [command.split()[0] for command in host.done] == ["systemd-run", "sh"]


def test_a_new_call_takes_the_place_of_the_one_before(run: Any, host: Host) -> None:
    run(relay=[RELAY])
    run(keep=[LO])
    host.done.clear()
    assert run(relay=[RELAY], seconds=9)["changed"]
    assert [command.split()[:2] for command in host.done] == [
        ["nft", "--check"],
        ["systemctl", "stop"],
        ["systemd-run", "--quiet"],
        ["nft", "--file"],
    ]
    assert host.units == {"failover-vip-keep.service", "failover-vip-relay.service"}
    assert run(state="absent") | {"invocation": 0} == {
        "changed": True,
        "connections": 0,
        "invocation": 0,
        "kept": [],
        "running": False,
    }
    assert run(state="absent")["changed"] is False


def test_check_mode_changes_nothing(run: Any, host: Host) -> None:
    assert run(keep=[LO], _ansible_check_mode=True)["changed"]
    assert host.done == []


def test_a_kernel_that_cannot_pass_on_is_left_alone(run: Any, host: Host) -> None:
    host.fails = "nft --check"
    result = run(relay=[RELAY])
    assert result["failed"]
    assert result["msg"].startswith(
        "nft or the kernel cannot pass packets on: Error: Could not process rule: No such file"
    )
    assert host.done == []


def test_what_cannot_be_done_is_undone(run: Any, host: Host) -> None:
    host.fails = "sh -s"
    assert run(keep=[LO])["msg"].startswith("could not be done, and is undone: Error")
    assert not host.units
    assert host.done[-1] == "systemctl stop failover-vip-keep.service"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "with state=present, keep or relay must name a VIP"),
        ({"keep": [{**LO, "address": "192.0.2.100/24"}]}, "keep: '192.0.2.100/24' is no address; give it without"),
        ({"keep": [{"address": "192.0.2.100"}]}, "keep: there is no interface '' on this host"),
        ({"keep": [{**LO, "interface": "no-such"}]}, "keep: there is no interface 'no-such' on this host"),
        ({"relay": [{**RELAY, "to": "fe80::1"}]}, "relay: 192.0.2.100 and fe80::1 are of different families"),
        ({"keep": [LO], "relay": [RELAY]}, "192.0.2.100 cannot both leave this host and come to it"),
        ({"keep": [LO], "seconds": 4000}, "seconds must be 1 to 3600"),
    ],
)
def test_refused(run: Any, host: Host, arguments: dict[str, Any], said: str) -> None:
    result = run(**arguments)
    assert result["failed"]
    assert said in result["msg"]
    assert host.done == []


def test_drained_waits_for_connections_and_says_how_many_are_left(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    head = "  sl  local_address rem_address   st\n"
    line = "   0: 640200C0:0050 010200C0:D431 01\n"
    answers = [head + line, head + line, head]
    monkeypatch.setattr(
        vip_handover,
        "read",
        lambda path: (answers.pop(0) if len(answers) > 1 else answers[0]) if path.endswith("tcp") else "",
    )
    keep = [{"address": "192.0.2.100"}]
    assert run(state="drained", keep=keep)["connections"] == 0
    answers[:] = [head + line]
    left = run(state="drained", keep=keep, timeout=0.3)
    assert (left["connections"], left["changed"]) == (1, False)
