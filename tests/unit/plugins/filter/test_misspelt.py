# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The filter misspelt: what it says of which variables, word for word."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.failover.vip.plugins.filter.misspelt import FilterModule, misspelt

SERVER = {"name": {"type": "str"}, "inter": {"type": "str"}, "port": {"type": "int", "aliases": ["tcp_port"]}}
OPTIONS: dict[str, Any] = {
    "haproxy_bind": {"type": "str"},
    "haproxy_global": {
        "type": "dict",
        "options": {"user": {"type": "str"}, "limits": {"type": "dict", "options": {"maxconn": {}}}},
    },
    "haproxy_listens": {
        "type": "list",
        "elements": "dict",
        "aliases": ["haproxy_listeners"],
        "options": {
            "name": {"type": "str"},
            "balance": {"type": "str"},
            "servers": {"type": "list", "elements": "dict", "options": SERVER},
        },
    },
    "haproxy_free": {"type": "dict"},
    "haproxy_plain": None,
}

ACCEPTED: dict[str, dict[str, Any]] = {
    "nothing at all": {},
    "known names": {"haproxy_bind": "*:80", "haproxy_plain": 1},
    "an alias": {"haproxy_listeners": [{"name": "a"}]},
    "an alias inside": {"haproxy_listens": [{"servers": [{"tcp_port": 80}]}]},
    "others' variables": {"keepalived_hosts": [], "ansible_host": "a", "haproxi": 1},
    "internal variables": {"__haproxy_anything": 1},
    "any key where the specification has no options": {"haproxy_free": {"anything": {"goes": 1}}},
    "a value of the wrong type": {"haproxy_listens": "text", "haproxy_global": ["usr", 2], "haproxy_bind": {"a": 1}},
    "empty values": {"haproxy_listens": None, "haproxy_global": {}},
}

REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a variable": ({"haproxy_listen": []}, ["haproxy_listen: unknown, did you mean 'haproxy_listens'?"]),
    "a variable like no other": (
        {"haproxy_zzzzzzzzzz": 1},
        [
            (
                "haproxy_zzzzzzzzzz: unknown, known are: haproxy_bind, haproxy_free, haproxy_global, "
                "haproxy_listeners, haproxy_listens, haproxy_plain"
            )
        ],
    ),
    "a key in a dictionary": ({"haproxy_global": {"usr": "a"}}, ["haproxy_global.usr: unknown, did you mean 'user'?"]),
    "a key in a dictionary in a dictionary": (
        {"haproxy_global": {"limits": {"maxcon": 1}}},
        ["haproxy_global.limits.maxcon: unknown, did you mean 'maxconn'?"],
    ),
    "a key in a list": (
        {"haproxy_listens": [{"name": "a"}, {"ballance": "roundrobin"}]},
        ["haproxy_listens[1].ballance: unknown, did you mean 'balance'?"],
    ),
    "a key in a list in a list": (
        {"haproxy_listens": [{"servers": [{"name": "a"}, {"intr": "3s"}]}]},
        ["haproxy_listens[0].servers[1].intr: unknown, did you mean 'inter'?"],
    ),
    "a key like no other": (
        {"haproxy_global": {"q": 1}},
        ["haproxy_global.q: unknown, known are: limits, user"],
    ),
    "a key that is no text": (
        {"haproxy_global": {1: 1}},
        ["haproxy_global.1: unknown, known are: limits, user"],
    ),
    "all at once, in order": (
        {"haproxy_listens": [{"nam": "a"}], "haproxy_global": {"usr": 1}, "haproxy_bnd": 1},
        [
            "haproxy_bnd: unknown, did you mean 'haproxy_bind'?",
            "haproxy_global.usr: unknown, did you mean 'user'?",
            "haproxy_listens[0].nam: unknown, did you mean 'name'?",
        ],
    ),
}


@pytest.mark.parametrize("variables", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(variables: dict[str, Any]) -> None:
    assert misspelt(variables, OPTIONS, "haproxy_") == []


@pytest.mark.parametrize(("variables", "messages"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(variables: dict[str, Any], messages: list[str]) -> None:
    assert misspelt(variables, OPTIONS, prefix="haproxy_") == messages


def test_ignored_prefixes_belong_to_others() -> None:
    variables = {"haproxy_exporter_port": 1, "haproxy_exported": 1}
    messages = misspelt(variables, OPTIONS, "haproxy_", ignore=["haproxy_exporter_", "other_"])
    assert [message.split(":")[0] for message in messages] == ["haproxy_exported"]


@pytest.mark.parametrize(
    ("variables", "options", "prefix"),
    [([], OPTIONS, "haproxy_"), ({}, [], "haproxy_"), ({}, OPTIONS, "")],
    ids=["variables", "options", "prefix"],
)
def test_misuse_is_an_error(variables: Any, options: Any, prefix: str) -> None:
    with pytest.raises(AnsibleFilterError, match=r"failover\.vip\.misspelt needs"):
        misspelt(variables, options, prefix)


def test_ansible_finds_it() -> None:
    assert FilterModule().filters()["misspelt"] is misspelt
