# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The plan: tables for what it computes and refuses, properties for any topology that can work."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.failover.vip.plugins.action.vrrp_plan import planned
from ansible_collections.failover.vip.plugins.module_utils._plan import allot
from ansible_collections.failover.vip.plugins.module_utils._timers import skew_unit

DEFAULTS: dict[str, Any] = {
    "vrrp_scripts": [],
    "track_files": [],
    "track_processes": [],
    "vrrp_sync_groups": [],
    "global_defs": {},
    "transport": "unicast",
    "auth_pass": {},
    "notify": "",
    "conf_dir": "/etc/keepalived",
    "shared_vrids": [],
    "allowed_findings": [],
}
MEMBERS = {
    "ka1": {"interfaces": {"eth0": ["172.25.254.50/24"]}},
    "ka2": {"interfaces": {"eth0": ["172.25.254.60/24"]}},
}
WEB = {
    "name": "WEB_VIP",
    "virtual_router_id": 51,
    "interface": "eth0",
    "virtual_ipaddress": ["172.25.254.100/24"],
    "hosts": ["ka1", "ka2"],
}
DB = {
    "name": "DB_VIP",
    "virtual_router_id": 52,
    "interface": "eth0",
    "virtual_ipaddress": ["172.25.254.200/24"],
    "hosts": ["ka2", "ka1"],
}
CHECK = {"name": "chk_flag", "script": "/usr/bin/true", "interval": 2, "timeout": 1}


def run(*instances: dict[str, Any], members: dict[str, Any] | None = None, **arguments: Any) -> dict[str, Any]:
    """The plan of the reference cluster, or of a change to it."""
    members = MEMBERS if members is None else members
    given_arguments = {**DEFAULTS, "vrrp_instances": list(instances or (WEB, DB)), **arguments}
    return planned(given_arguments, members, {})


def part(result: dict[str, Any], host: str, instance: str = "WEB_VIP") -> dict[str, Any]:
    """One host's part of an instance."""
    found = [item for item in result["directors"][host]["vrrp_instances"] if item["name"] == instance]
    assert len(found) == 1
    return dict(found[0])


def errors(result: dict[str, Any]) -> list[str]:
    """The errors' ids."""
    return sorted({finding["rule"] for finding in result["findings"] if finding["severity"] == "error"})


def test_reference_cluster() -> None:
    result = run()
    assert result["findings"] == []
    web1, web2 = part(result, "ka1"), part(result, "ka2")
    assert (web1["state"], web2["state"]) == ("BACKUP", "BACKUP")
    assert (web1["priority"], web2["priority"]) == (254, 253)
    assert (part(result, "ka1", "DB_VIP")["priority"], part(result, "ka2", "DB_VIP")["priority"]) == (253, 254)
    assert (web1["unicast_src_ip"], web1["unicast_peer"]) == ("172.25.254.50", ["172.25.254.60"])
    assert (web2["unicast_src_ip"], web2["unicast_peer"]) == ("172.25.254.60", ["172.25.254.50"])
    assert web1["virtual_ipaddress"] == [
        {"address": "172.25.254.100", "prefixlen": 24, "dev": "eth0", "label": "eth0:0"}
    ]
    assert part(result, "ka2", "DB_VIP")["virtual_ipaddress"][0]["label"] == "eth0:1"
    assert result["directors"]["ka1"]["global_defs"]["router_id"] == "ka1"
    assert result["instances"] == [
        {"name": "WEB_VIP", "vips": ["172.25.254.100"], "preferred": "ka1", "backups": ["ka2"]},
        {"name": "DB_VIP", "vips": ["172.25.254.200"], "preferred": "ka2", "backups": ["ka1"]},
    ]


