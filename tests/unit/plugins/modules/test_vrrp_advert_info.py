# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The module vrrp_advert_info as Ansible runs it, on a host and a wire that are handed in."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import yaml
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.failover.vip.plugins.module_utils._wire import _listen
from ansible_collections.failover.vip.plugins.modules import vrrp_advert_info

# From keepalived 2.2.7: VRID 53 by 192.0.2.1 in version 3, VRID 51 in version 2 with a password
V3 = bytes.fromhex("45c0002000010000ff701899c0000201e00000123135fd0100326c9ec0000267")
V2 = bytes.fromhex("45c0002c00010000ff70188dc0000201e00000122133fe0201011ee4c0000264c00002657333637265740000")
LINKS = [
    {"ifname": "lo", "flags": ["LOOPBACK", "UP"]},
    {"ifname": "eth0", "flags": ["UP"], "address": "52:54:00:00:00:09"},
]


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with eth0, on which three advertisements and garbage come."""
    packets = [(V3, "01"), (V2, "01"), (V3, "02"), (b"", "03")]

    def run_command(_module: AnsibleModule, command: list[str], **_options: Any) -> tuple[int, str, str]:
        assert command == ["/sbin/ip", "-j", "-d", "link", "show"]
        return 0, json.dumps(LINKS), ""

    @contextlib.contextmanager
    def opened(interfaces: Sequence[str]) -> Iterator[_listen.Receive]:
        assert interfaces == ["eth0"]
        frames = iter([_listen.Frame("eth0", f"52:54:00:00:00:{mac}", False, packet) for packet, mac in packets])
        yield lambda _seconds: next(frames, None)

    monkeypatch.setattr(AnsibleModule, "run_command", run_command)
    monkeypatch.setattr(AnsibleModule, "get_bin_path", lambda *_arguments, **_options: "/sbin/ip")
    monkeypatch.setattr(vrrp_advert_info, "opened", opened)


def run(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        vrrp_advert_info.main()
    outcome: dict[str, Any] = json.loads(capsys.readouterr().out)
    return outcome


@pytest.mark.parametrize("check_mode", [False, True])
def test_who_speaks(capsys: pytest.CaptureFixture[str], check_mode: bool) -> None:
    outcome = run(capsys, timeout=0.01, _ansible_check_mode=check_mode)
    assert outcome["changed"] is False
    assert [(router["vrid"], router["mac"][-2:]) for router in outcome["routers"]] == [
        (51, "01"),
        (53, "01"),
        (53, "02"),
    ]
    assert outcome["strangers"] == outcome["routers"]
    assert [split["vrid"] for split in outcome["split"]] == [53]
    assert (outcome["interfaces"], outcome["packets"], outcome["complete"]) == (["eth0"], 4, True)
    documented = yaml.safe_load(vrrp_advert_info.RETURN)
    assert set(documented) == set(outcome) - {"changed", "invocation"}
    for name in ("routers", "split", "undecoded"):
        assert set(documented[name]["contains"]) == set(outcome[name][0])


def test_known_routers_and_wanted_vrids(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = run(capsys, timeout=0.01, interfaces=["eth0"], known=["192.0.2.1/24"], vrids=[51])
    assert [router["vrid"] for router in outcome["routers"]] == [51]
    assert outcome["strangers"] == []


def test_a_flood_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = run(capsys, timeout=60, max_packets=2)
    assert (outcome["packets"], outcome["complete"]) == (2, False)


def test_a_password_is_in_no_result(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = run(capsys, timeout=0.01)
    assert [router["password"] for router in outcome["routers"]] == [True, False, False]
    assert "s3cret" not in json.dumps(outcome)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"timeout": 0}, "timeout must be 0.01 to 3600 seconds, and max_packets 1 to 1000000"),
        ({"timeout": "nan"}, "timeout must be 0.01 to 3600 seconds, and max_packets 1 to 1000000"),
        ({"max_packets": 0}, "timeout must be 0.01 to 3600 seconds, and max_packets 1 to 1000000"),
        ({"vrids": [51, 256]}, "vrids has 256, but a VRID is from 1 to 255"),
        ({"interfaces": ["eth9"]}, "there is no interface eth9 on this host; it has eth0, lo"),
        ({"known": ["ka1"]}, "'ka1' in known is no IP address; write it as 192.0.2.10 or 2001:db8::10"),
    ],
)
def test_refusals(capsys: pytest.CaptureFixture[str], arguments: dict[str, Any], message: str) -> None:
    outcome = run(capsys, **arguments)
    assert (outcome["failed"], outcome["msg"]) == (True, message)
