# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Rows S14 and S15: real packets, balanced by the kernel of the director that holds the VIP (LVS, direct routing)."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

DIRECTORS = {"ka1": 50, "ka2": 60}
REAL_SERVERS = {"rs11": 10, "rs22": 20}
CLIENT = 150


def ask(hosts: dict[str, Host], vip: str, times: int, path: str = "/") -> list[str]:
    """The pages that the client gets from a VIP, one connection each: the names of the real servers that answered."""
    fetch = f"curl --silent --show-error --fail --max-time 5 'http://{vip}{path}'"
    pages: str = hosts["client"].check_output(f"for i in $(seq {times}); do {fetch} || exit; done")
    return pages.split()


def table(host: Host) -> dict[str, dict[str, tuple[str, int]]]:
    """The kernel's table: of each virtual service its real servers, each with the way of forwarding and the weight.

    ``/proc/net/ip_vs`` has addresses and ports in hexadecimal digits, as in ``TCP  AC19FE64:0050 rr``.
    """

    def readable(pair: str) -> str:
        address, port = pair.split(":")
        return f"{ipaddress.ip_address(int(address, 16))}:{int(port, 16)}"

    found: dict[str, dict[str, tuple[str, int]]] = {}
    servers: dict[str, tuple[str, int]] = {}
    for line in host.check_output("cat /proc/net/ip_vs").splitlines()[3:]:
        words = line.split()
        if words[0] == "->":
            servers[readable(words[1])] = (words[2], int(words[3]))
        else:
            servers = found.setdefault(f"{words[0]} {readable(words[1])} {words[2]}", {})
    return found


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
    assert table(hosts[name]) == {f"TCP {vips['WEB_VIP']}:80 rr": servers}


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
    # Over both: on a busy machine the VIP may move meanwhile.
    before = [counters(hosts[name]) for name in DIRECTORS]
    ask(hosts, vips["WEB_VIP"], 6)
    after = [counters(hosts[name]) for name in DIRECTORS]
    grown = {key: sum(now[key] - then[key] for now, then in zip(after, before, strict=True)) for key in after[0]}
    assert grown["connections"] == 6
    # At least SYN, ACK, the request and FIN of each connection.
    assert grown["packets_in"] >= 4 * 6
    assert [now["packets_out"] for now in after] == [0, 0]


def test_s14_nobody_but_a_director_answers_for_the_vip(
    hosts: dict[str, Host], vips: dict[str, str], tasks_on: Callable[..., list[dict[str, Any]]]
) -> None:
    vip = vips["WEB_VIP"]
    for name in REAL_SERVERS:
        assert f"inet {vip}/32" in hosts[name].check_output("ip address show dev lo")
    (told,) = tasks_on("client", [{"name": "Ask", "failover.vip.vip_owner_info": {"vips": [vip]}}])
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
