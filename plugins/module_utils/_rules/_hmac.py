# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about auth_hmac: advertisements that are signed, since keepalived 2.4.

Who takes whose advertisements was measured with pairs of keepalived 2.4.3; it is what vrrp.c says as well.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, did_you_mean
from ansible_collections.failover.vip.plugins.module_utils._model import HMAC_WORDS, Director, VrrpInstance
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault, Group, fault
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, group_rule, host_rule

#: The first release that knows auth_hmac.
HMAC_SINCE = (2, 4, 0)
#: Bytes of a key (VRRP_AUTH_HMAC_KEY_MIN and _MAX in vrrp_auth_hmac.h).
KEY_BYTES = (32, 64)
#: The largest numbers, the smallest is 1.
_LAST = {"active_key": 255, "time_window": 300}


class Hmac(NamedTuple):
    """What auth_hmac says, as keepalived takes it."""

    #: The keys, or what stands for them, by id.
    keys: dict[str, str]
    #: The id of the key to sign with. Where it is no key's, keepalived leaves the whole block out.
    active: str
    mode: str

    @property
    def enabled(self) -> bool:
        return self.active in self.keys

    @property
    def signs(self) -> bool:
        return self.enabled and self.mode != "receive-only"


def _lines(instance: VrrpInstance) -> list[list[str]]:
    return [words for line in instance.options.get("auth_hmac", []) for words in [str(line).split()] if words]


def hmac_of(instance: VrrpInstance) -> Hmac:
    """What an instance says; without auth_hmac one that is not enabled."""
    keys: dict[str, str] = {}
    active, mode = "", "enforce"
    for words in _lines(instance):
        if words[0] == "key" and len(words) > 2:
            keys.setdefault(words[1], words[2].strip('"'))
        elif words[0] == "active_key" and len(words) > 1:
            active = words[1]
        elif words[0] == "mode" and len(words) > 1:
            mode = words[1]
    return Hmac(keys, active, mode)


def _number(word: str, last: int) -> bool:
    return word.isdecimal() and 1 <= int(word) <= last


def _key_fault(words: list[str]) -> str:
    """What is wrong with a key's line; never shows more of it than the id."""
    if len(words) < 3 or not _number(words[1], 255):
        return "a key needs an id from 1 to 255 and a value"
    value = " ".join(words[2:]).strip('"')
    if value.startswith(("%%", "file:")):
        return ""  # what it is stands elsewhere
    size = len(value[4:]) // 2 if value.startswith("hex:") else len(value.encode())
    if KEY_BYTES[0] <= size <= KEY_BYTES[1]:
        return ""
    return "key %s has %d bytes, it needs %d to %d" % (words[1], size, *KEY_BYTES)


def _line_fault(words: list[str]) -> str:
    """What is wrong with a line; empty: nothing."""
    word, given = words[0], words[1] if len(words) > 1 else ""
    if word == "key":
        return _key_fault(words)
    if word not in HMAC_WORDS:
        # What nobody knows may be a part of a key.
        near = did_you_mean(word, HMAC_WORDS)
        return "a line that keepalived does not know. " + near.rstrip(".")
    if HMAC_WORDS[word]:
        return "" if given in HMAC_WORDS[word] else "%s must be %s" % (word, " or ".join(HMAC_WORDS[word]))
    return "" if _number(given, _LAST[word]) else "%s must be a number from 1 to %d" % (word, _LAST[word])


@host_rule(
    "KH055",
    ERROR,
    "auth_hmac that keepalived leaves out",
    "Write 'key ID VALUE' with 32 to 64 bytes, or 'key ID file:PATH', and 'active_key ID'.",
    "keepalived vrrp_parser.c, " + MAN + ", auth_hmac",
)
def hmac_is_left_out(director: Director) -> Iterator[Fault]:
    """keepalived signs with the key that active_key names, and has no default for it.

    Without one, or where that key is missing or of another length than 32 to 64 bytes, it runs without any
    authentication. Its configuration test fails over each of these. Keys are never shown.
    """
    everywhere = bool(director.global_defs.options.get("vrrp_strict"))
    for instance in director.instances:
        if "auth_hmac" not in instance.options:
            continue
        lines, hmac = _lines(instance), hmac_of(instance)
        faults = [found for found in map(_line_fault, lines) if found]
        ids = [words[1] for words in lines if words[0] == "key" and len(words) > 2]
        faults += ["key %s stands twice" % one for one in sorted(set(ids)) if ids.count(one) > 1 and one.isdecimal()]
        if not hmac.active:
            faults.append("no active_key: nothing is signed, and nothing checked")
        elif not hmac.enabled and not faults:
            faults.append("active_key %s is no key's id: nothing is signed, and nothing checked" % hmac.active)
        if instance.auth_type:
            faults.append("keepalived drops the authentication beside it")
        if hmac.mode in HMAC_WORDS["mode"][1:] and instance.options.get("strict_mode", everywhere):
            faults.append("mode %s with strict_mode, which takes enforce" % hmac.mode)
        for message in faults:
            yield fault(director, instance, "auth_hmac: " + message, "auth_hmac")


def _differ(one: str, other: str) -> bool:
    """Whether two keys are surely two: what stands in a file of a host is not known."""
    return one != other and not one.startswith("file:") and not other.startswith("file:")


def _deaf(receiver: Hmac, sender: Hmac, host: str) -> str:
    """Why a receiver drops what a sender sends; empty: it does not.

    :param host: the receiver's.
    """
    if not sender.signs:
        return "does not sign" if receiver.enabled and receiver.mode == "enforce" else ""
    if not receiver.enabled:
        return "signs, and %s has no auth_hmac" % host
    if sender.active not in receiver.keys:
        return "signs with key %s, which %s does not have" % (sender.active, host)
    if _differ(sender.keys[sender.active], receiver.keys[sender.active]):
        return "has another key %s" % sender.active
    return ""


@group_rule(
    "KP023",
    ERROR,
    "auth_hmac before every host is ready",
    "Bring all hosts to 2.4. Then give all of them the key with mode receive-only, then permissive, then enforce,"
    " each on all hosts before the next.",
    MAN + ", auth_hmac",
)
def hmac_before_all_are_ready(group: Group) -> Iterator[Fault]:
    """A host drops what is signed with a key that it does not have, and one without auth_hmac all that is signed.

    In mode enforce it drops what is not signed, too. An older keepalived refuses the keyword. So each step needs all
    hosts before the next: the key in mode receive-only, which signs nothing; permissive, which signs; enforce. Half-way
    between others both hold the VIP. The keys are never shown.
    """
    signing = [member for member in group.members if "auth_hmac" in member.instance.options]
    if not signing:
        return
    for member in group.members:
        release = member.director.machine.release
        if release and release < HMAC_SINCE:
            yield fault(
                member.director,
                member.instance,
                "auth_hmac on %s, but keepalived %s on %s does not know it"
                % (", ".join(one.host for one in signing), member.release, member.host),
                "auth_hmac",
            )
    hmacs = [(member, hmac_of(member.instance)) for member in group.members]
    for member, receiver in hmacs:
        for other, sender in hmacs:
            why = _deaf(receiver, sender, member.host) if other is not member else ""
            if why:
                at = member if member in signing else other
                message = "%s drops what %s sends: %s %s" % (member.host, other.host, other.host, why)
                yield fault(at.director, at.instance, message, "auth_hmac")
