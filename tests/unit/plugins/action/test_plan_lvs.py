# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The plan's LVS half: defaults, real servers from groups, placement, the sync daemon, and findings at their places."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.action.vrrp_plan import _backend, _haproxy_binds
from ansible_collections.failover.vip.tests.unit.plugins.action.test_plan import MEMBERS, WEB, run

VIP = "172.25.254.100"
HTTP = {"url": [{"path": "/", "status_code": [200]}]}
OF_GROUP = {"address": VIP, "port": 80, "real_servers_group": "real_servers"}
BACKENDS = {
    "rs11": {"interfaces": {"eth0": ["172.25.254.10/24"]}, "vips": [VIP]},
    "rs22": {"interfaces": {"eth0": ["172.25.254.20/24"]}, "vips": [VIP + "/32"]},
}
GROUPS = {"real_servers": ["rs11", "rs22"]}


def services(*given: dict[str, Any], **arguments: Any) -> dict[str, Any]:
    """The plan of the reference cluster with virtual servers."""
    return run(virtual_servers=list(given), **{"groups": GROUPS, "backends": BACKENDS, **arguments})


def of(result: dict[str, Any], host: str = "ka1") -> list[dict[str, Any]]:
    """A host's virtual servers."""
    return list(result["directors"][host]["virtual_servers"])


def said(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The findings' rules, hosts and places."""
    return [(finding["rule"], finding["host"], finding["path"]) for finding in result["findings"]]


def test_a_virtual_server_of_a_group_is_complete() -> None:
    result = services(OF_GROUP)
    assert result["findings"] == []
    (service,) = of(result)
    assert service == {
        "address": VIP,
        "port": 80,
        "lb_algo": "wlc",
        "lb_kind": "DR",
        "protocol": "TCP",
        "delay_loop": 1,
        "connect_timeout": 1,
        "retry": 1,
        "delay_before_retry": 1,
        "real_servers": [
            {"address": "172.25.254.10", "port": 80, "TCP_CHECK": [{}]},
            {"address": "172.25.254.20", "port": 80, "TCP_CHECK": [{}]},
        ],
    }
    assert of(result, "ka2") == [service]
    text = "".join(file["content"] for file in result["files"]["ka1"])
    assert "virtual_server 172.25.254.100 80 {" in text
    assert "real_server 172.25.254.20 80 {" in text


def test_a_dead_real_server_is_found_within_five_seconds() -> None:
    (service,) = of(services(OF_GROUP))
    tries = service["retry"] + 1
    longest = (
        service["delay_loop"] + tries * service["connect_timeout"] + service["retry"] * service["delay_before_retry"]
    )
    assert longest <= 5


def test_what_is_said_wins_over_defaults() -> None:
    common = {"weight": 3, "HTTP_GET": HTTP, "port": 80}
    given = {**OF_GROUP, "lvs_sched": "rr", "lb_kind": "TUN", "delay_loop": 0.5, "real_servers_defaults": common}
    own = {"address": "172.25.254.30", "weight": 1, "TCP_CHECK": {"connect_timeout": 0.2}}
    (service,) = of(services({**given, "real_servers": [own]}))
    assert (service["lvs_sched"], service["lb_kind"], service["delay_loop"]) == ("rr", "TUN", 0.5)
    assert "lb_algo" not in service
    first, second, third = service["real_servers"]
    assert first == {"address": "172.25.254.30", "port": 80, "weight": 1, "TCP_CHECK": [{"connect_timeout": 0.2}]}
    assert [one["weight"] for one in (second, third)] == [3, 3]
    assert list(second["HTTP_GET"]) == [{"url": [{"path": "/", "status_code": ["200"]}]}]
    assert "TCP_CHECK" not in second


def test_a_check_can_be_left_out() -> None:
    result = services({**OF_GROUP, "real_servers_defaults": {"TCP_CHECK": False}})
    assert set(said(result)) == {
        ("KL003", host, "keepalived_virtual_servers[0].real_servers_group") for host in ("ka1", "ka2")
    }
    assert all("TCP_CHECK" not in server for server in of(result)[0]["real_servers"])


def test_udp_gets_no_check_by_tcp() -> None:
    (service,) = of(services({**OF_GROUP, "protocol": "UDP"}))
    assert service["real_servers"][0] == {"address": "172.25.254.10", "port": 80}


def test_a_firewall_mark_has_no_protocol_and_its_servers_no_port() -> None:
    (service,) = of(services({"fwmark": 7, "real_servers_group": "real_servers"}))
    assert "protocol" not in service
    assert service["real_servers"][0] == {"address": "172.25.254.10"}


def test_a_group_of_addresses() -> None:
    group = {"name": "web", "addresses": [VIP + " 80"]}
    result = services({"group": "web", "real_servers_group": "real_servers"}, virtual_server_groups=[group])
    (service,) = of(result)
    assert (service["group"], service["protocol"]) == ("web", "TCP")
    assert service["real_servers"][1] == {"address": "172.25.254.20", "port": 80, "TCP_CHECK": [{}]}
    assert result["directors"]["ka2"]["virtual_server_groups"][0]["addresses"] == [VIP + " 80"]


def test_the_address_is_that_in_the_network_of_the_virtual_server() -> None:
    several = {"interfaces": {"eth0": ["192.0.2.5/24"], "eth1": [VIP + "/24", "172.25.254.10/24"]}, "vips": [VIP]}
    (service,) = of(services(OF_GROUP, backends={**BACKENDS, "rs11": several}))
    assert service["real_servers"][0]["address"] == "172.25.254.10"


def test_nat_finds_the_inner_network_of_the_directors() -> None:
    inner = {host: {"interfaces": {"eth0": ["10.1.0.%d/24" % last]}} for last, host in enumerate(("rs11", "rs22"), 1)}
    members = {
        host: {"interfaces": {**given["interfaces"], "eth1": ["10.1.0.%d/24" % last]}}
        for last, (host, given) in enumerate(MEMBERS.items(), 50)
    }
    result = services({**OF_GROUP, "lb_kind": "NAT"}, members=members, backends=inner)
    assert [server["address"] for server in of(result)[0]["real_servers"]] == ["10.1.0.1", "10.1.0.2"]
    assert result["sysctls"]["ka2"]["net.ipv4.ip_forward"] == "1"


def test_a_virtual_server_goes_where_its_vip_goes() -> None:
    third = {"ka3": {"interfaces": {"eth0": ["172.25.254.70/24"]}}}
    elsewhere = {**WEB, "name": "X_VIP", "virtual_router_id": 53, "virtual_ipaddress": ["172.25.254.110/24"]}
    result = run(
        {**WEB, "hosts": ["ka1", "ka2"]},
        {**elsewhere, "hosts": ["ka2", "ka3"]},
        members={**MEMBERS, **third},
        virtual_servers=[OF_GROUP, {"fwmark": 7, "real_servers_group": "real_servers"}],
        groups=GROUPS,
        backends=BACKENDS,
    )
    assert [len(of(result, host)) for host in ("ka1", "ka2", "ka3")] == [2, 2, 1]


def test_directors_tell_each_other_of_connections() -> None:
    result = services(OF_GROUP)
    assert result["directors"]["ka1"]["global_defs"]["lvs_sync_daemon"] == ["eth0", "id", "51"]
    assert result["directors"]["ka2"]["global_defs"]["lvs_sync_daemon"] == ["eth0", "id", "51"]
    assert "lvs_sync_daemon eth0 id 51" in result["files"]["ka1"][0]["content"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"enabled": False}, None),
        ({"instance": "WEB_VIP", "id": 0}, ["eth0", "inst", "WEB_VIP", "id", "0"]),
        ({"interface": "eth1"}, ["eth1", "id", "51"]),
    ],
)
def test_the_sync_daemon_by_hand(given: dict[str, Any], expected: list[str] | None) -> None:
    result = services(OF_GROUP, lvs_sync_daemon=given)
    assert result["directors"]["ka1"]["global_defs"].get("lvs_sync_daemon") == expected


