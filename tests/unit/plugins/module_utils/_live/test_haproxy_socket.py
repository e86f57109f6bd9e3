# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""HAProxy's answers, as 2.6 gave them and as nobody should."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ansible_collections.failover.vip.plugins.module_utils._live._haproxy_socket import (
    HaproxyError,
    Server,
    choose,
    command,
    parse_servers,
    parse_states,
    parse_stats,
    unix_socket,
    wait_until,
)

# Recorded from HAProxy 2.6.12: web/a is up and web/b on its way down, web/c has `disabled`, and tr/a tracks web/a.
STATES = """1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight \
srv_time_since_last_change \
srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id \
srv_fqdn \
srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port
2 web 1 a 127.0.0.1 2 0 1 1 8 8 3 4 6 0 0 0 - 18081 - 0 0 - - 0
2 web 2 b 127.0.0.1 2 8 5 7 6 8 2 3 14 0 0 0 - 18082 - 0 0 - - 0
2 web 3 c 127.0.0.1 0 5 1 1 8 1 0 0 8 0 0 0 - 18082 - 0 0 - - 0
2 web 4 d 127.0.0.1 0 0 1 1 8 8 2 0 6 0 0 0 - 18082 - 0 0 - - 0
3 tr 1 a 127.0.0.1 0 2 1 1 8 1 0 2 0 0 0 0 - 18082 - 0 0 - - 0

"""
COLUMNS = "# pxname,svname,qcur,scur,status,check_status,last_chk,check_rise,check_fall,check_health,"
STATS = f"""{COLUMNS}
web,a,0,3,UP,* L7OK,,2,3,4,
web,b,2,0,DRAIN 3/3,L4CON,Connection refused,2,3,3,
web,c,0,0,MAINT,,,,,,
web,d,0,0,DOWN 1/2,L7STS,"HTTP status 500, ""a\nb"", web,d,9,9,UP",2,3,1,
tr,a,0,0,MAINT (via web/a),,,,,,

"""


def servers() -> dict[str, Server]:
    return {one.label: one for one in parse_servers(STATES, STATS)}


def test_state_and_checks_are_kept_apart() -> None:
    found = servers()
    assert list(found) == ["web/a", "web/b", "web/c", "web/d", "tr/a"]
    assert {label: one.state for label, one in found.items()} == {
        "web/a": "ready",
        "web/b": "drain",
        "web/c": "maint",
        "web/d": "ready",
        "tr/a": "ready",
    }
    assert [label for label, one in found.items() if one.up] == ["web/a", "web/b"]
    # Only the checks of web/a are as good as can be: rise 2, fall 3, health 4.
    assert [label for label, one in found.items() if one.proven] == ["web/a"]
    assert found["web/a"].as_data() == {
        "backend": "web",
        "server": "a",
        "state": "ready",
        "status": "UP",
        "up": True,
        "weight": 1,
        "configured_weight": 1,
        "sessions": 3,
        "queued": 0,
        "last_check": "L7OK",
    }
    assert (found["web/b"].weight, found["web/b"].configured_weight, found["web/b"].queued) == (5, 7, 2)
    assert found["web/b"].last_check == "L4CON Connection refused"


def test_what_a_page_says_is_text_and_nothing_else() -> None:
    found = servers()["web/d"]
    assert found.last_check == 'L7STS HTTP status 500, "a\nb", web,d,9,9,UP'
    assert (found.up, found.sessions) == (False, 0)


def test_what_ready_cannot_lift_is_said() -> None:
    found = servers()
    assert "tracks" in found["tr/a"].hindrance
    assert found["tr/a"]._replace(admin=0x20).hindrance == "its name cannot be resolved"
    # `disabled` in the configuration leaves a mark, and hinders nothing.
    assert (found["web/c"]._replace(admin=0x04).state, found["web/c"]._replace(admin=0x04).hindrance) == ("ready", "")


