# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Rows S14 and S15: real packets, balanced by the kernel of the director that holds the VIP (LVS, direct routing)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

from ansible_collections.failover.vip.tests.lab_lvs import CLIENT, DIRECTORS, REAL_SERVERS, ask, table


def counters(host: Host) -> dict[str, int]:
    """What IPVS counted so far: connections, and packets in and out, from ``/proc/net/ip_vs_stats`` (hexadecimal)."""
    first, packets_in, packets_out = host.check_output("cat /proc/net/ip_vs_stats").splitlines()[2].split()[:3]
    return {"connections": int(first, 16), "packets_in": int(packets_in, 16), "packets_out": int(packets_out, 16)}


def log_lines(host: Host, word: str) -> list[str]:
    """The lines of the web server's log with this word; the server writes them when the answer is out."""
    host.check_output(f"timeout 10 sh -c 'until grep -q {word} /var/log/apache2/access.log; do sleep 0.1; done'")
    lines: str = host.check_output(f"grep {word} /var/log/apache2/access.log")
    return lines.splitlines()


@pytest.mark.parametrize("name", DIRECTORS)
def test_s15_every_director_has_the_table(
    hosts: dict[str, Host], vips: dict[str, str], network_prefix: str, name: str
) -> None:
    servers = {f"{network_prefix}.{last}:80": ("Route", 1) for last in REAL_SERVERS.values()}
    other = {f"{network_prefix}.10:80": ("Route", 1)}
    assert table(hosts[name]) == {
        f"TCP {vips['WEB_VIP']}:80 rr": servers,
        f"TCP {network_prefix}.110:80 wlc": other,
    }


def test_s15_answers_alternate_over_the_real_servers(hosts: dict[str, Host], vips: dict[str, str]) -> None:
    pages = ask(hosts, vips["WEB_VIP"], 10)
    assert pages in (["rs11", "rs22"] * 5, ["rs22", "rs11"] * 5)


def test_s14_real_servers_see_the_clients_own_address(
    hosts: dict[str, Host], vips: dict[str, str], network_prefix: str
) -> None:
    token = uuid.uuid4().hex
    ask(hosts, vips["WEB_VIP"], 6, f"/?{token}")
    for name in REAL_SERVERS:
        sources = [line.split()[0] for line in log_lines(hosts[name], token)]
        assert sources == [f"{network_prefix}.{CLIENT}"] * 3


def test_s15_packets_come_through_a_director_and_answers_go_straight_to_the_client(
    hosts: dict[str, Host], vips: dict[str, str]
) -> None:
    def counted() -> list[dict[str, int]]:
        return [counters(hosts[name]) for name in DIRECTORS]

    # Over both: on a busy machine the VIP may move meanwhile.
    before = counted()
    ask(hosts, vips["WEB_VIP"], 6)
    deadline = time.monotonic() + 10
    while True:
        # The kernel sums its counters up every two seconds.
        after = counted()
        grown = {key: sum(now[key] - then[key] for now, then in zip(after, before, strict=True)) for key in after[0]}
        if grown["connections"] >= 6 or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    assert grown["connections"] == 6
    # At least SYN, ACK, the request and FIN of each connection.
    assert grown["packets_in"] >= 4 * 6
    assert grown["packets_out"] == 0


def test_s14_nobody_but_a_director_answers_for_the_vip(
    hosts: dict[str, Host], vips: dict[str, str], tasks_on: Callable[..., list[dict[str, Any]]]
) -> None:
    vip = vips["WEB_VIP"]
    for name in REAL_SERVERS:
        assert f"inet {vip}/32" in hosts[name].check_output("ip address show dev lo")
    # Not while the VIP is moving, as it may where one slow processor does everything.
    asking = {"register": "told", "until": "told.vips[0].verdict == 'one'", "retries": 5, "delay": 1}
    (told,) = tasks_on(
        "client", [{"name": "Ask", "failover.vip.vip_owner_info": {"vips": [vip], "timeout": 2}, **asking}]
    )
    (owner,) = told["vips"]
    assert owner["verdict"] == "one"
    macs = {hosts[name].check_output("cat /sys/class/net/eth0/address") for name in DIRECTORS}
    assert {answer["mac"] for answer in owner["answers"]} < macs


def test_haproxy_has_the_other_vip_and_asks_in_its_own_name(
    hosts: dict[str, Host], vips: dict[str, str], network_prefix: str
) -> None:
    token = uuid.uuid4().hex
    assert set(ask(hosts, vips["DB_VIP"], 4, f"/?{token}")) == set(REAL_SERVERS)
    directors = {f"{network_prefix}.{last}" for last in DIRECTORS.values()}
    for name in REAL_SERVERS:
        assert {line.split()[0] for line in log_lines(hosts[name], token)} <= directors
    for name in DIRECTORS:
        assert hosts[name].check_output("ss -ltnH 'sport = :80'").split()[3] == f"{vips['DB_VIP']}:80"