def test_the_sync_daemon_follows_an_instance_that_is_there() -> None:
    result = services(OF_GROUP, lvs_sync_daemon={"instance": "WEB"})
    assert {finding["rule"] for finding in result["findings"]} == {"KL012"}


def test_nobody_to_tell() -> None:
    alone = {**WEB, "hosts": ["ka1"]}
    result = run(alone, members={"ka1": MEMBERS["ka1"]}, virtual_servers=[OF_GROUP], groups=GROUPS, backends=BACKENDS)
    assert "lvs_sync_daemon" not in result["directors"]["ka1"]["global_defs"]


def test_nothing_for_a_cluster_without_virtual_servers() -> None:
    result = run()
    assert result["sysctls"] == {"ka1": {}, "ka2": {}}
    assert "lvs_sync_daemon" not in result["directors"]["ka1"]["global_defs"]


def test_connections_in_the_middle_are_taken_up_where_the_client_says_which_server() -> None:
    assert "net.ipv4.vs.sloppy_tcp" not in services(OF_GROUP)["sysctls"]["ka1"]
    assert services({**OF_GROUP, "lb_algo": "mh"})["sysctls"]["ka1"]["net.ipv4.vs.sloppy_tcp"] == "1"


@pytest.mark.parametrize(
    ("change", "rule", "place"),
    [
        ({"lb_algo": "roundrobin"}, "KH042", ".lb_algo"),
        ({"delay_lop": 1}, "KH034", ".delay_lop"),
        ({"real_servers_defaults": {"weigth": 1}}, "KH034", ".real_servers_defaults.weigth"),
        (
            {"real_servers_defaults": {"HTTP_GET": {"url": [{"path": "/", "status": 200}]}}},
            "KH034",
            ".real_servers_defaults.HTTP_GET.url[0].status",
        ),
        ({"real_servers_defaults": [1]}, "KH042", ".real_servers_defaults"),
        ({"real_servers": [{"address": "172.25.254.10", "weight": -1}]}, "KH042", ".real_servers[0].weight"),
        ({"real_servers_group": "realservers"}, "KI004", ".real_servers_group"),
    ],
)
def test_findings_name_what_the_user_wrote(change: dict[str, Any], rule: str, place: str) -> None:
    (finding,) = services({**OF_GROUP, **change})["findings"]
    assert (finding["rule"], finding["path"]) == (rule, "keepalived_virtual_servers[0]" + place)


