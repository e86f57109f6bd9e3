# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""A real server: silent on the wire, out of the pool and back, and at last as it was before the role."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from testinfra.host import Host

from ansible_collections.failover.vip.tests.lab_play import run_playbook

SERVER = "rs22"
VIP6 = "2001:db8::100"

# All that the role may touch, and more: what is the same afterwards was put back, or never touched.
SNAPSHOT = r"""
sysctl --all --pattern '^net\.' 2>/dev/null | grep -v nf_conntrack_count
ip -oneline address show
ip route show table all
ip -6 route show table all
systemctl list-unit-files --no-legend --no-pager --plain
systemctl list-units --no-legend --no-pager --plain --state=active --type=service,socket,target | cut -d ' ' -f 1
find /etc/sysctl.d /etc/systemd /etc/apache2 /var/www ! -type d -printf '%p %y %m %u:%g %s %l %T@\n' | sort
ls /var/lib
"""
# A host that somebody set up by hand: a VIP on lo, settings of its own, a page, a web server that is installed but off.
BY_HAND = r"""
sysctl --quiet --write net.ipv4.conf.all.arp_ignore=2 net.ipv4.conf.lo.arp_announce=1
ip address add {vip}/32 dev lo
echo 'by hand' >/var/www/html/index.html
chmod 0640 /var/www/html/index.html
chown www-data:www-data /var/www/html/index.html
"""
NOTHING_BY_HAND = r"""
sysctl --quiet --write net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.lo.arp_announce=0
ip address del {vip}/32 dev lo
rm /var/www/html/index.html
"""
# Makes the kernel ask for neighbours that are not there, on behalf of the VIPs.
SPEAK_FROM_THE_VIPS = """
import socket
for vip, stranger in (("{vip}", ("{stranger}", 9)), ("{vip6}", ("{stranger6}", 9, 0, socket.if_nametoindex("eth0")))):
    with socket.socket(socket.AF_INET6 if ":" in vip else socket.AF_INET, socket.SOCK_DGRAM) as speaker:
        speaker.bind((vip, 0))
        speaker.sendto(b"", stranger)
"""

Play = dict[str, Any]
Results = dict[str, list[tuple[str, dict[str, Any]]]]  # a play's name -> its tasks' names and results


def play(name: str, hosts: str, *tasks: dict[str, Any]) -> Play:
    return {"name": name, "hosts": hosts, "gather_facts": False, "become": False, "tasks": list(tasks)}


def role(name: str, **variables: Any) -> Play:
    """The role on the server, with the inventory's variables and these."""
    given = {f"real_server_{key}": value for key, value in variables.items()}
    return {**play(name, SERVER), "vars": given, "roles": ["failover.vip.real_server"]}


def shell(script: str) -> dict[str, Any]:
    return {"name": "Run", "ansible.builtin.shell": {"cmd": script}}


def run(plays: list[Play], inventory: list[Path]) -> Results:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "plays.yml"
        path.write_text(yaml.safe_dump(plays, sort_keys=False), encoding="utf-8")
        done = run_playbook(path, inventory=inventory, ANSIBLE_STDOUT_CALLBACK="ansible.posix.json")
    results = {
        part["play"]["name"]: [
            (task["task"]["name"], result) for task in part["tasks"] for result in task["hosts"].values()
        ]
        for part in json.loads(done.stdout)["plays"]
    }
    failed = [(name, *one) for name, many in results.items() for one in many if one[1].get("failed")]
    assert done.returncode == 0, failed or done.stderr
    return results


def output(results: Results, name: str) -> list[str]:
    """What the last command of a play printed."""
    lines: list[str] = results[name][-1][1]["stdout_lines"]
    return lines


def changed(results: Results, name: str) -> list[str]:
    """The tasks that changed something, without the role's name."""
    return [task.split(" : ")[-1] for task, result in results[name] if result.get("changed")]


