# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""What a change of the configuration needs: the changes that were measured, and the planner's answer to each."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.failover.vip.plugins.module_utils._apply._reload_plan import (
    NOTHING,
    RELOAD,
    RESTART,
    ReloadPlan,
    findings,
    reload_plan,
)
from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import check

TEXT = """
global_defs {
    router_id %(host)s
    vrrp_version 2
}
vrrp_instance WEB {
    interface eth0
    virtual_router_id 51
    priority %(priority)d
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass canary1
    }
    unicast_src_ip 192.0.2.%(last)d
    unicast_peer {
        %(peers)s
    }
    virtual_ipaddress {
        192.0.2.100/24
    }
}
vrrp_instance DB {
    interface eth0
    virtual_router_id 52
    priority %(priority)d
    unicast_src_ip 192.0.2.%(last)d
    unicast_peer {
        %(peers)s
    }
    virtual_ipaddress {
        192.0.2.200/24
    }
}
"""

Change = Callable[[str, str], str]  # the host and its text -> its new text


def cluster(change: Change, hosts: int = 2, peers: int = 0) -> Cluster:
    found = Cluster()
    for number in range(1, hosts + 1):
        host = "ka%d" % number
        others = [str(other) for other in range(1, (peers or hosts) + 1) if other != number]
        text = TEXT % {
            "host": host,
            "last": number,
            "priority": 155 - 5 * number,
            "peers": "\n".join("192.0.2." + other for other in others),
        }
        parsed = parse("main", from_texts({"main": change(host, text)}))
        found.directors[host], said = read(parsed.nodes, host)
        assert [*parsed.findings, *said] == []
    return found


def replacing(old: str, new: str, only: str = "") -> Change:
    def change(host: str, text: str) -> str:
        assert only not in ("", host) or old in text
        return text.replace(old, new, 1) if only in ("", host) else text

    return change


def unchanged(_host: str, text: str) -> str:
    return text


def planned(change: Change) -> ReloadPlan:
    return reload_plan(cluster(unchanged), cluster(change), check)


def test_nothing_changes() -> None:
    plan = planned(unchanged)
    assert {step.action for step in plan.hosts.values()} == {NOTHING}
    assert plan.window is None
    # Where something stands is no difference.
    moved = planned(lambda _host, text: "# a comment\n\n" + text)
    assert moved == plan


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("KP005", replacing("192.0.2.100/24", "192.0.2.100/24\n192.0.2.101/24")),
        ("KP002", replacing("canary1", "canary2")),
        ("KP004", replacing("router_id 51", "router_id 51\n    version 3")),
        ("KP003", replacing("advert_int 1", "advert_int 2")),
        ("KP001", replacing("router_id 51", "router_id 61")),
    ],
)
def test_what_must_be_reloaded_together(rule: str, change: Change) -> None:
    plan = planned(change)
    assert {step.action for step in plan.hosts.values()} == {RELOAD}
    assert plan.hosts["ka1"].instances == {"WEB": "changed", "DB": "same"}
    assert [(one.instance, one.reason[:5]) for one in plan.together] == [("WEB", rule)]
    # Version 2: three seconds and (256 - 150)/256 s of the quickest. Measured with a backup of 100: two holders for
    # 1.407 s when the second reload came after 5 s, so from 3.59 s on.
    assert plan.window == pytest.approx(3 + 106 / 256)
    refused = findings(plan, serial=1)
    assert [(one.rule, one.severity, one.instance) for one in refused] == [("KP021", "error", "WEB")]
    assert "canary" not in refused[0].text() + str(plan.as_data())
    assert findings(plan, serial=2) == []


@pytest.mark.parametrize(
    "change",
    [
        replacing("priority 150", "priority 90", "ka1"),
        replacing(
            "192.0.2.100/24\n    }", "192.0.2.100/24\n    }\n    virtual_ipaddress_excluded {\n 192.0.2.101/24\n }"
        ),
        replacing("priority", "garp_master_delay 2\n    priority"),
        replacing("router_id ", "vrrp_garp_master_refresh 60\n    router_id "),
        replacing("vrrp_instance DB", "vrrp_script idle {\n script /usr/bin/true\n}\nvrrp_instance DB"),
    ],
)
def test_what_goes_host_by_host(change: Change) -> None:
    plan = planned(change)
    assert RELOAD in {step.action for step in plan.hosts.values()}
    assert plan.together == ()
    assert findings(plan, serial=1) == []


def test_an_advert_int_in_version_3_is_learned() -> None:
    def third(_host: str, text: str) -> str:
        start = text.index("    authentication")
        return text[:start].replace("vrrp_version 2", "vrrp_version 3") + text[text.index("    unicast_src_ip") :]

    before = cluster(third)
    after = cluster(lambda _host, text: third(_host, text).replace("advert_int 1", "advert_int 0.5"))
    assert reload_plan(before, after, check).together == ()


def test_a_director_joins_and_leaves() -> None:
    """The others list it first, and it comes last; nobody is a stranger half-way."""
    two, three = cluster(unchanged), cluster(unchanged, hosts=3)
    joins = reload_plan(two, three, check)
    assert [step.action for step in joins.hosts.values()] == [RELOAD, RELOAD, RESTART]
    assert joins.hosts["ka3"].instances == {"WEB": "added", "DB": "added"}
    assert joins.together == ()
    assert reload_plan(three, two, check).together == ()


def test_a_source_address_changes_on_all_hosts_at_once() -> None:
    plan = planned(lambda _host, text: text.replace("192.0.2.2\n", "192.0.2.22\n"))
    assert {one.instance for one in plan.together} == {"WEB", "DB"}


def test_what_only_a_restart_changes() -> None:
    plan = planned(replacing("router_id", "disable_local_igmp\n    router_id", "ka1"))
    assert plan.hosts["ka1"][:2] == (RESTART, ("disable_local_igmp changes",))
    assert plan.hosts["ka2"].action == NOTHING
    old, new = cluster(unchanged), cluster(unchanged)
    old.directors["ka1"].machine.release, new.directors["ka1"].machine.release = (2, 2, 7), (2, 3, 3)
    assert reload_plan(old, new, check).hosts["ka1"].reasons == ("keepalived 2.2.7 becomes 2.3.3",)


def test_a_restart_without_need() -> None:
    plan = planned(lambda _host, text: text.replace("priority 150", "priority 149"))
    asked = {"ka1": RESTART, "ka2": RESTART, "ka9": RESTART}
    assert [(one.rule, one.host) for one in findings(plan, serial=1, requested=asked)] == [("KE009", "ka1")]
