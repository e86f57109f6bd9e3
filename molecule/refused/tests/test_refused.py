# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Bad input gets one clear message before any host is changed."""

from __future__ import annotations

import copy
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from testinfra.host import Host


@pytest.fixture
def cluster(network_prefix: str) -> dict[str, Any]:
    """The lab's instances and scripts, as variables that a case changes."""
    return {
        "keepalived_vrrp_instances": [
            {
                "name": name,
                "virtual_router_id": vrid,
                "interface": "eth0",
                "virtual_ipaddress": [f"{network_prefix}.{last}/24"],
                "hosts": hosts,
                "track_script": ["chk_flag"],
            }
            for name, vrid, last, hosts in (
                ("WEB_VIP", 51, 100, ["ka1", "ka2"]),
                ("DB_VIP", 52, 200, ["ka2", "ka1"]),
            )
        ],
        "keepalived_vrrp_scripts": [
            {"name": "chk_flag", "script": "/etc/keepalived/scripts/check_flag.sh /run/x", "weight": -30}
        ],
    }


def instance(**options: Any) -> Callable[[dict[str, Any]], None]:
    """Changes WEB_VIP."""
    return lambda variables: variables["keepalived_vrrp_instances"][0].update(options)


def variables(**options: Any) -> Callable[[dict[str, Any]], None]:
    """Changes variables."""
    return lambda given: given.update(options)


CASES = {
    "vrid-0": (instance(virtual_router_id=0), "'virtual_router_id' is 0, but must be from 1 to 255"),
    "vrid-256": (instance(virtual_router_id=256), "'virtual_router_id' is 256, but must be from 1 to 255"),
    "host-that-does-not-exist": (instance(hosts=["ka1", "ka9"]), "ka9 is no host of the cluster"),
    "member-that-does-not-exist": (variables(keepalived_hosts=["ka1", "ka9"]), "keepalived_hosts names ka9"),
    "vip-outside-the-subnet": (
        instance(virtual_ipaddress=["198.51.100.7/24"]),
        "VIP 198.51.100.7 is in no subnet of eth0",
    ),
    "nopreempt-with-master": (
        instance(nopreempt=True, state="MASTER", track_script=[]),
        "nopreempt together with state MASTER",
    ),
    "weight-below-the-gap": (
        variables(keepalived_instance_overrides={"WEB_VIP": {"track_script": ["chk_flag weight -1"]}}),
        "leave no priorities at which every failed check moves the VIP",
    ),
    "vrid-twice": (instance(virtual_router_id=52), "virtual_router_id 52 is already that of"),
    "misspelt-key": (instance(nopreemt=True), "Did you mean 'nopreempt'?"),
    "misspelt-variable": (variables(keepalived_vrrp_script=[]), "did you mean 'keepalived_vrrp_scripts'?"),
    "misspelt-haproxy-key": (
        variables(haproxy_listens=[{"name": "web", "bind": ["*:80"], "ballance": "roundrobin", "servers": []}]),
        "did you mean 'balance'?",
    ),
    "three-milliseconds": (
        variables(
            haproxy_listens=[
                {
                    "name": "web",
                    "bind": ["*:80"],
                    "servers": [{"name": "a", "address": "192.0.2.1", "port": 80, "inter": "3"}],
                }
            ]
        ),
        "3",
    ),
    "misspelt-real-server-variable": (variables(real_server_vip=[]), "did you mean 'real_server_vips'?"),
}


@pytest.mark.parametrize(("change", "words"), CASES.values(), ids=CASES.keys())
def test_refused_before_any_host_is_changed(
    site: Callable[..., subprocess.CompletedProcess[str]],
    hosts: dict[str, Host],
    cluster: dict[str, Any],
    change: Callable[[dict[str, Any]], None],
    words: str,
) -> None:
    given = copy.deepcopy(cluster)
    change(given)
    done = site("-e", json.dumps(given))
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert words in " ".join(output.split()), output
    assert "Traceback" not in output
    recap = re.findall(r"^(\S+) +: .*changed=(\d+)", done.stdout, flags=re.MULTILINE)
    assert {name for name, _changed in recap} == {"ka1", "ka2", "rs11", "rs22"}
    assert {changed for _name, changed in recap} == {"0"}, output
    assert "PLAY [Real servers]" not in done.stdout


