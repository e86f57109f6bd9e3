# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The rules about HAProxy."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.module_utils._model import Origin, Vip
from ansible_collections.failover.vip.plugins.module_utils._rules import _haproxy
from ansible_collections.failover.vip.tests.unit.plugins.module_utils._rules.cases import (
    HAPROXY,
    Case,
    Change,
    around,
    both,
    complete,
    everywhere,
    find,
    script,
    silent,
)


def stats(kind: str, address: str, **more: Any) -> Change:
    """One socket or page on ka1."""
    given = {"kind": kind, "address": address, "mode": "", "level": "admin", "auth": False, "admin": False}
    return around(haproxy_stats=[{**given, **more, "place": [HAPROXY, 9]}])


PLACE = Origin(HAPROXY, 40)
OFF = around(sysctls={"net.ipv4.ip_nonlocal_bind": "0"})
CURL = "#!/bin/sh\n# not 172.25.254.100\ncurl -f http://%s/ && exit 0\nexit 1\n"


CASES: list[Case] = [
    ("KX001", "error", "binds the VIP 172.25.254.100, port 80, and net.ipv4.ip_nonlocal_bind is 0", OFF),
    (
        "KX001",
        "error",
        "net.ipv6.ip_nonlocal_bind is 0",
        both(
            everywhere(virtual_ipaddress_excluded=[Vip("2001:db8::100", 64)]),
            around(sysctls={"net.ipv6.ip_nonlocal_bind": "0"}, haproxy_binds=[("2001:db8:0::100", 443, PLACE)]),
        ),
    ),
    ("KX002", "error", "asks 172.25.254.100, which is a VIP", script("/bin/curl -f http://172.25.254.100:80/")),
    ("KX002", "error", "asks 172.25.254.10, which is a real server", script("/bin/nc -z 172.25.254.10 80")),
    ("KX002", "error", "asks 172.25.254.200, which is a VIP", script("/etc/check.sh", CURL % "172.25.254.200")),
    ("KX004", "warning", "listens on ipv4@*:9999 with level admin", stats("socket", "ipv4@*:9999")),
    ("KX004", "warning", "everybody may write to the stats socket", stats("socket", "/run/a.sock", mode="666")),
    ("KX004", "warning", "no password and lets visitors switch servers", stats("page", "*:8404", admin=True)),
    ("KX005", "warning", "reads 'inter 3' as 3 milliseconds", around(haproxy_durations=[["inter 3", HAPROXY, 9]])),
    ("KX004", "warning", "the statistics page on [::]:8404 has no password", stats("page", "[::]:8404")),
]


@pytest.mark.parametrize("case", CASES, ids=["%s-%s" % case[:2] for case in CASES])
def test_found(case: Case) -> None:
    find(case)


def test_every_rule_has_a_case() -> None:
    complete(_haproxy, CASES)


ACCEPTED: list[tuple[str, Change]] = [
    ("a bind that needs no setting", both(OFF, around(haproxy_freebind=[[HAPROXY, 40]]))),
    ("HAProxy binds all addresses", both(OFF, around(haproxy_binds=[("*", 80, PLACE)]))),
    ("a setting that is not known", around(sysctls={})),
    ("no HAProxy", both(OFF, around(haproxy_binds=None))),
    ("a check of this host alone", script("/bin/curl -f http://127.0.0.1:80/")),
    ("a check of its own address", script("/bin/curl -f http://172.25.254.50:80/")),
    ("an address that begins like a VIP", script("/bin/curl -f http://172.25.254.1001/")),
    ("a script that mentions the VIP", script("/etc/check.sh", "#!/bin/sh\nip addr show to 172.25.254.100\nexit 1\n")),
    ("a socket of the network on this host", stats("socket", "127.0.0.1:9999")),
    ("milliseconds that are meant", around(haproxy_durations=[["timeout client 500", HAPROXY, 9]])),
    ("a page with a password", stats("page", "*:8404", auth=True)),
]


@pytest.mark.parametrize(("name", "change"), ACCEPTED, ids=[name for name, _change in ACCEPTED])
def test_accepted(name: str, change: Change) -> None:
    silent(change)