def test_the_text_of_one_director() -> None:
    instance = {**WEB, "preempt_delay": 10, "track_script": ["chk_flag"]}
    result = run(
        instance,
        vrrp_scripts=[{**CHECK, "script": '/usr/bin/sh -c "test ! -e /run/flag"', "weight": -30, "fall": 2, "rise": 2}],
        global_defs={"notification_email": ["ops@example.com"], "smtp_server": "192.0.2.25 25"},
        notify="/etc/keepalived/mail.sh",
    )
    files = {file["path"]: file["content"] for file in result["files"]["ka1"]}
    assert list(files) == ["keepalived.conf", "conf.d/10-tracking.conf", "conf.d/20-vrrp_instance-WEB_VIP.conf"]
    body = [line for content in files.values() for line in content.splitlines() if line and not line.startswith("#")]
    assert "\n".join(body) == "\n".join(
        (
            "global_defs {",
            "    router_id ka1",
            "    notification_email {",
            "        ops@example.com",
            "    }",
            "    smtp_server 192.0.2.25 25",
            "    enable_script_security",
            "    reload_check_config",
            "    vrrp_version 3",
            "    vrrp_higher_prio_send_advert",
            "}",
            "include /etc/keepalived/conf.d/*.conf",
            "vrrp_script chk_flag {",
            '    script "/usr/bin/sh -c \\"test ! -e /run/flag\\""',
            "    interval 2",
            "    timeout 1",
            "    weight -30",
            "    rise 2",
            "    fall 2",
            "}",
            "vrrp_instance WEB_VIP {",
            "    state BACKUP",
            "    interface eth0",
            "    virtual_router_id 51",
            "    priority 254",
            "    preempt_delay 10",
            "    unicast_src_ip 172.25.254.50",
            "    unicast_peer {",
            "        172.25.254.60",
            "    }",
            "    virtual_ipaddress {",
            "        172.25.254.100/24 dev eth0 label eth0:0",
            "    }",
            "    track_script {",
            "        chk_flag",
            "    }",
            '    notify "/etc/keepalived/mail.sh"',
            "}",
        )
    )


def test_what_is_set_by_hand_wins_and_is_checked() -> None:
    members = {
        **MEMBERS,
        "ka2": {**MEMBERS["ka2"], "overrides": {"WEB_VIP": {"priority": 120, "unicast_src_ip": "172.25.254.60"}}},
    }
    result = run({**WEB, "advert_int": 0.5}, members=members)
    assert errors(result) == []
    assert part(result, "ka2")["priority"] == 120
    assert part(result, "ka1")["priority"] == 254
    assert part(result, "ka1")["advert_int"] == 0.5
    assert errors(run({**WEB, "priority": 100})) == []
    assert [finding["rule"] for finding in run({**WEB, "priority": 100})["findings"]] == ["KP010"]


def test_multicast_with_a_group_of_its_own() -> None:
    result = run(transport="multicast", global_defs={"vrrp_mcast_group4": "224.0.0.44"})
    assert result["findings"] == []
    assert not {"unicast_src_ip", "unicast_peer"} & set(part(result, "ka1"))
    assert "vrrp_mcast_group4 224.0.0.44" in result["files"]["ka1"][0]["content"]


def test_one_instance_may_use_the_other_transport() -> None:
    result = run({**WEB, "transport": "multicast"}, DB)
    assert errors(result) == []
    assert "unicast_peer" not in part(result, "ka1")
    assert part(result, "ka1", "DB_VIP")["unicast_peer"] == ["172.25.254.60"]


def test_ipv6_speaks_version_3_from_an_address_of_its_subnet() -> None:
    members = {
        host: {"interfaces": {"eth0": ["172.25.254.%d/24" % last, "fe80::%d/64" % last, "2001:db8::%d/64" % last]}}
        for host, last in (("ka1", 50), ("ka2", 60))
    }
    result = run({**WEB, "virtual_ipaddress": ["2001:db8::100/64"]}, members=members, global_defs={"vrrp_version": 2})
    assert errors(result) == []
    web = part(result, "ka1")
    assert (web["version"], web["unicast_src_ip"], web["unicast_peer"]) == (3, "2001:db8::50", ["2001:db8::60"])
    # Deprecated, so that the director never opens connections from it.
    assert web["virtual_ipaddress"] == [
        {"address": "2001:db8::100", "prefixlen": 64, "dev": "eth0", "flags": ["preferred_lft", "0"]}
    ]


