# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""What clients see of LVS while servers and directors fail, are drained, and are rebooted."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host

from ansible_collections.failover.vip.tests.lab_lvs import CLIENT, DIRECTORS, REAL_SERVERS, ask, table
from ansible_collections.failover.vip.tests.lab_play import ROOT, asking, figure, run_playbook
from ansible_collections.failover.vip.tests.lab_watch import HANDOVER_MS

#: Seconds within which a check takes a dead server out, by the plan's defaults: 4 (see _conf/_services.py), and one for
#: a busy machine.
CHECK_SECONDS = 5.0
#: Seconds in which this test hears of what takes at most those: every question is several processes on one processor.
PATIENCE = 20.0
#: Seconds for a host to boot and to do all that it does by itself, on a busy machine.
BOOT_SECONDS = 120.0
DOWNLOADS = 20
#: What the client saw, by the name of what it asked.
Seen = dict[str, dict[str, Any]]
#: roles/real_server/vars: while it is there, health checks hear that the server takes no more.
MAINTENANCE = "/var/lib/failover.vip/real_server/maintenance"

# Many downloads at once, each through a small window and slowly read, so that packets pass the director all the time.
# Prints "begun" when the kernel has seen more of each than the three packets after which it tells the other director.
SLOW_DOWNLOADS = r"""
import json, socket, sys, threading, time
vip, number, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
begun, whole, errors, lock = set(), [], [], threading.Lock()
def download(which):
    try:
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            connection.settimeout(30)
            connection.connect((vip, 80))
            connection.sendall(b"GET /slow HTTP/1.0\r\n\r\n")
            got = b""
            while data := connection.recv(4096):
                got += data
                if len(got) > 24000:
                    begun.add(which)
                time.sleep(0.2)
        page = got.partition(b"\r\n\r\n")[2]
        if len(page) == size:
            with lock:
                whole.append(page.split()[0].decode())
    except OSError as reason:
        with lock:
            errors.append(str(reason))
threads = [threading.Thread(target=download, args=(which,)) for which in range(number)]
for thread in threads:
    thread.start()
while len(begun) < number and any(thread.is_alive() for thread in threads):
    time.sleep(0.05)
print("begun", len(begun), flush=True)
for thread in threads:
    thread.join()
print(json.dumps({"whole": len(whole), "from": sorted(set(whole)), "errors": errors}), flush=True)
"""
SIZE = 400000


def until(what: str, seconds: float, condition: Callable[[], bool]) -> float:
    """Waits for a condition; returns the seconds that it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    return time.monotonic() - start


def container(host: Host) -> str:
    return str(host.backend.name)


def podman(*words: str) -> None:
    subprocess.run(["podman", *words], check=True, capture_output=True)


def weights(host: Host, service: str) -> dict[str, int]:
    """The weights of the real servers of a virtual service in the kernel's table, by their addresses' last part."""
    for name, servers in table(host).items():
        if name.split()[1] == service:
            return {address.split(":")[0].split(".")[-1]: weight for address, (_way, weight) in servers.items()}
    return {}


@pytest.fixture
def web(vips: dict[str, str]) -> str:
    """The virtual service whose servers get the weight 0 when their check fails."""
    return f"{vips['WEB_VIP']}:80"


@pytest.fixture
def other(network_prefix: str) -> str:
    """The virtual service whose server is removed when its check fails."""
    return f"{network_prefix}.110:80"


@contextmanager
def killed(host: Host, service: str) -> Iterator[float]:
    """Kills a service's processes and keeps it down while a block runs; gives the time, in seconds of the epoch."""
    # systemd starts a service that was killed again, but not one that is masked.
    host.check_output("systemctl mask --runtime --quiet %s", service)
    try:
        # Not systemctl, which is slower here than a check.
        yield float(host.check_output(f"kill -KILL $(pidof {service}) && date +%s.%N"))
    finally:
        host.check_output(f"systemctl unmask --runtime --quiet {service}; systemctl reset-failed {service}")
        host.check_output("systemctl start %s", service)


def checked(host: Host, what: str, server: str, since: float) -> list[float]:
    """When keepalived's checks did this to a real server, in seconds of the epoch, by its log."""
    found = host.run("grep -E %s /var/log/keepalived.log", rf"({what})ing service \[{server}\]").stdout
    times = [datetime.fromisoformat(line.split()[0]).timestamp() for line in found.splitlines()]
    return [at for at in times if at >= since]


