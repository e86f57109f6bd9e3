# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The rows of the lesson on which the cluster stands, one by one. Names begin with the row's id."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

DIRECTORS = ("ka1", "ka2")
REAL_SERVERS = ("rs11", "rs22")


def addresses(host: Host, interface: str) -> dict[str, dict[str, object]]:
    """The interface's addresses, each with what the kernel says of it."""
    (found,) = json.loads(host.check_output(f"ip -json address show dev {interface}"))
    return {item["local"]: item for item in found["addr_info"]}


@pytest.mark.parametrize("name", REAL_SERVERS)
def test_s1_each_real_server_serves_its_own_page(hosts: dict[str, Host], network_prefix: str, name: str) -> None:
    service = hosts[name].service("apache2")
    assert service.is_running
    assert service.is_enabled
    last = {"rs11": 10, "rs22": 20}[name]
    assert hosts["client"].check_output(f"curl -sS http://{network_prefix}.{last}/").split() == [name]


@pytest.mark.parametrize("name", DIRECTORS)
def test_s2_keepalived_is_installed_enabled_and_running(hosts: dict[str, Host], name: str) -> None:
    assert hosts[name].package("keepalived").is_installed
    service = hosts[name].service("keepalived")
    assert service.is_enabled
    assert service.is_running


@pytest.mark.parametrize(("instance", "home", "label"), [("WEB_VIP", "ka1", "eth0:0"), ("DB_VIP", "ka2", "eth0:1")])
def test_s3_s11_each_vip_is_at_home_with_prefix_and_label(
    hosts: dict[str, Host], vips: dict[str, str], instance: str, home: str, label: str
) -> None:
    holders = {name: addresses(hosts[name], "eth0").get(vips[instance]) for name in DIRECTORS}
    held = holders.pop(home)
    assert held is not None
    assert (held["prefixlen"], held["label"]) == (24, label)
    assert list(holders.values()) == [None]


@pytest.mark.parametrize("name", DIRECTORS)
def test_s4_the_log_is_apart_and_rotates(hosts: dict[str, Host], name: str) -> None:
    host = hosts[name]
    assert re.search(r"keepalived .*-S 6\b", host.check_output("ps -C keepalived -o args="))
    log = host.file("/var/log/keepalived.log")
    assert "Keepalived_vrrp" in log.content_string
    system = host.run("grep -c Keepalived_vrrp /var/log/syslog")
    assert system.stdout.strip() in ("0", ""), "keepalived's lines stand in the system's log too"
    host.check_output("logrotate --force /etc/logrotate.d/keepalived")
    host.check_output("logger -p local6.notice after-the-rotation")
    # rsyslog may still write what it had: wait for the line itself, at most 10 s.
    host.check_output("timeout 10 sh -c 'until grep -q after-the-rotation /var/log/keepalived.log; do sleep 0.1; done'")
    assert host.file("/var/log/keepalived.log.1").exists or host.file("/var/log/keepalived.log.1.gz").exists


@pytest.mark.parametrize("name", DIRECTORS)
def test_s5_the_configuration_is_in_fragments(hosts: dict[str, Host], name: str) -> None:
    host = hosts[name]
    main = host.file("/etc/keepalived/keepalived.conf").content_string
    assert "include /etc/keepalived/conf.d/*.conf" in main
    assert "vrrp_instance" not in main
    assert host.file("/etc/keepalived/conf.d").listdir() == sorted(
        ["10-tracking.conf", "20-vrrp_instance-DB_VIP.conf", "20-vrrp_instance-WEB_VIP.conf"]
    )
    assert host.file("/etc/keepalived/keepalived.conf").mode == 0o640


@pytest.mark.parametrize(("name", "own", "peer"), [("ka1", 50, 60), ("ka2", 60, 50)])
def test_s8_advertisements_are_unicast(
    hosts: dict[str, Host], network_prefix: str, name: str, own: int, peer: int
) -> None:
    host = hosts[name]
    host.check_output("apt-get install -y --no-install-recommends tcpdump >/dev/null 2>&1; command -v tcpdump")
    # Both directors are master of one VIP each, so each of them sends one advertisement a second.
    seen = host.check_output("timeout 15 tcpdump -c 4 -ni eth0 'ip proto 112' 2>/dev/null || true")
    pairs = set(re.findall(r"IP (\S+) > (\S+): VRRPv3", seen))
    mine, other = f"{network_prefix}.{own}", f"{network_prefix}.{peer}"
    assert pairs == {(mine, other), (other, mine)}, seen


