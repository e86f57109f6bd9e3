# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The rules about auth_hmac, held against what pairs of keepalived 2.4.3 did."""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._plain import from_plain, to_plain
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._finding import Finding
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster
from ansible_collections.failover.vip.plugins.module_utils._rules import _hmac
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import check
from ansible_collections.failover.vip.tests.unit.plugins.module_utils._rules.cases import (
    Case,
    Change,
    complete,
    find,
    healthy,
    on,
)

ONE, TWO = "1" * 32, "2" * 32


def block(mode: str, key: str = ONE, number: int = 1, active: bool = True) -> list[str]:
    return ["key %d %s" % (number, key), *(["active_key %d" % number] if active else []), "mode " + mode]


HMACS: dict[str, list[str] | None] = {
    "none": None,
    "receive-only": block("receive-only"),
    "permissive": block("permissive"),
    "enforce": block("enforce"),
    "permissive, another key": block("permissive", TWO),
    "receive-only, another key": block("receive-only", TWO),
    "enforce, key 2": block("enforce", number=2),
    "receive-only, both": ["key 1 " + ONE, *block("receive-only", number=2)],
    "no active_key": block("enforce", active=False),
}
#: What the master has, what the backup has, and how many held the VIP: two keepalived 2.4.3, unicast, version 3.
MEASURED = [
    ("none", "receive-only", 1),
    ("receive-only", "none", 1),
    ("none", "permissive", 1),
    ("permissive", "none", 2),
    ("none", "enforce", 2),
    ("enforce", "none", 2),
    ("receive-only", "permissive", 1),
    ("permissive", "receive-only", 1),
    ("receive-only", "enforce", 2),
    ("enforce", "receive-only", 1),
    ("permissive", "enforce", 1),
    ("enforce", "permissive", 1),
    ("enforce", "enforce", 1),
    ("permissive", "permissive, another key", 2),
    ("enforce", "receive-only, another key", 2),
    ("permissive", "receive-only, another key", 2),
    ("enforce, key 2", "enforce", 2),
    ("enforce, key 2", "receive-only, both", 1),
    ("no active_key", "enforce", 2),
    ("enforce", "no active_key", 2),
    ("no active_key", "no active_key", 1),
]


def signed(master: list[str] | None, backup: list[str] | None, release: tuple[int, ...] = (2, 4, 3)) -> Change:
    def change(cluster: Cluster) -> None:
        for host, lines in (("ka1", master), ("ka2", backup)):
            cluster.directors[host].machine.release = release
            if lines is not None:
                on(host, auth_hmac=lines)(cluster)

    return change


def said(change: Change) -> list[Finding]:
    cluster = healthy()
    change(cluster)
    return [finding for finding in check(cluster) if finding.rule in ("KP023", "KH055")]


@pytest.mark.parametrize(("master", "backup", "holders"), MEASURED)
def test_a_pair_is_what_was_measured(master: str, backup: str, holders: int) -> None:
    found = [one.message for one in said(signed(HMACS[master], HMACS[backup])) if one.rule == "KP023"]
    # What the backup drops of the master's makes two holders.
    assert any(message.startswith("ka2 drops what ka1 sends") for message in found) == (holders == 2), found
    assert not any(key in " ".join(found) for key in (ONE, TWO))


@pytest.mark.parametrize(
    "steps",
    [
        ["none", "receive-only", "permissive", "enforce"],
        # And to another key: first everybody knows both.
        ["receive-only", "receive-only, both"],
    ],
)
def test_a_roll_out_in_these_steps_never_has_two_holders(steps: list[str]) -> None:
    for before, after in itertools.pairwise(steps):
        for master, backup in ((before, after), (after, before)):
            assert said(signed(HMACS[master], HMACS[backup])) == []


def left_out(*lines: str) -> Change:
    return signed([*lines], [*lines])


FILE = "key 1 file:/etc/keepalived/keys/web"
CASES: list[Case] = [
    ("KP023", "error", "keepalived 2.3.3 on ka2 does not know it", signed(HMACS["enforce"], None, (2, 3, 3))),
    ("KH055", "error", "no active_key: nothing is signed", left_out(FILE, "mode enforce")),
    ("KH055", "error", "active_key 3 is no key's id", left_out(FILE, "active_key 3")),
    ("KH055", "error", "key 1 has 3 bytes, it needs 32 to 64", left_out("key 1 abc", "active_key 1")),
    ("KH055", "error", "key 1 has 16 bytes", left_out("key 1 hex:" + "0" * 32, "active_key 1")),
    ("KH055", "error", "a key needs an id from 1 to 255", left_out("key 0 " + ONE, "active_key 1")),
    ("KH055", "error", "a key needs an id", left_out("key " + ONE, "active_key 1")),
    ("KH055", "error", "active_key must be a number from 1 to 255", left_out(FILE, "active_key 0")),
    ("KH055", "error", "mode must be enforce or permissive or receive-only", left_out(FILE, "active_key 1", "mode x")),
    ("KH055", "error", "key 1 stands twice", left_out(FILE, FILE, "active_key 1")),
    ("KH055", "error", "time_window must be a number from 1 to 300", left_out(FILE, "active_key 1", "time_window 0")),
    ("KH055", "error", "anti_replay must be time or monotonic", left_out(FILE, "active_key 1", "anti_replay never")),
    ("KH055", "error", "Did you mean 'active_key'?", left_out(FILE, "activ_key 1")),
]


@pytest.mark.parametrize("case", CASES)
def test_found(case: Case) -> None:
    find(case)


@pytest.mark.parametrize(
    "lines",
    [
        [FILE, "active_key 1"],
        ["key 7 %%secret:web%%", "active_key 7", "anti_replay monotonic", "mode receive-only"],
        ["key 1 hex:" + "0" * 64, "key 2 " + TWO, "active_key 2", "time_window 300"],
    ],
)
def test_accepted(lines: list[str]) -> None:
    assert said(left_out(*lines)) == []


def test_every_rule_has_a_case() -> None:
    complete(_hmac, CASES)


def test_keys_are_compared_and_never_shown() -> None:
    """What keepalived_lint gives of a file, and what a rule makes of it."""
    secret = "canary-of-thirty-two-characters-"

    def model(*lines: str) -> list[str]:
        text = "vrrp_instance A {\nauth_hmac {\n%s\n}\n}" % "\n".join(lines)
        director, _findings = read(parse("/k.conf", from_texts({"/k.conf": text})).nodes)
        plain = to_plain(director, lambda secret, _length: "%%%x%%" % hash(secret))
        assert from_plain("", plain).instances[0].options["auth_hmac"]
        shown: list[str] = plain["vrrp_instances"][0]["auth_hmac"]
        assert "canary" not in " ".join(shown)
        return shown

    good = model("key 1 " + secret, FILE, "active_key 1", "mode enforce", "time_window 5")
    assert good[1:] == [FILE, "active_key 1", "mode enforce", "time_window 5"]
    assert good[0] == model('key 1 "%s"' % secret)[0] != model("key 1 another-" + secret)[0]
    # Where a key stands in the wrong place it is not shown either.
    for line in ("key " + secret, "key %s 1" % secret, "kye 1 " + secret, secret, "mode " + secret, "key 1"):
        assert model(line) == ["key"]