@contextlib.contextmanager
def captured(host: Host) -> Iterator[list[str]]:
    """Gathers ARP and ICMPv6 on the host's eth0 as tcpdump's lines, which are there at the end of ``with``."""
    host.check_output("apt-get install -y --no-install-recommends tcpdump >/dev/null 2>&1; command -v tcpdump")
    inspect = ["podman", "container", "inspect", "--format", "{{.State.Pid}}", str(host.backend.name)]
    pid = subprocess.run(inspect, capture_output=True, text=True, check=True).stdout.strip()
    lines: list[str] = []
    # Not "podman exec": what it starts outlives it.
    command = ["nsenter", f"--target={pid}", "--mount", "--net", "tcpdump", "-nel", "-i", "eth0", "arp or icmp6"]
    with tempfile.TemporaryFile("w+") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        try:
            assert any("listening on" in line for line in process.stderr), "tcpdump does not listen"
            yield lines
        finally:
            process.terminate()
            process.wait()
            process.stderr.close()
            file.seek(0)
            # It ends with an empty line.
            lines += filter(None, file.read().splitlines())


def in_haproxy(name: str, status: str) -> Play:
    """Waits until the first director's HAProxy says this of the server."""
    ask = {
        "name": "Ask",
        "ansible.builtin.uri": {"url": "http://127.0.0.1:8405/healthz/stats;csv", "return_content": True},
        "register": "seen",
        "until": f"seen.content is search('webcluster,{SERVER},.*,{status},')",
        "retries": 20,
        "delay": 0.5,
    }
    return play(name, "ka1", ask)


@dataclass(frozen=True)
class Story:
    """What was seen while the server was taken into service, into maintenance and back, and out of service."""

    results: Results
    wire: list[str]
    samples: list[dict[str, str]]


@pytest.fixture(scope="module")
def addresses(hosts: dict[str, Host], network_prefix: str, vips: dict[str, str]) -> dict[str, str]:
    """A VIP and the server's own addresses, for both families."""
    own6 = hosts[SERVER].check_output("ip -6 -oneline address show dev eth0 scope link").split()[3].split("/")[0]
    own = {"own": f"{network_prefix}.20", "own6": own6, "stranger": f"{network_prefix}.77", "stranger6": "fe80::77"}
    return {"vip": vips["WEB_VIP"], "vip6": VIP6, **own}


@pytest.fixture(scope="module")
def story(hosts: dict[str, Host], vips: dict[str, str], addresses: dict[str, str], inventory: list[Path]) -> Story:
    """The whole life of a real server, in one run."""
    wanted = [*vips.values(), VIP6]
    stop, samples = "/run/real-server-stop", "/var/tmp/real-server-samples.csv"
    probe = {
        "targets": [{"name": "web", "address": vips["WEB_VIP"]}],
        "interval": 20,  # 50 requests a second
        "timeout": 5000,  # a request that HAProxy had to send again is not lost
        "duration": 900,  # it ends by the file
        "stop_file": stop,
        "samples_file": samples,
    }
    speak = {
        "name": "Speak",
        "ansible.builtin.command": {"argv": ["python3", "-c", SPEAK_FROM_THE_VIPS.format(**addresses)]},
    }
    asked = [addresses[name] for name in ("vip", "vip6", "own", "own6")]
    ask = {"name": "Ask", "failover.vip.vip_owner_info": {"vips": asked, "interface": "eth0", "timeout": 1}}
    begin: list[dict[str, Any]] = [
        {"ansible.builtin.file": {"path": "{{ item }}", "state": "absent"}, "loop": [stop, samples]},
        {"failover.vip.vip_probe": probe, "async": 930, "poll": 0, "register": "job"},
        {"ansible.builtin.wait_for": {"path": samples, "search_regex": SERVER, "timeout": 30}},
    ]
    end: list[dict[str, Any]] = [
        {"ansible.builtin.file": {"path": stop, "state": "touch", "mode": "0644"}},
        {
            "ansible.builtin.async_status": {"jid": "{{ job.ansible_job_id }}"},
            "register": "done",
            "until": "done is finished",
            "retries": 30,
            "delay": 0.5,
        },
    ]
    with captured(hosts[SERVER]) as wire:
        results = run(
            [
                # Keeps the package, which is to be there before.
                role("away", state="absent", remove_packages=False),
                play("before", SERVER, shell(BY_HAND.format(**addresses)), shell(SNAPSHOT)),
                role("present", vips=wanted),
                play("begin", "client", *begin),
                role("leave", vips=wanted, maintenance=True, maintenance_notice=2, maintenance_stop=True),
                in_haproxy("left", "DOWN"),
                role("return", vips=wanted),
                in_haproxy("returned", "UP"),
                play("end", "client", *end),
                play("speak", SERVER, speak),
                play("ask", "client", ask),
                role("absent", state="absent"),
                play("after", SERVER, shell(SNAPSHOT)),
                role("absent again", state="absent"),
                play("clean", SERVER, shell(NOTHING_BY_HAND.format(**addresses))),
                role("as the inventory has it"),
                in_haproxy("as before", "UP"),
            ],
            inventory,
        )
    rows = csv.DictReader(io.StringIO(hosts["client"].file(samples).content_string))
    return Story(results, wire, list(rows))