def test_ipvs_info_agrees_with_ipvsadm(
    hosts: dict[str, Host], tasks_on: Callable[..., list[dict[str, Any]]], network_prefix: str
) -> None:
    (told,) = tasks_on("ka1", [{"name": "Ask", "failover.vip.ipvs_info": {}}])
    lines = []
    for service in told["services"]:
        at = f"-t {service['address']}:{service['port']}"
        lines.append(f"-A {at} -s {service['scheduler']}")
        lines += [
            f"-a {at} -r {server['address']}:{server['port']} -g -w {server['weight']}"
            for server in service["real_servers"]
        ]
    assert sorted(lines) == sorted(hosts["ka1"].check_output("ipvsadm -Sn").splitlines())
    assert len(lines) == 5
    assert [(daemon["state"], daemon["interface"], daemon["sync_id"]) for daemon in told["sync_daemons"]] == [
        ("master", "eth0", 51),
        ("backup", "eth0", 51),
    ]


@pytest.mark.usefixtures("slow_page")
def test_a_dead_web_server_leaves_the_table_and_returns(
    hosts: dict[str, Host], vips: dict[str, str], web: str, other: str, network_prefix: str
) -> None:
    both = [hosts[name] for name in DIRECTORS]
    # One download from each server, as they take turns: that from the other one goes on as if nothing were.
    with slow_downloads(hosts, vips["WEB_VIP"], 2) as end, killed(hosts["rs11"], "apache2") as dead:
        until(
            "the dead server leaves",
            PATIENCE,
            lambda: all(weights(host, web)["10"] == 0 and "10" not in weights(host, other) for host in both),
        )
        assert set(ask(hosts, vips["WEB_VIP"], 6)) == {"rs22"}
        # All servers of the other service are dead: the sorry server answers.
        assert [weights(host, other) for host in both] == [{"20": 1}] * 2
        assert set(ask(hosts, other.partition(":")[0], 3)) == {"rs22"}
        assert "rs22" in end()["from"]
    out = [checked(host, "Remov|Disabl", f"{network_prefix}.10", dead) for host in both]
    seconds = max(at - dead for times in out for at in times)
    figure(f"a dead web server is out of every table after {seconds:.1f} s")
    # Of both services, on both directors.
    assert [len(times) for times in out] == [2, 2]
    assert seconds <= CHECK_SECONDS
    seconds = until(
        "it returns",
        PATIENCE,
        lambda: all(weights(host, web) == {"10": 1, "20": 1} and weights(host, other) == {"10": 1} for host in both),
    )
    figure(f"it is back after {seconds:.1f} s")
    assert set(ask(hosts, vips["WEB_VIP"], 4)) == {"rs11", "rs22"}
    assert set(ask(hosts, other.partition(":")[0], 3)) == {"rs11"}


@contextmanager
def asked(
    what: str, hosts: dict[str, Host], address: str, tasks_on: Callable[..., list[dict[str, Any]]]
) -> Iterator[Seen]:
    """The client asks the VIP more than 200 times a second while a block runs; then there is what it saw."""
    # A page and nineteen TCP connections every 95 ms, 210 requests a second, whatever the answers do. LVS balances
    # connections; more pages would need all of user-mode Linux's one processor.
    kinds = ["http"] + ["tcp"] * 19
    targets = [
        {"name": f"{kind} {number}", "kind": kind, "address": address} for number, kind in enumerate(kinds, start=1)
    ]
    seen = Seen()
    with asking(hosts["client"], tasks_on, targets, interval=95, timeout=3000) as result:
        yield seen
    seen.update({target["name"]: target for target in result["targets"]})
    for kind in ("http", "tcp"):
        mine = [target for name, target in seen.items() if name.startswith(kind)]
        sent, failed = (sum(target[key] for target in mine) for key in ("sent", "failed"))
        longest = max(target["longest_ms"] for target in mine)
        errors = [target["errors"] for target in mine if target["errors"]]
        figure(f"{what}, {kind}: {sent} asked, {failed} failed, longest outage {longest:.0f} ms {errors or ''}")
    assert sum(target["sent"] for target in seen.values()) >= 200 * result["pace"]["elapsed"]