@pytest.mark.parametrize("backend", [{}, {"interfaces": {"eth0": ["192.0.2.5/24"]}}, {"facts": {}}])
def test_a_real_server_without_an_address(backend: dict[str, Any]) -> None:
    result = services(OF_GROUP, backends={**BACKENDS, "rs22": backend})
    assert said(result) == [("KI010", "rs22", "keepalived_virtual_servers[0].real_servers_group")]


def test_a_real_server_that_will_not_hold_the_vip() -> None:
    result = services(OF_GROUP, backends={**BACKENDS, "rs22": {**BACKENDS["rs22"], "vips": []}})
    assert said(result) == [("KL006", "rs22", "keepalived_virtual_servers[0].real_servers_group")]


def test_a_real_server_that_nobody_plans_counts_as_it_is() -> None:
    now = {"eth0": ["172.25.254.20/24"], "lo": ["127.0.0.1/8", VIP + "/32"]}
    assert services(OF_GROUP, backends={**BACKENDS, "rs22": {"interfaces": now}})["findings"] == []
    result = services(OF_GROUP, backends={**BACKENDS, "rs22": {"interfaces": {**now, "lo": ["127.0.0.1/8"]}}})
    assert said(result) == [("KL006", "rs22", "keepalived_virtual_servers[0].real_servers_group")]


def test_haproxy_and_a_virtual_server_want_one_port() -> None:
    binds = [[VIP, 80, "haproxy_listens[0].bind[0]"]]
    members = {host: {**given, "haproxy_binds": binds} for host, given in MEMBERS.items()}
    result = services(OF_GROUP, members=members)
    assert said(result) == [("KX003", host, "keepalived_virtual_servers[0]") for host in ("ka1", "ka2")]
    assert all("haproxy_listens[0].bind[0]" in finding["message"] for finding in result["findings"])
    other = {host: {**given, "haproxy_binds": [["172.25.254.200", 80, ""]]} for host, given in MEMBERS.items()}
    assert services(OF_GROUP, members=other)["findings"] == []


def test_what_haproxy_is_to_bind_comes_from_its_role_s_variables() -> None:
    listens = [{"name": "web", "bind": [VIP + ":80,:81 ssl crt x", "unix@/run/x"]}]
    assert _haproxy_binds({"haproxy_listens": listens, "haproxy_frontends": [{"name": "f", "bind": ["[::1]:82"]}]}) == [
        [VIP, 80, "haproxy_listens[0].bind[0]"],
        ["*", 81, "haproxy_listens[0].bind[0]"],
        ["::1", 82, "haproxy_frontends[0].bind[0]"],
    ]
    assert _haproxy_binds({}) is None


def test_what_a_real_server_is_to_hold_comes_from_its_role_s_variables() -> None:
    facts = {"interfaces": ["lo"]}
    assert _backend({"ansible_facts": facts, "real_server_vips": [VIP]}) == {"facts": facts, "vips": [VIP]}
    assert _backend({"ansible_facts": facts}) == {"facts": facts, "vips": None}
    assert _backend({"real_server_vips": [VIP], "real_server_state": "absent"}) == {"facts": None, "vips": []}


def test_the_rest_passes_through() -> None:
    given = {
        **OF_GROUP,
        "persistence_timeout": 300,
        "quorum": 2,
        "quorum_up": "/usr/bin/true up",
        "quorum_down": "/usr/bin/true down",
        "alpha": True,
        "omega": True,
        "ha_suspend": True,
        "inhibit_on_failure": True,
        "sorry_server": {"address": "172.25.254.30", "port": 80},
    }
    bfd = {"name": "peer", "neighbor_ip": "172.25.254.10"}
    result = services(given, bfd_instances=[bfd])
    assert result["findings"] == []
    (service,) = of(result)
    del given["real_servers_group"]
    assert service.items() >= {**given, "sorry_server": "172.25.254.30 80"}.items()
    assert result["directors"]["ka1"]["bfd_instances"] == [bfd]
