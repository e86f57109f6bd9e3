# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Passwords of an inventory: judged, and shown by nothing, neither a result nor an error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.action.vrrp_plan import (
    _disagreements,
    _other_clusters,
    _other_passwords,
    planned,
)
from ansible_collections.failover.vip.plugins.module_utils._conf._keywords import BLOCKS
from ansible_collections.failover.vip.tests.unit.plugins.action.test_plan import DB, DEFAULTS, MEMBERS, WEB

ARGUMENTS = {**DEFAULTS, "hosts": ["ka1", "ka2"], "vrrp_instances": [WEB, DB], "global_defs": {"vrrp_version": 2}}
GOOD = {"WEB_VIP": "x7Rq-w2z", "DB_VIP": "Kd9,m4=s"}


def judged(passwords: Any, others: Any = None, **more: Any) -> tuple[list[tuple[str, str, str]], str]:
    """KH007 of these passwords as (instance, path, message), and the whole result as text."""
    result = planned({**ARGUMENTS, "auth_pass": passwords, **more}, MEMBERS, {}, others)
    found = [
        (finding["instance"], finding["path"], finding["message"])
        for finding in result["findings"]
        if finding["rule"] == "KH007"
    ]
    return found, json.dumps(result)


def test_nothing_speaks_against_random_passwords_of_their_own() -> None:
    found, shown = judged(GOOD)
    assert found == []
    assert not [password for password in GOOD.values() if password in shown]
    assert "%%auth_pass:WEB_VIP%%" in shown


@pytest.mark.parametrize(
    ("passwords", "others", "expected"),
    [
        ({**GOOD, "DB_VIP": "x7Rq"}, {}, [("DB_VIP", "keepalived_auth_pass.DB_VIP", "has 4 characters")]),
        (
            {**GOOD, "DB_VIP": "1ce24b6e"},
            {},
            [("DB_VIP", "keepalived_auth_pass.DB_VIP", "stands in other people's manuals")],
        ),
        (
            {"WEB_VIP": "x7Rq-w2z", "DB_VIP": "x7Rq-w2z"},
            {},
            [("", "keepalived_auth_pass", "one auth_pass is used for all of DB_VIP, WEB_VIP")],
        ),
        (
            GOOD,
            {"kb1, kb2": {"B_VIP": "Kd9,m4=s"}},
            [("DB_VIP", "keepalived_auth_pass.DB_VIP", "auth_pass is also that of an instance of kb1, kb2")],
        ),
    ],
)
def test_kh007_of_an_inventory(passwords: Any, others: Any, expected: list[tuple[str, str, str]]) -> None:
    found, shown = judged(passwords, others)
    assert [(instance, path) for instance, path, _message in found] == [entry[:2] for entry in expected]
    assert all(entry[2] in message for (_i, _p, message), entry in zip(found, expected, strict=True))
    assert not [one for one in [*passwords.values(), *others.values()] if str(one) in shown]


def test_kh007_can_be_allowed() -> None:
    allowed = [{"rule": "KH007", "reason": "Only until the new key is out.", "host": None, "instance": "DB_VIP"}]
    found, _shown = judged({**GOOD, "DB_VIP": "short"}, allowed_findings=allowed)
    assert found == []


@pytest.mark.parametrize("password", ["canary-of-nine", 'can"ary', "can\\ary", "can\nary", 4711081500])
def test_an_error_about_a_password_does_not_show_it(password: Any) -> None:
    result = planned({**ARGUMENTS, "auth_pass": {**GOOD, "DB_VIP": password}}, MEMBERS, {})
    errors = [finding for finding in result["findings"] if finding["severity"] == "error"]
    assert [error["path"] for error in errors] == ["keepalived_auth_pass.DB_VIP"]
    assert json.dumps(password).strip('"') not in json.dumps(result)


def test_hosts_that_disagree_over_a_password_do_not_show_it() -> None:
    hostvars = {"ka1": {}, "ka2": {"keepalived_auth_pass": {"WEB_VIP": "canary-2"}}}
    arguments = {**ARGUMENTS, "auth_pass": {"WEB_VIP": "canary-1"}}
    (finding,) = _disagreements({**arguments, "hosts": ["ka1", "ka2"]}, hostvars)
    assert (finding.rule, finding.path) == ("KI005", "keepalived_auth_pass")
    assert "canary" not in finding.text()


def test_the_passwords_of_another_cluster_are_found() -> None:
    theirs = {
        "keepalived_hosts": ["kb1", "kb2"],
        "keepalived_vrrp_instances": [{**WEB, "name": "B_VIP", "hosts": ["kb1", "kb2"]}],
        "keepalived_auth_pass": {"B_VIP": "x7Rq-w2z"},
    }
    hostvars = {"ka1": {}, "ka2": {}, "kb1": theirs, "kb2": theirs}
    others = _other_clusters(["ka1", "ka2"], hostvars)
    assert _other_passwords(others, hostvars) == {"kb1, kb2": {"B_VIP": "x7Rq-w2z"}}


def signed(*lines: str) -> dict[str, Any]:
    """The plan of instances with these lines of auth_hmac."""
    instance = {**WEB, "auth_hmac": list(lines)}
    return planned({**ARGUMENTS, "vrrp_instances": [instance, DB], "global_defs": {}}, MEMBERS, {})


def test_keys_of_auth_hmac_are_written_as_keepalived_2_4_reads_them() -> None:
    result = signed("key 1 %%secret:web1%%", "key 2 file:/etc/keepalived/keys/web", "active_key 1", "mode permissive")
    assert [finding for finding in result["findings"] if finding["severity"] == "error"] == []
    (text,) = [file["content"] for file in result["files"]["ka1"] if "WEB_VIP" in file["path"]]
    assert (
        "    auth_hmac {\n        key 1 %%secret:web1%%\n        key 2 file:/etc/keepalived/keys/web\n"
        "        active_key 1\n        mode permissive\n    }\n"
    ) in text
    assert BLOCKS["vrrp_instance"]["auth_hmac"].since == (2, 4, 0)


def test_a_key_of_auth_hmac_among_the_plain_variables_is_refused_and_not_shown() -> None:
    result = signed("key 1 canary-of-thirty-two-characters-")
    (error,) = [finding for finding in result["findings"] if finding["severity"] == "error"]
    assert (error["path"], error["message"]) == (
        "keepalived_vrrp_instances[0].auth_hmac",
        "a key among the plain variables",
    )
    assert "canary" not in json.dumps(result)