def test_a_real_server_is_drained_under_load_without_a_failed_request(
    hosts: dict[str, Host],
    vips: dict[str, str],
    web: str,
    network_prefix: str,
    tasks_on: Callable[..., list[dict[str, Any]]],
) -> None:
    address = vips["WEB_VIP"]

    # As the role does it, which molecule/default shows; Ansible would take the processor from those that serve.
    def maintenance(wanted: bool) -> None:
        hosts["rs11"].check_output(f"mkdir -p $(dirname {MAINTENANCE}); {'touch' if wanted else 'rm -f'} {MAINTENANCE}")

    drained = True
    with asked("a real server drained and taken back", hosts, address, tasks_on) as seen:
        try:
            maintenance(True)
            until(
                "it is out on both",
                PATIENCE,
                lambda: [weights(hosts[name], web) for name in DIRECTORS] == [{"10": 0, "20": 1}] * 2,
            )
            assert set(ask(hosts, address, 6)) == {"rs22"}
            mine = f"sport = :80 and dst {network_prefix}.{CLIENT}"
            until(
                "no client is served there any more",
                PATIENCE,
                lambda: not hosts["rs11"].check_output(f"ss -Htn state established '{mine}'"),
            )
            maintenance(False)
            drained = False
            until("it is back", PATIENCE, lambda: weights(hosts["ka1"], web) == {"10": 1, "20": 1})
            assert set(ask(hosts, address, 6)) == {"rs11", "rs22"}
        finally:
            if drained:
                # It failed in the middle; the other tests want the server.
                maintenance(False)
    for target in seen.values():
        assert (target["name"], target["failed"], target["errors"]) == (target["name"], 0, {})


def test_a_director_is_drained_under_load(
    hosts: dict[str, Host],
    vips: dict[str, str],
    tasks_on: Callable[..., list[dict[str, Any]]],
    inventory: list[Path],
) -> None:
    address, cut = vips["WEB_VIP"], False
    with asked("a director drained and taken back", hosts, address, tasks_on) as seen:
        for name, holder in (("drain", "ka2"), ("undrain", "ka1")):
            playbook = ROOT / f"playbooks/{name}.yml"
            done = run_playbook(playbook, "-e", "drain_hosts=ka1", inventory=inventory)
            assert done.returncode == 0, done.stdout[-3000:]
            cut = cut or "Connections that are open when the VIP moves will be reset" in done.stdout
            assert [holds(hosts[director], address) for director in ("ka1", "ka2")] == [
                holder == "ka1",
                holder == "ka2",
            ]
    # A kernel without nft_dup, as user-mode Linux, cannot pass packets on: at each of two moves what is under way is
    # cut, answers of some tens of milliseconds on one slow processor, 200 a second.
    assert sum(target["failed"] for target in seen.values()) <= (20 if cut else 0), seen
    assert max(target["longest_ms"] for target in seen.values()) <= HANDOVER_MS


