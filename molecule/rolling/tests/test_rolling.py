# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Directors drained, changed and taken back while a client asks both VIPs 200 times a second each."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from testinfra.host import Host

from ansible_collections.failover.vip.tests.lab_watch import HANDOVER_MS, HolderWatch

Seen = dict[str, dict[str, Any]]
Asked = Callable[[], AbstractContextManager[Seen]]
Play = Callable[..., subprocess.CompletedProcess[str]]

HOME = {"WEB_VIP": "ka1", "DB_VIP": "ka2"}
#: A setting that keepalived takes at a reload.
CHANGE = {"vrrp_garp_master_refresh": 60}
BROKEN = {"lines": "{{ ['no-such-keyword'] if inventory_hostname == 'ka2' else [] }}"}


def assert_served(seen: Seen) -> None:
    """No request failed. Quiet machines show a longest gap below 20 ms; this bound also holds on a busy one."""
    for name, target in seen.items():
        assert target["sent"] > 200, f"{name} was hardly asked: {target}"
        assert target["failed"] == 0, f"{name}: {target['outages']}"
        # What the client itself was late is no absence of the service.
        gap = target["longest_gap_ms"] - target["late_ms"]
        assert gap <= HANDOVER_MS, f"{name}: {target['longest_gap_ms']} ms without an answer"


def summary(output: str) -> dict[str, list[str]]:
    """The columns of each director in the last table."""
    found = re.findall(r"- (ka\d) +(\S+) +(\S+) +(\S+) +(\S.*?)  +(.*)", output)
    return {row[0]: list(row[1:]) for row in found}


@pytest.fixture
def pids(hosts: dict[str, Host], directors: list[str]) -> Callable[[], dict[str, str]]:
    """The processes of keepalived and HAProxy on each director."""
    command = "systemctl show --property MainPID --value keepalived haproxy"
    return lambda: {name: hosts[name].check_output(command) for name in directors}


# One connection, on which a page is asked for every half second until the file is there.
ONE_CONNECTION = """
import http.client, json, os, sys, time
connection = http.client.HTTPConnection(sys.argv[1], timeout=5)
connection.connect()
first, pages, error = connection.sock, 0, ""
end = time.monotonic() + 600
while not error and not os.path.exists(sys.argv[2]) and time.monotonic() < end:
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        assert connection.sock is first, "it is another connection"
        pages += 1
    except Exception as reason:
        error = repr(reason)
    time.sleep(0.5)
print(json.dumps({"pages": pages, "error": error}))
"""


@contextmanager
def one_connection(client: Host, address: str) -> Iterator[dict[str, Any]]:
    """Keeps one connection to the address in use while a block runs, and then tells how it went."""
    stop = "/run/one-connection.stop"
    seen: dict[str, Any] = {}
    client.check_output(f"rm -f {stop}")
    command = ["podman", "exec", client.backend.name, "python3", "-c", ONE_CONNECTION, address, stop]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield seen
        finally:
            client.check_output(f"touch {stop}")
            output = process.communicate(timeout=30)[0]
        seen.update(json.loads(output))


def test_drain_and_undrain(
    asked: Asked, play: Play, hosts: dict[str, Host], watch_holders: Callable[[], HolderWatch], vips: dict[str, str]
) -> None:
    with watch_holders() as watch, asked() as seen, one_connection(hosts["client"], vips["WEB_VIP"]) as open_one:
        done = play("drain", drain_hosts="ka1")
        assert done.returncode == 0, done.stdout
        assert watch.holders(vips["WEB_VIP"]) == watch.holders(vips["DB_VIP"]) == {"ka2"}
        done = play("undrain", drain_hosts="ka1")
        assert done.returncode == 0, done.stdout
        assert watch.holders(vips["WEB_VIP"]) == {"ka1"}
    assert_served(seen)
    # It was there before the VIP went and after it came back.
    assert open_one["error"] == ""
    assert open_one["pages"] > 10
    for name in ("ka1", "ka2"):
        hosts[name].check_output("systemctl stop failover-vip-keep failover-vip-relay 2>/dev/null || true")
        assert not hosts[name].run("nft list tables").stdout
        assert "metric" not in hosts[name].check_output("ip route show table local")