@pytest.mark.parametrize(
    ("vip", "line"),
    [
        ("2001:db8::100/128", "2001:db8::100/128 dev eth0\n"),
        ("2001:db8::100/64 preferred_lft forever", "2001:db8::100/64 dev eth0 preferred_lft forever\n"),
    ],
)
def test_ipv6_lifetimes_of_keepalived_and_by_hand_stay(vip: str, line: str) -> None:
    members = {host: {"interfaces": {"eth0": ["2001:db8::%s/64" % host[2:]]}} for host in ("ka1", "ka2")}
    result = run({**WEB, "virtual_ipaddress": [vip]}, members=members)
    assert errors(result) == []
    assert line in result["files"]["ka1"][-1]["content"]


def test_interface_names_may_differ_between_hosts() -> None:
    members = {
        "ka1": MEMBERS["ka1"],
        "ka2": {"interfaces": {"ens3": ["172.25.254.60/24"]}, "overrides": {"WEB_VIP": {"interface": "ens3"}}},
    }
    result = run(WEB, members=members)
    assert errors(result) == []
    assert part(result, "ka2")["virtual_ipaddress"][0]["dev"] == "ens3"
    assert part(result, "ka2")["virtual_ipaddress"][0]["label"] == "ens3:0"


def test_a_vip_held_now_is_not_taken_for_the_hosts_own_address() -> None:
    members = {**MEMBERS, "ka1": {"interfaces": {"eth0": ["172.25.254.50/24", "172.25.254.100/24"]}}}
    result = run(members=members)
    assert errors(result) == []
    assert part(result, "ka1")["unicast_src_ip"] == "172.25.254.50"


def test_a_password_is_a_token_in_all_that_is_shown() -> None:
    result = run(WEB, global_defs={"vrrp_version": 2}, auth_pass={"WEB_VIP": "s3cr3t-x"})
    assert errors(result) == []
    assert "s3cr3t-x" not in repr(result)
    assert part(result, "ka1")["authentication"] == {"auth_type": "PASS", "auth_pass": "%%auth_pass:WEB_VIP%%"}