@contextmanager
def slow_downloads(hosts: dict[str, Host], vip: str, number: int = DOWNLOADS) -> Iterator[Callable[[], dict[str, Any]]]:
    """Downloads through the VIP, all in the middle when the block begins; what it gives waits for their end."""
    command = ["podman", "exec", container(hosts["client"]), "python3", "-c", SLOW_DOWNLOADS, vip]
    with subprocess.Popen([*command, str(number), str(SIZE)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().split() == ["begun", str(number)]
        last = process.stdout

        def end() -> dict[str, Any]:
            result: dict[str, Any] = json.loads(last.readline())
            return result

        yield end


@pytest.fixture(scope="module")
def slow_page(hosts: dict[str, Host]) -> None:
    """A page that is large enough to be read slowly."""
    for name in REAL_SERVERS:
        hosts[name].check_output(f"yes {name} | head -c {SIZE} >/var/www/html/slow")


def holds(host: Host, vip: str) -> bool:
    return bool(host.run(f"ip -oneline address show dev eth0 | grep -qw {shlex.quote(vip)}").succeeded)


def well(hosts: dict[str, Host], vip: str) -> bool:
    """Whether the first director has its VIP and both have the whole table."""
    service = f"{vip}:80"
    ready = hosts["ka1"].run("systemctl is-active --quiet keepalived").succeeded and holds(hosts["ka1"], vip)
    return ready and all(weights(hosts[name], service) == {"10": 1, "20": 1} for name in DIRECTORS)


def known(host: Host, vip: str) -> int:
    """How many open connections to a VIP the kernel of a director has in its table."""
    digits = socket.inet_aton(vip).hex().upper()
    lines = host.check_output("cat /proc/net/ip_vs_conn").splitlines()
    return sum(words[3] == digits and words[7] == "ESTABLISHED" for words in map(str.split, lines))


def kill_and_boot(hosts: dict[str, Host], vip: str) -> Iterator[None]:
    """Kills the first director like a power cut; on the second step it boots, and all is to be as before."""
    name = container(hosts["ka1"])
    podman("kill", name)
    try:
        until("the other director takes the VIP", 15, lambda: holds(hosts["ka2"], vip))
        assert set(ask(hosts, vip, 4)) == {"rs11", "rs22"}
        yield
    finally:
        podman("start", name)
    until("the director is back", BOOT_SECONDS, lambda: well(hosts, vip))
    yield


@pytest.mark.usefixtures("slow_page")
def test_downloads_survive_their_director(hosts: dict[str, Host], vips: dict[str, str]) -> None:
    vip = vips["WEB_VIP"]
    until("all is well", BOOT_SECONDS, lambda: well(hosts, vip))
    with slow_downloads(hosts, vip) as end:
        # The kernel collects what it tells the other one for two seconds (IPVS_SYNC_FLUSH_TIME).
        until("the other director knows them", 15, lambda: known(hosts["ka2"], vip) >= DOWNLOADS)
        steps = kill_and_boot(hosts, vip)
        next(steps)
        result = end()
    next(steps)
    figure(f"the director killed in the middle of {DOWNLOADS} downloads: {result['whole']} are whole")
    assert result == {"whole": DOWNLOADS, "from": ["rs11", "rs22"], "errors": []}
    # Back from the boot by itself: the daemons run again, and so do the kernel's settings.
    states = hosts["ka1"].check_output("ipvsadm -l --daemon").split()
    assert {"master", "backup"} <= set(states)
    assert hosts["ka1"].sysctl("net.ipv4.vs.expire_nodest_conn") == 1


@pytest.mark.usefixtures("slow_page")
def test_without_the_sync_daemon_they_do_not(hosts: dict[str, Host], vips: dict[str, str]) -> None:
    vip = vips["WEB_VIP"]
    until("all is well", BOOT_SECONDS, lambda: well(hosts, vip))
    for name in DIRECTORS:
        hosts[name].check_output("ipvsadm --stop-daemon master && ipvsadm --stop-daemon backup")
    try:
        with slow_downloads(hosts, vip) as end:
            steps = kill_and_boot(hosts, vip)
            next(steps)
            result = end()
        next(steps)
    finally:
        # The other one was not booted.
        for state in ("master", "backup"):
            hosts["ka2"].check_output(f"ipvsadm --start-daemon {state} --mcast-interface eth0 --syncid 51")
    figure(f"the same without lvs_sync_daemon: {result['whole']} are whole")
    assert result["whole"] == 0
    assert len(result["errors"]) == DOWNLOADS


@pytest.mark.parametrize("name", ["ka2", *REAL_SERVERS])
def test_everything_comes_back_from_a_reboot(
    hosts: dict[str, Host], vips: dict[str, str], other: str, name: str
) -> None:
    podman("restart", "--time", "5", container(hosts[name]))
    until(
        "all is as before", BOOT_SECONDS, lambda: well(hosts, vips["WEB_VIP"]) and holds(hosts["ka2"], vips["DB_VIP"])
    )
    until("the other service too", PATIENCE, lambda: weights(hosts["ka2"], other) == {"10": 1})
    for address in (vips["WEB_VIP"], vips["DB_VIP"]):
        assert set(ask(hosts, address, 6)) == {"rs11", "rs22"}
    if name in REAL_SERVERS:
        for vip in (*vips.values(), other.partition(":")[0]):
            assert f"inet {vip}/32" in hosts[name].check_output("ip address show dev lo")
