# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The rules about global_defs."""

from __future__ import annotations

import pytest

from ansible_collections.failover.vip.plugins.module_utils._rules import _globals
from ansible_collections.failover.vip.tests.unit.plugins.module_utils._rules.cases import (
    Case,
    Change,
    around,
    both,
    complete,
    find,
    globally,
    on,
    silent,
)

CASES: list[Case] = [
    ("KH048", "error", "127.0.0.0 is no host", globally("ka1", smtp_server=["127.0.0.0"])),
    ("KH030", "error", "smtp_alert without notification_email and smtp_server", on("ka1", smtp_alert=True)),
    (
        "KH030",
        "error",
        "smtp_alert_vrrp without smtp_server",
        globally("ka1", smtp_alert_vrrp=True, notification_email=["root@example.com"]),
    ),
    (
        "KH030",
        "warning",
        "an address that keepalived makes up",
        globally("ka1", smtp_alert=True, notification_email=["root@example.com"], smtp_server=["192.0.2.25"]),
    ),
    ("KH039", "info", "no refresh", globally("ka1", vrrp_higher_prio_send_advert=False)),
    ("KH039", "info", "no gratuitous ARP for a lower", on("ka1", garp_lower_prio_repeat=0)),
    ("KH040", "warning", "ends keepalived at the next reload", globally("ka1", reload_check_config=False)),
]


@pytest.mark.parametrize("case", CASES, ids=["%s-%s" % case[:2] for case in CASES])
def test_found(case: Case) -> None:
    find(case)


def test_every_rule_has_a_case() -> None:
    complete(_globals, CASES)


ACCEPTED: list[tuple[str, Change]] = [
    ("a mail server on the host", globally("ka1 ka2", smtp_server=["127.0.0.1", "25"])),
    (
        "mails with all they need",
        globally(
            "ka1 ka2",
            smtp_alert=True,
            notification_email=["root@example.com"],
            notification_email_from="ka@example.com",
            smtp_server=["192.0.2.25"],
        ),
    ),
    (
        "a refresh",
        both(globally("ka1 ka2", vrrp_higher_prio_send_advert=False), globally("ka1 ka2", vrrp_garp_master_refresh=60)),
    ),
    (
        "no test where none works",
        both(globally("ka1", reload_check_config=False), around(release=(2, 2, 7), facts={})),
    ),
    ("a release that is not known", both(globally("ka1", reload_check_config=False), around(release=None))),
]


@pytest.mark.parametrize(("name", "change"), ACCEPTED, ids=[name for name, _change in ACCEPTED])
def test_accepted(name: str, change: Change) -> None:
    silent(change)