@pytest.mark.parametrize(
    ("rule", "words", "instances", "arguments"),
    [
        ("KH042", "virtual_router_id' is 0, but must be from 1 to 255", [{**WEB, "virtual_router_id": 0}], {}),
        ("KH042", "virtual_router_id' is 256, but must be from 1 to 255", [{**WEB, "virtual_router_id": 256}], {}),
        ("KI001", "ka3 is no host of the cluster", [{**WEB, "hosts": ["ka1", "ka3"]}], {}),
        ("KI001", "ka1 stands twice in hosts", [{**WEB, "hosts": ["ka1", "ka1"]}], {}),
        (
            "KH010",
            "VIP 172.25.253.100 is in no subnet of eth0 (172.25.254.0/24)",
            [{**WEB, "virtual_ipaddress": ["172.25.253.100/24"]}],
            {},
        ),
        (
            "KH010",
            "is the broadcast address",
            [{**WEB, "virtual_ipaddress": ["172.25.254.255/24"]}],
            {},
        ),
        ("KH001", "nopreempt together with state MASTER", [{**WEB, "nopreempt": True, "state": "MASTER"}], {}),
        ("KH002", "there is no preemption to delay", [{**WEB, "nopreempt": True, "preempt_delay": 10}], {}),
        ("KH002", "keepalived drops the delay", [{**WEB, "state": "MASTER", "preempt_delay": 10}], {}),
        (
            "KH003",
            "nobody may take over",
            [{**WEB, "nopreempt": True, "track_script": ["chk_flag"]}],
            {"vrrp_scripts": [{**CHECK, "weight": -30}]},
        ),
        (
            "KP018",
            "ka1 still has 140 and ka2 only 100: no failover",
            [{**WEB, "track_script": ["chk_flag"]}],
            {
                "vrrp_scripts": [{**CHECK, "weight": -10}],
                "members": {
                    "ka1": {**MEMBERS["ka1"], "overrides": {"WEB_VIP": {"priority": 150}}},
                    "ka2": {**MEMBERS["ka2"], "overrides": {"WEB_VIP": {"priority": 100}}},
                },
            },
        ),
        (
            "KP019",
            "ka1 ties with ka2 at 100",
            [{**WEB, "track_script": ["chk_flag"]}],
            {
                "vrrp_scripts": [{**CHECK, "weight": -50}],
                "members": {
                    "ka1": {**MEMBERS["ka1"], "overrides": {"WEB_VIP": {"priority": 150}}},
                    "ka2": {**MEMBERS["ka2"], "overrides": {"WEB_VIP": {"priority": 100}}},
                },
            },
        ),
        (
            "KI003",
            "leave no priorities",
            [{**WEB, "track_script": ["chk_flag"]}],
            {"vrrp_scripts": [{**CHECK, "weight": -1}]},
        ),
        (
            "KH043",
            "virtual_router_id 51 is already that of WEB_VIP on eth0",
            [WEB, {**DB, "virtual_router_id": 51}],
            {},
        ),
        (
            "KH012",
            "VIP 172.25.254.100 stands in WEB_VIP too",
            [WEB, {**DB, "virtual_ipaddress": WEB["virtual_ipaddress"]}],
            {},
        ),
        ("KP015", "is the own address of ka2", [{**WEB, "virtual_ipaddress": ["172.25.254.60/24"]}], {}),
        ("KH034", "'nopreemt' is no keyword of vrrp_instance", [{**WEB, "nopreemt": True}], {}),
        ("KH034", "'enble_script_security' is no keyword", [WEB], {"global_defs": {"enble_script_security": True}}),
        (
            "KH042",
            "has the unknown key 'devv'",
            [{**WEB, "virtual_ipaddress": [{"address": "172.25.254.100/24", "devv": "eth0"}]}],
            {},
        ),
        ("KH042", "'tomorrow' is no IP address", [{**WEB, "virtual_ipaddress": ["tomorrow"]}], {}),
        ("KH042", "has no valid prefix length (0 to 32)", [{**WEB, "virtual_ipaddress": ["172.25.254.100/33"]}], {}),
        ("KH042", "must be true or false, not 'yes'", [{**WEB, "nopreempt": "yes"}], {}),
        ("KH042", "is 'MASTR', but must be MASTER or BACKUP", [{**WEB, "state": "MASTR"}], {}),
        ("KH021", "track_script names chk_falg, which is defined nowhere", [{**WEB, "track_script": ["chk_falg"]}], {}),
        ("KH023", "the name WEB_VIP is already that of", [WEB, {**DB, "name": "WEB_VIP"}], {}),
        (
            "KH044",
            "has no virtual_router_id",
            [{key: value for key, value in WEB.items() if key != "virtual_router_id"}],
            {},
        ),
        ("KH045", "interface eth1 does not exist here (there are: eth0)", [{**WEB, "interface": "eth1"}], {}),
        ("KH006", "authentication with VRRP version 3", [WEB], {"auth_pass": {"WEB_VIP": "abcdefgh"}}),
        (
            "KH005",
            "has 9 characters",
            [WEB],
            {"auth_pass": {"WEB_VIP": "abcdefghi"}, "global_defs": {"vrrp_version": 2}},
        ),
        ("KI004", "no instance of this name", [WEB], {"auth_pass": {"WEB_VPI": "abcdefgh"}}),
        (
            "KH042",
            "a password among the plain variables",
            [{**WEB, "authentication": {"auth_type": "PASS", "auth_pass": "abcdefgh"}}],
            {},
        ),
        ("KH047", "which knows whole seconds", [{**WEB, "advert_int": 0.5, "version": 2}], {}),
        ("KI002", "the addresses of ka2 are not known", [WEB], {"members": {"ka1": MEMBERS["ka1"], "ka2": {}}}),
        (
            "KI002",
            "has no IPv4 address on eth0",
            [WEB],
            {"members": {"ka1": MEMBERS["ka1"], "ka2": {"interfaces": {"eth0": ["2001:db8::1/64"]}}}},
        ),
        ("KH042", "must be unicast or multicast, not 'brodcast'", [{**WEB, "transport": "brodcast"}], {}),
    ],
)
def test_refused(rule: str, words: str, instances: list[dict[str, Any]], arguments: dict[str, Any]) -> None:
    result = run(*instances, **arguments)
    found = [finding for finding in result["findings"] if finding["rule"] == rule and words in finding["message"]]
    assert found, result["findings"]
    assert all(finding["severity"] == "error" for finding in found)
    assert all(finding["hint"] or finding["message"].startswith("'") for finding in found)
    assert "s3cr3t" not in repr(found)