def test_it_changes_what_it_must_and_nothing_twice(story: Story) -> None:
    assert changed(story.results, "leave") == ["Leave the pool", "Stop the web server for maintenance"]
    assert changed(story.results, "return") == ["Enable and start the web server", "Return to the pool"]
    assert changed(story.results, "absent again") == []


def test_maintenance_loses_no_request(story: Story) -> None:
    (web,) = story.results["end"][-1][1]["targets"]
    answered = sorted(float(row["due"]) for row in story.samples if row["backend"] == SERVER)
    longest = max(later - earlier for earlier, later in itertools.pairwise(answered))
    print(
        f"{web['sent']} requests, {web['failed']} failed; {SERVER} answered {len(answered)}, none for {longest:.1f} s"
    )
    assert web["failed"] == 0, web
    assert longest > 1, "it never left the pool"
    assert story.samples[-1]["backend"] == SERVER or story.samples[-2]["backend"] == SERVER, "it has not returned"


def test_it_is_silent_about_the_vips_on_the_wire(
    story: Story, hosts: dict[str, Host], vips: dict[str, str], addresses: dict[str, str]
) -> None:
    mac = hosts[SERVER].check_output("cat /sys/class/net/eth0/address").strip()
    answers = {
        one["address"]: [answer["mac"] for answer in one["answers"]] for one in story.results["ask"][0][1]["vips"]
    }
    assert mac not in answers[addresses["vip"]]
    assert answers[VIP6] == []
    assert answers[addresses["own"]] == answers[addresses["own6"]] == [mac]

    sent = [line for line in story.wire if line.split()[1] == mac]
    received = [line for line in story.wire if line.split()[1] != mac]
    for question in ("who-has {vip} ", "who has {vip6}, "):
        assert any(question.format(**addresses) in line + " " for line in received), f"nobody asked: {question}"
    # What it says of itself is on record, so what it says of the VIPs would be.
    for word in ("Reply {own} is-at", "tgt is {own6},", "who-has {stranger} tell {own},", "who has {stranger6},"):
        assert any(word.format(**addresses) in line for line in sent), f"not on record: {word.format(**addresses)}"
    said = {word.strip(",:>") for line in sent for word in line.split()}
    assert said.isdisjoint({*vips.values(), VIP6})


def test_absent_leaves_everything_as_it_was_before(story: Story) -> None:
    before, after = output(story.results, "before"), output(story.results, "after")
    assert {"net.ipv4.conf.all.arp_ignore = 2", "net.ipv4.conf.lo.arp_announce = 1"} <= set(before)
    assert "failover.vip" not in before
    assert after == before
