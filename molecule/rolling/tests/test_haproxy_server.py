# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The module haproxy_server against the HAProxy of a director, with a client that asks 200 times a second."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from testinfra.host import Host

Asked = Callable[[], AbstractContextManager[dict[str, dict[str, Any]]]]
Run = Callable[..., list[dict[str, Any]]]


def task(**arguments: Any) -> dict[str, Any]:
    return {"failover.vip.haproxy_server": {"server": "rs11", **arguments}}


def test_the_socket_is_for_root_alone(hosts: dict[str, Host]) -> None:
    socket = hosts["ka1"].file("/run/haproxy/control.sock")
    assert socket.is_socket
    assert (socket.user, socket.mode) == ("root", 0o600)


def test_a_server_leaves_and_returns_and_no_request_is_lost(asked: Asked, tasks_on: Run) -> None:
    with asked() as seen:
        for director in ("ka1", "ka2"):
            would, drained, again, maint, ready = tasks_on(
                director,
                [
                    {**task(state="drain"), "check_mode": True},
                    task(state="drain", wait_drained=20),
                    task(state="drain", wait_drained=20),
                    task(state="maint", wait_drained=20),
                    task(state="ready", wait_up=20),
                ],
                "--diff",
            )
            assert [one["changed"] for one in (would, drained, again, maint, ready)] == [True, True, False, True, True]
            assert would["servers"][0]["state"] == "ready"
            (server,) = drained["servers"]
            assert (server["backend"], server["status"], server["sessions"]) == ("webcluster", "DRAIN", 0)
            assert drained["diff"]["before"].startswith("webcluster/rs11: ready, weight ")
            assert drained["diff"]["after"].startswith("webcluster/rs11: drain, weight ")
            assert maint["servers"][0]["status"] == "MAINT"
            assert (ready["servers"][0]["status"], ready["servers"][0]["up"]) == ("UP", True)
    for name, target in seen.items():
        assert target["failed"] == 0, f"{name}: {target['outages']}"
        assert set(target["backends"]) == {"rs11", "rs22"}


def test_a_server_that_is_down(hosts: dict[str, Host], tasks_on: Run) -> None:
    def refused(**arguments: Any) -> str:
        (result, _stays) = tasks_on("ka1", [{**task(**arguments), "ignore_errors": True}, task()])
        assert result["failed"], result
        return str(result["msg"])

    hosts["rs11"].check_output("systemctl stop apache2")
    try:
        message = refused(state="ready", wait_up=4)
        assert message.startswith("/run/haproxy/control.sock, */rs11: not up after 4 s: webcluster/rs11 is DOWN")
        assert "its last check: L4CON Connection refused" in message
        drained, ready = tasks_on("ka1", [task(state="drain", wait_drained=60), task(state="ready")])
        assert (drained["servers"][0]["state"], drained["servers"][0]["up"]) == ("drain", False)
        assert (ready["servers"][0]["state"], ready["servers"][0]["up"]) == ("ready", False)
    finally:
        hosts["rs11"].check_output("systemctl start apache2")
    (up,) = tasks_on("ka1", [task(state="ready", wait_up=20)])
    assert (up["changed"], up["servers"][0]["status"]) == (False, "UP")


def test_names_that_are_not_there(tasks_on: Run) -> None:
    def message(**arguments: Any) -> str:
        (result,) = tasks_on(
            "ka1", [{**task(**arguments), "failed_when": "result is not failed", "register": "result"}]
        )
        return str(result["msg"])

    assert message(backend="webclutser") == (
        "/run/haproxy/control.sock, webclutser/rs11: no backend 'webclutser' with servers. Did you mean 'webcluster'?"
    )
    assert "no server 'rs1' in any backend. Did you mean 'rs11'?" in message(server="rs1")
    assert "must have 'level admin'" in message(state="drain", socket="/run/haproxy/admin.sock")