def test_a_misspelt_key_gets_a_hint() -> None:
    (finding,) = run({**WEB, "nopreemt": True})["findings"]
    assert finding["hint"] == "Did you mean 'nopreempt'?"
    assert finding["path"] == "keepalived_vrrp_instances[0].nopreemt"
    assert finding["instance"] == "WEB_VIP"


@pytest.mark.parametrize(
    ("count", "version", "advert_int", "weights", "expected"),
    [
        (2, 2, 1, [], [254, 253]),
        (2, 3, 1, [-30], [254, 253]),
        (1, 3, 1, [], [254]),
        # Three hosts: 20 ms of skew are 6/256 of a second, and 52/256 of 0.1 s.
        (3, 2, 1, [], [254, 253, 247]),
        (3, 3, 0.1, [], [254, 253, 201]),
        # The spread stays below the weight, or the last host would never take over.
        (3, 3, 0.1, [-30], [254, 253, 225]),
        (3, 3, 0.1, [-30, -3], [254, 253, 252]),
        # Positive weights need room above, negative ones below.
        (2, 3, 1, [10, 20], [224, 223]),
        (3, 3, 0.01, [-60, -60], [254, 253, 195]),
        (2, 3, 1, [-253], None),
        (4, 3, 1, [-3], None),
        (2, 3, 1, [200, 100], None),
        (300, 3, 1, [], None),
    ],
)
def test_allot(count: int, version: int, advert_int: float, weights: list[int], expected: list[int] | None) -> None:
    assert allot(count, skew_unit(version, advert_int), weights) == expected


