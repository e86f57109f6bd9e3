# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The module haproxy_server as Ansible runs it, over a socket's answers that a small HAProxy computes.

That the real one answers so is shown in molecule/rolling.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.failover.vip.plugins.module_utils._live import _haproxy_socket
from ansible_collections.failover.vip.plugins.modules import haproxy_server

MAINT, DRAIN = 0x01, 0x08


class Haproxy:
    """Servers by their labels, as [admin bits, whether checks are good, weight, sessions]."""

    def __init__(self, **servers: list[Any]) -> None:
        self.servers = {label.replace("_", "/"): values for label, values in servers.items()}
        self.commands: list[str] = []

    def __call__(self, text: str) -> str:
        words = text.split()
        if words[:3] == ["show", "servers", "state"]:
            lines = ["1", "# be_id be_name srv_id srv_name srv_op_state srv_admin_state srv_uweight srv_iweight"]
            for label, (admin, good, weight, _sessions) in self.servers.items():
                backend, name = label.split("/")
                lines.append(f"1 {backend} 1 {name} {2 if good and not admin & MAINT else 0} {admin} {weight} 1")
            return "\n".join([*lines, "", ""])
        if words[:2] == ["show", "stat"]:
            lines = ["# pxname,svname,qcur,scur,status,check_status,last_chk,check_rise,check_fall,check_health,"]
            for label, (admin, good, _weight, sessions) in self.servers.items():
                backend, name = label.split("/")
                status = "MAINT" if admin & MAINT else ("DRAIN" if admin & DRAIN else "UP") if good else "DOWN"
                lines.append(f"{backend},{name},0,{sessions},{status},L4{'OK' if good else 'CON'},,2,3,{4 * good},")
            return "\n".join([*lines, "", ""])
        self.commands.append(text)
        server = self.servers[words[2]]
        if words[3] == "weight":
            server[2] = int(words[4])
        else:
            server[0] = {"ready": 0, "drain": DRAIN, "maint": MAINT}[words[4]]
        return "\n"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(haproxy: Any, **arguments: Any) -> dict[str, Any]:
        monkeypatch.setattr(haproxy_server, "unix_socket", lambda _path: haproxy)
        monkeypatch.setattr(haproxy_server, "_PATIENCE", 0.0)
        monkeypatch.setattr(_haproxy_socket, "_PAUSE", 0.0)
        given = {"server": "a", "socket": "/run/s", "_ansible_diff": True, **arguments}
        with patch_module_args(given), pytest.raises(SystemExit):
            haproxy_server.main()
        outcome: dict[str, Any] = json.loads(capsys.readouterr().out)
        return outcome

    return run


def test_every_backend_that_has_it_once(run: Any) -> None:
    haproxy = Haproxy(web_a=[0, True, 1, 0], web_b=[0, True, 1, 0], api_a=[DRAIN, True, 9, 0])
    outcome = run(haproxy, state="drain", weight=9, _ansible_check_mode=True)
    assert (outcome["changed"], haproxy.commands) == (True, [])
    expected = {
        "before": "web/a: ready, weight 1\napi/a: drain, weight 9\n",
        "after": "web/a: drain, weight 9\napi/a: drain, weight 9\n",
    }
    assert outcome["diff"] == expected
    outcome = run(haproxy, state="drain", weight=9)
    assert (outcome["changed"], outcome["diff"]) == (True, expected)
    assert haproxy.commands == ["set server web/a weight 9", "set server web/a state drain"]
    assert [one["status"] for one in outcome["servers"]] == ["DRAIN", "DRAIN"]
    assert run(haproxy, state="drain", weight=9)["changed"] is False
    assert len(haproxy.commands) == 2


def test_it_only_looks_without_state_and_weight(run: Any) -> None:
    haproxy = Haproxy(web_a=[MAINT, True, 1, 0])
    outcome = run(haproxy)
    assert (outcome["changed"], outcome["servers"][0]["state"], haproxy.commands) == (False, "maint", [])


def test_maintenance_comes_after_the_last_session(run: Any) -> None:
    class Finishing(Haproxy):
        def __call__(self, text: str) -> str:
            answer = super().__call__(text)
            if text.startswith("show stat") and self.commands and self.servers["web/a"][3]:
                self.servers["web/a"][3] -= 1
            return answer

    haproxy = Finishing(web_a=[0, True, 1, 3])
    outcome = run(haproxy, state="maint", wait_drained=10)
    assert haproxy.commands == ["set server web/a state drain", "set server web/a state maint"]
    assert (outcome["servers"][0]["sessions"], outcome["servers"][0]["status"]) == (0, "MAINT")


def test_what_does_not_finish_stays_drained_and_is_not_cut(run: Any) -> None:
    haproxy = Haproxy(web_a=[0, True, 1, 3])
    outcome = run(haproxy, state="maint", wait_drained=0.01)
    assert haproxy.commands == ["set server web/a state drain"]
    assert outcome["msg"].startswith("/run/s, */a: still busy after 0.01 s: web/a has 3 sessions and 0 queued.")
    assert "web/a is drain (DRAIN)" in outcome["msg"]


def test_one_in_maintenance_does_not_come_back_to_be_drained(run: Any) -> None:
    haproxy = Haproxy(web_a=[MAINT, True, 1, 0])
    assert run(haproxy, state="maint", wait_drained=1)["changed"] is False
    assert haproxy.commands == []


def test_one_that_is_down_is_drained_at_once_and_is_not_up_when_ready(run: Any) -> None:
    haproxy = Haproxy(web_a=[0, False, 1, 0])
    outcome = run(haproxy, state="drain", wait_drained=60)
    assert (outcome["changed"], outcome["servers"][0]["state"], outcome["servers"][0]["up"]) == (True, "drain", False)
    outcome = run(haproxy, state="ready", wait_up=0.01)
    assert outcome["msg"] == "/run/s, */a: not up after 0.01 s: web/a is DOWN, its last check: L4CON."
    assert run(haproxy, state="ready")["changed"] is False


def test_a_command_without_effect_is_no_success(run: Any) -> None:
    class Deaf(Haproxy):
        def __call__(self, text: str) -> str:
            return "\n" if text.startswith("set") else super().__call__(text)

    outcome = run(Deaf(web_a=[0, True, 1, 0]), state="drain")
    assert outcome["msg"] == "/run/s, */a: web/a is ready (UP): HAProxy took the command, but it has no effect."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"server": "a;shutdown sessions"}, "server is 'a;shutdown sessions', which is no name"),
        ({"server": "a\nb"}, "which is no name"),
        ({"backend": "web/a"}, "backend is 'web/a', which is no name"),
        ({"server": "*"}, "server is '*', which is no name"),
        ({"weight": 257}, "weight is 257, and must be 0 to 256"),
        ({"weight": -1}, "weight is -1"),
        ({"wait_up": -1}, "wait_up is -1 s"),
        ({"server": "aa"}, "/run/s, */aa: no server 'aa' in any backend. Did you mean 'a'?"),
    ],
)
def test_what_is_refused_before_anything_is_done(run: Any, arguments: dict[str, Any], message: str) -> None:
    haproxy = Haproxy(web_a=[0, True, 1, 0])
    outcome = run(haproxy, **{"state": "drain", **arguments})
    assert outcome["failed"]
    assert message in outcome["msg"]
    assert haproxy.commands == []


def test_no_socket_at_all(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(haproxy_server, "SOCKETS", ("/nonexistent/s",))
    assert "there is none of /nonexistent/s" in run(Haproxy(), socket=None)["msg"]