@pytest.mark.parametrize("name", DIRECTORS)
def test_s13_the_live_tree_passes_keepaliveds_own_test(hosts: dict[str, Host], name: str) -> None:
    host = hosts[name]
    found = host.run("keepalived --config-test -f /etc/keepalived/keepalived.conf")
    version = host.check_output("keepalived --version 2>&1 | sed -n '1s/.*v\\([0-9.]*\\).*/\\1/p'")
    if version == "2.2.7":
        # With scripts of another user than root its test ends itself, see the module keepalived_config.
        assert found.rc in (143, -15, 0), found.stderr
        assert "error" not in found.stderr.lower()
    else:
        assert (found.rc, found.stderr) == (0, "")


@pytest.mark.parametrize("name", REAL_SERVERS)
def test_s14_real_servers_hold_the_vips_silently(hosts: dict[str, Host], vips: dict[str, str], name: str) -> None:
    host = hosts[name]
    held = addresses(host, "lo")
    assert {held[vip]["prefixlen"] for vip in vips.values()} == {32}
    for interface in ("all", "lo"):
        assert host.sysctl(f"net.ipv4.conf.{interface}.arp_ignore") == 1
        assert host.sysctl(f"net.ipv4.conf.{interface}.arp_announce") == 2


def test_s14_nobody_but_the_holder_answers_for_a_vip(
    hosts: dict[str, Host], vips: dict[str, str], tasks_on: Callable[..., list[dict[str, Any]]]
) -> None:
    macs = {name: hosts[name].check_output("cat /sys/class/net/eth0/address").strip() for name in DIRECTORS}
    ask = {"name": "Ask", "failover.vip.vip_owner_info": {"vips": list(vips.values())}}
    (result,) = tasks_on("client", [ask])
    seen = {found["address"]: [answer["mac"] for answer in found["answers"]] for found in result["vips"]}
    assert seen == {vips["WEB_VIP"]: [macs["ka1"]], vips["DB_VIP"]: [macs["ka2"]]}


def test_s17_the_page_comes_from_both_real_servers_in_turn(hosts: dict[str, Host], vips: dict[str, str]) -> None:
    for vip in vips.values():
        pages = hosts["client"].check_output(f"for _ in 1 2 3 4; do curl -sS http://{vip}/; done").split()
        assert sorted(pages) == ["rs11", "rs11", "rs22", "rs22"]


@pytest.mark.parametrize("name", DIRECTORS)
def test_s17_the_file_passes_haproxys_own_test_and_every_time_has_a_unit(hosts: dict[str, Host], name: str) -> None:
    host = hosts[name]
    checked = host.run("haproxy -c -f /etc/haproxy/haproxy.cfg")
    assert checked.rc == 0
    assert "WARNING" not in checked.stderr
    config = host.file("/etc/haproxy/haproxy.cfg").content_string
    times = re.findall(r"\b(?:timeout \S+|inter|fastinter|downinter|hard-stop-after) (\S+)", config)
    assert times
    assert all(re.fullmatch(r"\d+(us|ms|s|m|h|d)", time) for time in times), times


@pytest.mark.parametrize("name", DIRECTORS)
def test_s18_haproxy_binds_the_vip_that_the_other_director_holds(
    hosts: dict[str, Host], vips: dict[str, str], name: str
) -> None:
    host = hosts[name]
    assert host.sysctl("net.ipv4.ip_nonlocal_bind") == 1
    assert host.sysctl("net.ipv6.ip_nonlocal_bind") == 1
    listening = host.check_output("ss -Hltn")
    assert all(f"{vip}:80" in listening for vip in vips.values()), listening


@pytest.mark.parametrize("name", DIRECTORS)
def test_s19_global_definitions(hosts: dict[str, Host], name: str) -> None:
    lines = [line.strip() for line in hosts[name].file("/etc/keepalived/keepalived.conf").content_string.splitlines()]
    assert f"router_id {name}" in lines
    for line in ("enable_script_security", "script_user keepalived_script", "smtp_server 127.0.0.1", "vrrp_version 3"):
        assert line in lines


@pytest.mark.parametrize("name", DIRECTORS)
def test_scripts_are_not_run_as_root_and_not_open_to_others(hosts: dict[str, Host], name: str) -> None:
    host = hosts[name]
    for script in ("mail.sh", "scripts/check_flag.sh", "scripts/check_http.sh", "scripts/remove_vips.sh"):
        file = host.file(f"/etc/keepalived/{script}")
        assert (file.user, file.mode) == ("root", 0o755)
    assert host.user("keepalived_script").shell.endswith("nologin")