@st.composite
def topologies(draw: st.DrawFn) -> tuple[list[str], list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    """A cluster that can work: any number of directors and VIPs, any order of preference, any weights."""
    hosts = ["ka%d" % number for number in range(1, draw(st.integers(2, 9)) + 1)]
    vrids = draw(st.lists(st.integers(1, 255), min_size=1, max_size=12, unique=True))
    lasts = draw(st.lists(st.integers(100, 250), min_size=len(vrids), max_size=len(vrids), unique=True))
    weights = draw(st.lists(st.integers(len(hosts), 40) | st.integers(-40, -len(hosts)) | st.just(0), max_size=3))
    scripts = [{**CHECK, "name": "chk%d" % number, "weight": weight} for number, weight in enumerate(weights)]
    instances = [
        {
            "name": "VIP_%d" % number,
            "virtual_router_id": vrid,
            "interface": "eth0",
            "virtual_ipaddress": ["172.25.254.%d/24" % last],
            "hosts": draw(st.permutations(hosts)),
            "track_script": [script["name"] for script in scripts],
        }
        for number, (vrid, last) in enumerate(zip(vrids, lasts, strict=True))
    ]
    arguments = {
        "vrrp_scripts": scripts,
        "transport": draw(st.sampled_from(["unicast", "multicast"])),
        "global_defs": {"vrrp_version": draw(st.sampled_from([2, 3]))},
    }
    return hosts, instances, scripts, arguments


@given(topologies())
def test_any_topology_that_can_work(
    drawn: tuple[list[str], list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]],
) -> None:
    hosts, instances, scripts, arguments = drawn
    members = {
        host: {"interfaces": {"eth0": ["172.25.254.%d/24" % (10 + number)]}} for number, host in enumerate(hosts)
    }
    result = run(*instances, members=members, **arguments)
    assert errors(result) == []
    for instance in instances:
        parts = {host: part(result, host, instance["name"]) for host in instance["hosts"]}
        priorities = [parts[host]["priority"] for host in instance["hosts"]]
        # One preferred holder, and the order of preference is the order of takeover.
        assert priorities == sorted(priorities, reverse=True)
        assert len(set(priorities)) == len(priorities)
        gains = sum(script["weight"] for script in scripts if script["weight"] > 0)
        losses = sum(script["weight"] for script in scripts if script["weight"] < 0)
        assert priorities[0] + gains <= 254
        assert priorities[-1] + losses >= 1
        # Every single failed check drops the preferred host below each of the others.
        for script in scripts:
            if script["weight"]:
                assert priorities[0] - abs(script["weight"]) < priorities[-1]
        if arguments["transport"] == "unicast":
            sources = {host: one["unicast_src_ip"] for host, one in parts.items()}
            for host, one in parts.items():
                assert set(one["unicast_peer"]) == set(sources.values()) - {sources[host]}
    for director in result["directors"].values():
        vrids = [one["virtual_router_id"] for one in director["vrrp_instances"]]
        assert len(set(vrids)) == len(vrids) == len(instances)
    assert [one["preferred"] for one in sorted(result["instances"], key=lambda one: str(one["name"]))] == [
        one["hosts"][0] for one in sorted(instances, key=lambda one: str(one["name"]))
    ]


def test_timers_come_from_the_preset() -> None:
    result = run(WEB, {**DB, "advert_int": 1}, timers="standard")
    assert result["findings"] == []
    for host in ("ka1", "ka2"):
        web, db = part(result, host), part(result, host, "DB_VIP")
        assert (web["advert_int"], web["down_timer_adverts"]) == (0.05, 18)
        assert (db["advert_int"], db.get("down_timer_adverts")) == (1, None)
        # An interval below a second needs a scheduler that is on time.
        assert result["directors"][host]["global_defs"]["max_auto_priority"] == 50
    assert "max_auto_priority" not in run()["directors"]["ka1"]["global_defs"]
    assert "down_timer_adverts" not in part(run(timers="standard", global_defs={"vrrp_version": 2}), "ka1")


def test_the_drain_file_moves_what_can_be_moved() -> None:
    stays = {**DB, "nopreempt": True}
    own = {**WEB, "name": "OWN", "virtual_router_id": 53, "virtual_ipaddress": ["172.25.254.120/24"]}
    members = {**MEMBERS, "ka1": {**MEMBERS["ka1"], "overrides": {"OWN": {"priority": 255}}}}
    result = run(WEB, stays, own, members=members, drain_file="/run/failover-vip/drain")
    assert errors(result) == []
    assert result["directors"]["ka1"]["track_files"] == [
        {"name": "drain", "file": "/run/failover-vip/drain", "weight": 1}
    ]
    assert part(result, "ka1")["track_file"] == [{"name": "drain"}]
    # No priority moves these: any number in the file is a fault.
    for name in ("DB_VIP", "OWN"):
        assert part(result, "ka1", name)["track_file"] == [{"name": "drain", "weight": 0}]
    assert "track_file" not in part(run(), "ka1")