@pytest.mark.parametrize(
    "states",
    [
        "",
        "\n",
        "Permission denied\n\n",
        "2\n# be_id be_name\n",
        STATES.replace(" - 0 0 - - 0\n", "\n", 1),
        STATES.replace(" 2 0 1 1 8 8 3 ", " up 0 1 1 8 8 3 "),
        STATES.replace("srv_admin_state", "srv_state"),
        "1\n# be_id be_name\n\x00\xff",
    ],
)
def test_no_states(states: str) -> None:
    with pytest.raises(HaproxyError, match=r"show servers state|cannot be read"):
        parse_servers(states, STATS)


@pytest.mark.parametrize(
    "stats",
    [
        "",
        "Unknown command\n",
        STATS.replace(",scur,", ",sessions,"),
        STATS.replace("web,a,0,3,", "web,a,0,three,"),
        f'{COLUMNS}\nweb,a,0,"3',
        f"{COLUMNS}\nweb\n",
    ],
)
def test_no_stats(stats: str) -> None:
    with pytest.raises(HaproxyError, match=r"show stat|cannot be read"):
        parse_servers(STATES, stats)


def test_a_server_that_came_between_the_two_questions_is_left_out() -> None:
    states = STATES.replace("3 tr 1 a", "3 tr 1 new")
    assert ("tr", "new") in parse_states(states)
    assert "tr/new" not in [one.label for one in parse_servers(states, STATS)]
    assert ("web", "a") in parse_stats(STATS)


def test_choose() -> None:
    every = list(servers().values())
    assert [one.label for one in choose(every, "*", "a")] == ["web/a", "tr/a"]
    assert [one.label for one in choose(every, "tr", "a")] == ["tr/a"]
    for backend, name, message in (
        ("wbe", "a", "no backend 'wbe' with servers. Did you mean 'web'?"),
        ("tr", "b", "no server 'b' in backend 'tr'. Known here: a."),
        ("*", "e", "no server 'e' in any backend. Known here: a, b, c, d."),
    ):
        with pytest.raises(HaproxyError) as caught:
            choose(every, backend, name)
        assert str(caught.value) == message


def test_a_refusal_is_told_in_haproxys_words() -> None:
    command(lambda _text: "\n", "set server web/a state drain")
    with pytest.raises(HaproxyError, match="must have 'level admin'"):
        command(lambda _text: "Permission denied\n\n", "set server web/a state drain")
    with pytest.raises(HaproxyError, match="is refused: No such server"):
        command(lambda _text: "No such server.\n\n", "set server web/a state drain")


def test_waiting_ends() -> None:
    looks: list[int] = []

    def look() -> list[Server]:
        looks.append(1)
        sessions = 3 if len(looks) < 3 else 0
        return [one._replace(sessions=sessions) for one in servers().values()]

    every, busy = wait_until(look, lambda one: one.sessions == 0, 10)
    assert (len(every), busy, len(looks)) == (5, [], 3)
    every, busy = wait_until(look, lambda one: one.up, 0)
    assert [one.label for one in busy] == ["web/c", "web/d", "tr/a"]


@contextmanager
def answering(path: Path, answer: bytes) -> Iterator[list[bytes]]:
    """Something that takes one command from each connection."""
    got: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            connection, _peer = listener.accept()
            with connection:
                got.append(connection.recv(4096))
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield got
        thread.join(10)


def test_the_socket(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with answering(path, "caf\u00e9 \u2028".encode() + b"\xff\x00\n") as got:
        assert unix_socket(str(path))("show stat") == "caf\u00e9 \u2028\ufffd\x00\n"
    assert got == [b"show stat\n"]
    with pytest.raises(HaproxyError, match="the socket cannot be asked"):
        unix_socket(str(path))("show stat")
    with pytest.raises(HaproxyError, match="No such file"):
        unix_socket(str(tmp_path / "none"))("show stat")
    for text in ("show stat\nshutdown", "show stat;quit"):
        with pytest.raises(HaproxyError, match="more than one command"):
            unix_socket(str(path))(text)