def test_a_part_of_the_cluster_is_refused(site: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = site("--limit", "ka1")
    assert done.returncode != 0
    assert "keepalived_hosts names ka2, but the play runs without" in " ".join(done.stdout.split())


def test_a_vip_that_a_stranger_answers_for_is_refused(
    site: Callable[..., subprocess.CompletedProcess[str]],
    hosts: dict[str, Host],
    network_prefix: str,
    cluster: dict[str, Any],
) -> None:
    stranger = hosts["client"]
    taken = f"{network_prefix}.110"
    cluster["keepalived_vrrp_instances"][0]["virtual_ipaddress"] = [f"{taken}/24"]
    stranger.check_output(f"ip address add {taken}/24 dev eth0")
    try:
        done = site("-e", json.dumps(cluster))
    finally:
        stranger.check_output(f"ip address del {taken}/24 dev eth0")
    mac = stranger.check_output("cat /sys/class/net/eth0/address").strip()
    assert done.returncode != 0
    assert f"A host outside this cluster answers for a VIP: {taken} by {mac} on eth0" in " ".join(done.stdout.split())


@pytest.fixture
def rival(hosts: dict[str, Host], network_prefix: str) -> Iterator[Host]:
    """The client, on which somebody's own keepalived speaks VRID 51 by multicast, for an address of its own."""
    client = hosts["client"]
    client.check_output("apt-get install -q -y --no-install-recommends keepalived")
    client.check_output("systemctl disable --now keepalived")
    instance = [
        *("interface eth0", "virtual_router_id 51", "priority 100"),
        *("virtual_ipaddress {", f"{network_prefix}.120/32", "}"),
    ]
    configuration = "\n".join(["vrrp_instance ELSEWHERE {", *instance, "}"])
    client.check_output("printf '%s\n' " + shlex.quote(configuration) + " >/root/rival.conf")
    client.check_output("systemd-run --unit rival keepalived --dont-fork --log-console --use-file /root/rival.conf")
    try:
        client.check_output(
            "timeout 30 sh -c 'until journalctl --unit rival | grep -q \"Entering MASTER STATE\"; do sleep 0.1; done'"
        )
        yield client
    finally:
        client.check_output("systemctl stop rival")


def test_a_vrid_that_a_stranger_speaks_is_refused(
    site: Callable[..., subprocess.CompletedProcess[str]],
    tasks_on: Callable[..., list[dict[str, Any]]],
    rival: Host,
    cluster: dict[str, Any],
) -> None:
    done = site("-e", json.dumps(cluster))
    output = " ".join(done.stdout.split())
    mac = rival.check_output("cat /sys/class/net/eth0/address").strip()
    address = rival.check_output("ip -4 -o address show dev eth0 primary | grep -o '[0-9.]*/24' | cut -d/ -f1").strip()
    assert done.returncode != 0
    for director in ("ka1", "ka2"):
        assert (
            f"error KP014 [{director}, WEB_VIP] VRID 51 is already spoken on eth0 by {address} ({mac}), which is no "
            "member of this cluster. Take another virtual_router_id, or find that router."
        ) in output, output
    assert "DB_VIP] VRID 52" not in output
    assert "PLAY [Real servers]" not in done.stdout

    preflight = {"ansible.builtin.include_role": {"name": "failover.vip.keepalived", "tasks_from": "preflight"}}
    for allowing in ({"keepalived_shared_vrids": [51]}, {"keepalived_listen_seconds": 0}):
        tasks_on("directors", [preflight], "-e", json.dumps({**cluster, **allowing}))
