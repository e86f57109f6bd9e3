# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about a cluster that is half-way: between two versions of keepalived, or between two sets of keys.

What a change of the configuration itself needs is planned in ``_apply._reload_plan``.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, INFO, WARNING
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import (
    Fault,
    Group,
    Member,
    fault,
    takes_other_vips,
)
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, group_rule

#: The first release that knows auth_hmac.
HMAC_SINCE = (2, 4, 0)


def _release(member: Member) -> str:
    return ".".join(str(part) for part in member.director.machine.release or ())


@group_rule(
    "KP020",
    WARNING,
    "versions of keepalived differ",
    "Bring all directors to one release; until then keep the time short, and watch for two holders.",
    "acassen/keepalived#1175",
)
def releases_differ(group: Group) -> Iterator[Fault]:
    """Version 3 protects its packets with a checksum over addresses too, and releases have computed it differently.

    A receiver that computes another one drops the advertisement and becomes master beside the other. The keywords
    old_unicast_checksum and v3_checksum_as_v2 exist for this. Within one major and minor release they agree.
    """
    if not all(member.version == 3 for member in group.members):
        return
    known = [member for member in group.members if member.director.machine.release]
    if len({member.director.machine.release[:2] for member in known if member.director.machine.release}) > 1:
        last = known[-1]
        listed = ", ".join("%s: %s" % (member.host, _release(member)) for member in known)
        yield fault(last.director, last.instance, "VRRP version 3 between different releases (%s)" % listed)


@group_rule(
    "KP022",
    WARNING,
    "skip_check_adv_addr over differing VIPs",
    "Make the VIPs the same; the keyword saves only the time for comparing them again.",
    MAN + ", vrrp_skip_check_adv_addr",
)
def check_skipped_over_a_mismatch(group: Group) -> Iterator[Fault]:
    """The keyword looks as if it made directors with different VIPs get along. It does not.

    It skips the comparison for a master whose advertisements were accepted before, and the first one is compared.
    Measured with a VIP that differs: both hold, with the keyword as without it. Since 2.3.3 one holds, with the keyword
    as without it: a difference only moves a counter, which the keyword then stops.
    """
    if len({frozenset(vip.address for vip in member.instance.vips) for member in group.members}) < 2:
        return
    message, severity = "the check of addresses is skipped while the VIPs differ, and that does not keep the peace", ""
    if takes_other_vips(group):
        message, severity = "the check of addresses is skipped while the VIPs differ, so that nothing counts it", INFO
    for member in group.members:
        instance, defaults = member.instance, member.director.global_defs
        own = "skip_check_adv_addr" in instance.options
        if instance.options.get("skip_check_adv_addr", defaults.options.get("vrrp_skip_check_adv_addr")):
            found = fault(member.director, instance, message, "skip_check_adv_addr")._replace(severity=severity)
            yield found if own else found._replace(origin=defaults.place("vrrp_skip_check_adv_addr"))


class _Hmac(NamedTuple):
    """What auth_hmac says: the keys by id, the one to sign with, and whether unsigned advertisements are refused."""

    keys: dict[str, str]
    active: str
    enforces: bool


def _hmac(member: Member) -> _Hmac:
    keys: dict[str, str] = {}
    active, mode = "", "enforce"
    for line in member.instance.options.get("auth_hmac", []):
        words = str(line).split()
        if words[0] == "key" and len(words) > 2:
            keys[words[1]] = words[2]
        elif words[0] == "active_key" and len(words) > 1:
            active = words[1]
        elif words[0] == "mode" and len(words) > 1:
            mode = words[1]
    return _Hmac(keys, active or next(iter(keys), ""), mode == "enforce")


def _same_key(one: str, other: str) -> bool:
    """Whether two keys may be one: what stands in a file of each host is not known."""
    return one == other or (one.startswith("file:") and other.startswith("file:"))


@group_rule(
    "KP023",
    ERROR,
    "auth_hmac before every host is ready",
    "Bring all hosts to 2.4, give all the key with 'mode permissive', and set 'mode enforce' last.",
    MAN + ", auth_hmac",
)
def hmac_before_all_are_ready(group: Group) -> Iterator[Fault]:
    """A host that enforces signatures drops what is not signed, or signed with a key that it does not have.

    So each host needs keepalived 2.4 and everybody's keys before the first one enforces; an older one refuses the
    keyword, and its whole configuration with reload_check_config. Half-way both hold the VIP. The keys are never shown.
    """
    signing = [member for member in group.members if "auth_hmac" in member.instance.options]
    for member in group.members if signing else ():
        release = member.director.machine.release
        if release and release < HMAC_SINCE:
            yield fault(
                member.director,
                member.instance,
                "auth_hmac on %s, but keepalived %s on %s does not know it"
                % (", ".join(one.host for one in signing), _release(member), member.host),
                "auth_hmac",
            )
    for member in signing:
        mine = _hmac(member)
        if not mine.enforces:
            continue
        for other in group.members:
            theirs = _hmac(other)
            why = ""
            if other not in signing:
                why = "does not sign"
            elif theirs.active not in mine.keys:
                why = "signs with key %s, which %s does not have" % (theirs.active or "-", member.host)
            elif not _same_key(mine.keys[theirs.active], theirs.keys.get(theirs.active, "")):
                why = "has another key %s" % theirs.active
            if why:
                yield fault(
                    member.director,
                    member.instance,
                    "%s enforces signatures, but %s %s" % (member.host, other.host, why),
                    "auth_hmac",
                )
