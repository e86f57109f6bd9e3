# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about the passwords of VRRP.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, WARNING, Finding
from ansible_collections.failover.vip.plugins.module_utils._model import NO_FINGERPRINT, Director, Origin
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault, fault
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, host_rule

#: Passwords that stand in manuals, lessons and other projects' defaults.
KNOWN_PASSWORDS = frozenset(
    ("changeme", "k8s", "1ce24b6e", "password", "passw0rd", "secret", "keepaliv", "12345678", "11111111", "k@l!ve1")
)


def _weakness(password: str) -> str:
    """Why a password keeps nobody out; empty: nothing speaks against it. Does not tell the password."""
    if len(password) < 8:
        return "has %d characters" % len(password)
    return "stands in other people's manuals" if password[:8] in KNOWN_PASSWORDS else ""


@host_rule(
    "KH005",
    ERROR,
    "auth_pass longer than 8 characters",
    "Use at most 8 characters.",
    MAN + ", auth_pass",
)
def auth_pass_too_long(director: Director) -> Iterator[Fault]:
    """The authentication field of a VRRP version 2 packet has eight bytes, and keepalived cuts the password to fit.

    Two passwords that differ only after the eighth character are therefore the same, and the longer one promises a
    strength that it does not have.
    """
    for instance in director.instances:
        if len(instance.auth_pass) > 8 and not instance.auth_pass.startswith("%%"):
            yield fault(
                director,
                instance,
                "auth_pass has %d characters, keepalived uses the first 8" % len(instance.auth_pass),
                "authentication",
            )


@host_rule(
    "KH006",
    ERROR,
    "authentication with VRRP version 3",
    "Drop the authentication, or set vrrp_version 2; unicast and a firewall protect better.",
    "RFC 9568 section 9",
)
def auth_with_version_3(director: Director) -> Iterator[Fault]:
    """VRRP version 3 has no authentication; the field is gone from the packet.

    keepalived drops the block, and its configuration test fails over it, so that a deployment that tests first gets
    stuck here.
    """
    for instance in director.instances:
        if instance.auth_type and director.version_of(instance) == 3:
            yield fault(
                director,
                instance,
                "authentication with VRRP version 3, which has none: keepalived refuses it",
                "authentication",
            )


@host_rule(
    "KH007",
    WARNING,
    "weak password",
    "Drop the authentication and use unicast with a firewall, or take 8 random characters for each instance.",
    "RFC 3768 section 10",
)
def weak_password(director: Director) -> Iterator[Fault]:
    """The password of version 2 crosses the network readable in every advertisement, so it keeps out mistakes and
    nobody else.

    One that is short, stands in manuals, or is shared by several instances does not even do that: a stranger who copied
    the same example joins in, and an instance that hears another one's advertisements takes them for its own.
    """
    users: dict[str, list[str]] = {}
    for instance in director.instances:
        password = instance.auth_pass
        hidden = password.startswith("%%")
        if password and password != NO_FINGERPRINT:
            users.setdefault(password if hidden else password[:8], []).append(instance.name)
        if not password or hidden:
            continue
        why = _weakness(password)
        if why:
            yield fault(
                director, instance, "auth_pass goes over the network as plain text, and %s" % why, "authentication"
            )
    by_name = {instance.name: instance for instance in reversed(director.instances)}
    for names in users.values():
        if len(names) > 1:
            yield fault(
                director,
                by_name[names[0]],
                "one auth_pass is used for all of %s" % ", ".join(sorted(names)),
                "authentication",
            )


def judged_passwords(passwords: Mapping[str, str], elsewhere: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    """KH007 of the passwords themselves, where the model has but a token for each: those of an inventory.

    :param passwords: by instance.
    :param elsewhere: those of other clusters, by the cluster's name.
    """
    users: dict[str, list[str]] = {}
    for name, password in passwords.items():
        origin = Origin("keepalived_auth_pass.%s" % name)
        why = _weakness(password)
        if why:
            message = "auth_pass goes over the network as plain text, and %s" % why
            yield weak_password.finding(Fault(message, instance=name, origin=origin))
        for cluster, theirs in elsewhere.items():
            if password[:8] in {one[:8] for one in theirs.values()}:
                message = "auth_pass is also that of an instance of %s" % cluster
                yield weak_password.finding(Fault(message, instance=name, origin=origin))
        users.setdefault(password[:8], []).append(name)
    for names in users.values():
        if len(names) > 1:
            message = "one auth_pass is used for all of %s" % ", ".join(sorted(names))
            yield weak_password.finding(Fault(message, origin=Origin("keepalived_auth_pass")))
