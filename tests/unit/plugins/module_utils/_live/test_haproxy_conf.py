# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""haproxy.cfg as far as the rules want to know it."""

from __future__ import annotations

import pytest

from ansible_collections.failover.vip.plugins.module_utils._live._haproxy_conf import listeners, read_haproxy
from ansible_collections.failover.vip.plugins.module_utils._model import Origin

TEXT = """\
global
    stats socket /run/haproxy/admin.sock mode 660 level admin  # root's
    stats socket ipv4@*:9999
    stats timeout 30s
defaults
    mode http
    stats auth "admin:not shown"
frontend web
    bind 192.0.2.100:80,192.0.2.100:443 ssl crt /etc/ssl/x.pem
    bind :::8080 transparent
    stats uri /status
listen pages
    bind *:8404
    stats enable
    stats admin if TRUE
    server a 192.0.2.10:80 check
    server b [2001:db8::10]:80 check
    server c www.example.com:80
    server d 192.0.2.10:81
backend none
    bind 192.0.2.1:1
    stats enable
    server e 192.0.2.11
    server f unix@/run/x.sock
listen old 192.0.2.101:25
    mode tcp
"""


def test_a_file() -> None:
    found = read_haproxy([("h.cfg", TEXT)])
    assert found.binds == [
        ("192.0.2.100", 80, Origin("h.cfg", 9)),
        ("192.0.2.100", 443, Origin("h.cfg", 9)),
        ("::", 8080, Origin("h.cfg", 10)),
        ("*", 8404, Origin("h.cfg", 13)),
        ("192.0.2.101", 25, Origin("h.cfg", 25)),
    ]
    assert found.freebind == [Origin("h.cfg", 10)]
    assert found.servers == ["192.0.2.10", "2001:db8::10", "192.0.2.11"]
    assert found.stats[:2] == [
        {
            "kind": "socket",
            "address": "/run/haproxy/admin.sock",
            "mode": "660",
            "level": "admin",
            "place": ["h.cfg", 2],
        },
        {"kind": "socket", "address": "ipv4@*:9999", "mode": "", "level": "operator", "place": ["h.cfg", 3]},
    ]
    pages = found.stats[2:]
    assert [page["address"] for page in pages] == ["192.0.2.100:80", "192.0.2.100:443", "[::]:8080", "*:8404"]
    assert all(page["auth"] for page in pages)
    assert [page["admin"] for page in pages] == [False, False, False, True]


def test_several_files_and_no_password() -> None:
    found = read_haproxy([("a", "defaults\n  mode tcp\nlisten x\n  bind :1\n"), ("b", "  stats enable\n")])
    assert found.stats == [{"kind": "page", "address": "*:1", "auth": False, "admin": False, "place": ["a", 4]}]


def test_a_password_asked_by_a_rule() -> None:
    text = "frontend x\n  bind :1\n  stats enable\n  http-request auth unless { http_auth(users) }\n"
    assert read_haproxy([("a", text)]).stats[0]["auth"] is True


@pytest.mark.parametrize(
    "text", ["", "bind", "listen", "listen a\n  bind\n  server\n  server x\n  stats\n", 'bind "x\n']
)
def test_what_is_not_whole_gives_nothing(text: str) -> None:
    found = read_haproxy([("a", text)])
    assert not any(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (":80", [("*", 80)]),
        ("*:80", [("*", 80)]),
        ("0.0.0.0:80", [("*", 80)]),
        ("[::]:80", [("::", 80)]),
        ("ipv6@:80", [("::", 80)]),
        ("ipv4@192.0.2.1:80", [("192.0.2.1", 80)]),
        ("[2001:db8::1]:443", [("2001:db8::1", 443)]),
        ("2001:db8::1:443", [("2001:db8::1", 443)]),
        ("localhost:80", [("localhost", 80)]),
        ("192.0.2.1:80-82", [("192.0.2.1", 80), ("192.0.2.1", 81), ("192.0.2.1", 82)]),
        ("/run/x.sock", []),
        ("abns@x", []),
        ("fd@3", []),
        ("quic4@192.0.2.1:443", []),
        ("${ADDRESS}:80", []),
        ("192.0.2.1", []),
    ],
)
def test_listeners(text: str, expected: list[tuple[str, int]]) -> None:
    assert list(listeners(text)) == expected


def test_a_long_range_ends() -> None:
    assert len(list(listeners(":1-65535"))) == 1024


def test_durations_without_a_unit() -> None:
    text = """\
defaults
    timeout connect 5
    timeout client 30s
    timeout http-request 10000
    default-server inter 3 fall 2 rise 3 slowstart 5s
listen inter 80
    server inter 192.0.2.1:80 check inter 3 fastinter 500ms  # inter 4
    option httpchk GET /timeout 5
global
    hard-stop-after 30
"""
    assert read_haproxy([("a", text)]).durations == [
        ("connect 5", Origin("a", 2)),
        ("http-request 10000", Origin("a", 4)),
        ("inter 3", Origin("a", 5)),
        ("inter 3", Origin("a", 7)),
        ("hard-stop-after 30", Origin("a", 10)),
    ]