def test_where_packets_cannot_be_passed_on_the_vips_move_all_the_same(play: Play, hosts: dict[str, Host]) -> None:
    hosts["ka2"].check_output("chmod a-x /usr/sbin/nft")
    try:
        drained = play("drain", drain_hosts="ka1", keepalived_drain_wait=0)
    finally:
        hosts["ka2"].check_output("chmod a+x /usr/sbin/nft")
        taken_back = play("undrain", drain_hosts="ka1")
    assert (drained.returncode, taken_back.returncode) == (0, 0), drained.stdout + taken_back.stdout
    said = "Connections that are open when the VIP moves will be reset: Failed to find required executable"
    assert said in " ".join(drained.stdout.split())
    assert "will be reset" not in taken_back.stdout


def test_what_must_be_together_is_refused_with_the_reason(
    play: Play, pids: Callable[[], dict[str, str]], network_prefix: str
) -> None:
    before = pids()
    done = play(
        "rolling",
        keepalived_vrrp_instances=[
            {
                "name": name,
                "virtual_router_id": number,
                "interface": "eth0",
                "virtual_ipaddress": [f"{network_prefix}.{last}/24"],
                "hosts": ["ka1", "ka2"] if name == "WEB_VIP" else ["ka2", "ka1"],
            }
            for name, number, last in (("WEB_VIP", 51, 101), ("DB_VIP", 52, 200))
        ],
    )
    assert done.returncode != 0, done.stdout
    text = " ".join(done.stdout.split())
    assert "cannot be made on one director after the other, nothing was changed" in text
    assert "WEB_VIP must reload on all of ka1, ka2" in text
    assert "Run the playbook failover.vip.site instead" in text
    assert set(re.findall(r"changed=(\d+)", text)) == {"0"}
    assert pids() == before


def test_a_configuration_that_keepalived_refuses_touches_nobody(
    play: Play, hosts: dict[str, Host], pids: Callable[[], dict[str, str]]
) -> None:
    before = pids()
    broken = {"name": "90-own.conf", "content": "vrrp_script broken {\n    no_such_keyword\n}\n"}
    fragment = f"{{{{ [{broken}] if inventory_hostname == 'ka2' else [] }}}}"
    done = play("rolling", keepalived_fragments=fragment, keepalived_global_defs=CHANGE)
    assert done.returncode != 0, done.stdout
    assert "90-own.conf" in done.stdout
    assert "PLAY [One director at a time]" not in done.stdout
    for name in ("ka1", "ka2"):
        assert "vrrp_garp_master_refresh" not in hosts[name].file("/etc/keepalived/keepalived.conf").content_string
    assert pids() == before


def test_a_failure_half_way_stops_it_and_the_next_run_goes_on(
    asked: Asked,
    play: Play,
    hosts: dict[str, Host],
    vips: dict[str, str],
    pids: Callable[[], dict[str, str]],
    watch_holders: Callable[[], HolderWatch],
) -> None:
    before = pids()
    with watch_holders() as watch, asked() as seen:
        # HAProxy of the second refuses its configuration, when the second is drained and the first is done.
        stopped = play("rolling", keepalived_global_defs=CHANGE, haproxy_global=BROKEN)
        assert stopped.returncode != 0, stopped.stdout
        text = " ".join(stopped.stdout.split())
        assert "Stopped at ka2" in text
        assert "Done before: ka1. Not touched: none. ka2 stays drained" in text
        assert watch.holders(vips["WEB_VIP"]) == watch.holders(vips["DB_VIP"]) == {"ka1"}

        # The lab is offline and has the newest packages already: they are no reason to drain anybody.
        done = play("rolling", keepalived_global_defs=CHANGE, rolling_packages=True, rolling_update_cache=False)
        assert done.returncode == 0, done.stdout
        rows = summary(done.stdout)
        # The director in doubt comes first, and the one that is done already is left in peace.
        assert list(rows) == ["ka2", "ka1"], done.stdout
        assert rows["ka2"][0] == "yes"
        assert rows["ka2"][-1].startswith("drained")
        assert rows["ka1"][0] == "no"
        assert rows["ka1"][2] == rows["ka2"][2] == "same"
        for instance, home in HOME.items():
            assert watch.holders(vips[instance]) == {home}
    assert_served(seen)
    assert pids() == before, "a reload is enough for this change"
    for name in ("ka1", "ka2"):
        assert "vrrp_garp_master_refresh 60" in hosts[name].file("/etc/keepalived/keepalived.conf").content_string
