# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The configuration tree on a live director: what is wrong never goes live, what is right does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from testinfra.host import Host

from ansible_collections.failover.vip.plugins.modules import (
    keepalived_config,
    keepalived_info,
    vip_handover,
    vip_owner_info,
    vip_probe,
    vip_watch,
    vrrp_advert_info,
    vrrp_fault,
    vrrp_plan,
)
from ansible_collections.failover.vip.tests.lab_play import ROOT, run_playbook

Site = Callable[..., subprocess.CompletedProcess[str]]


def live(host: Host) -> tuple[str, str]:
    """All that a refused change must leave alone: the tree, and the running process."""
    tree = host.check_output("find /etc/keepalived -type f -exec sha256sum {} + | sort")
    return tree, host.check_output("systemctl show --property MainPID --value keepalived")


def test_s13_a_broken_fragment_is_refused_and_nothing_is_touched(site: Site, hosts: dict[str, Host]) -> None:
    before = {name: live(hosts[name]) for name in ("ka1", "ka2")}
    broken = {"keepalived_fragments": [{"name": "90-mine.conf", "content": "vrrp_instance MINE {\n  stat BACKUP\n}\n"}]}
    done = site("-e", json.dumps(broken))
    assert done.returncode != 0
    assert "/etc/keepalived/conf.d/90-mine.conf" in done.stdout
    assert {name: live(hosts[name]) for name in ("ka1", "ka2")} == before


def test_s5_orphans_go_and_the_daemon_reloads_without_a_restart(site: Site, hosts: dict[str, Host]) -> None:
    pids = {name: live(hosts[name])[1] for name in ("ka1", "ka2")}
    for name in pids:
        hosts[name].check_output("echo '# left over' >/etc/keepalived/conf.d/60-orphan.conf")
        hosts[name].check_output("echo 'not ours' >/etc/keepalived/mine.txt")
    done = site()
    assert done.returncode == 0, done.stdout
    for name, pid in pids.items():
        host = hosts[name]
        assert not host.file("/etc/keepalived/conf.d/60-orphan.conf").exists
        assert host.file("/etc/keepalived/mine.txt").exists
        assert live(host)[1] == pid
        host.check_output("rm /etc/keepalived/mine.txt")


def test_a_second_run_changes_nothing_and_shows_who_holds_what(site: Site, vips: dict[str, str]) -> None:
    done = site()
    assert done.returncode == 0, done.stdout
    assert "changed=0" in done.stdout
    assert not [line for line in done.stdout.splitlines() if "changed=" in line and "changed=0 " not in line]
    rows = [
        line.strip("- ").split()
        for line in done.stdout.splitlines()
        if line.strip("- ").startswith(("WEB_VIP", "DB_VIP"))
    ]
    assert [row[:4] for row in rows] == [
        ["WEB_VIP", vips["WEB_VIP"], "ka1", "ka2"],
        ["DB_VIP", vips["DB_VIP"], "ka2", "ka1"],
    ]
    assert all({"rs11", "rs22"} <= set(row) for row in rows)


@pytest.mark.parametrize(("name", "priorities"), [("ka1", (254, 253)), ("ka2", (253, 254))])
def test_what_the_daemon_tells_is_what_was_planned(
    tasks_on: Callable[..., list[dict[str, Any]]], vips: dict[str, str], name: str, priorities: tuple[int, int]
) -> None:
    (told,) = tasks_on(name, [{"name": "Ask", "failover.vip.keepalived_info": {}}])
    assert told["running"]
    assert told["source"] == "json"
    instances = {instance["name"]: instance for instance in told["instances"]}
    for instance, vrid, priority in zip(("WEB_VIP", "DB_VIP"), (51, 52), priorities, strict=True):
        found = instances.pop(instance)
        assert (found["virtual_router_id"], found["priority"], found["version"]) == (vrid, priority, 3)
        assert found["virtual_ipaddress"] == [f"{vips[instance]}/24"]
        assert found["state"] == ("MASTER" if priority == 254 else "BACKUP")
        assert found["held"] == ([vips[instance]] if priority == 254 else [])
        assert found["consistent"]
    assert not instances


def test_the_installed_collection_runs_from_a_playbook_elsewhere(
    inventory: list[Path], tmp_path: Path, vips: dict[str, str]
) -> None:
    for arguments in (
        ["build", "--output-path", str(tmp_path), str(ROOT)],
        # By force, since the checkout in this environment's path would pass for an installed copy.
        ["install", "--force", "--no-deps", "-p", "collections", "failover-vip-1.0.0.tar.gz"],
    ):
        subprocess.run(["ansible-galaxy", "collection", *arguments], cwd=tmp_path, check=True, capture_output=True)
    larger = tmp_path / "larger.yml"
    larger.write_text("- name: The cluster\n  ansible.builtin.import_playbook: failover.vip.site\n", encoding="utf-8")
    (tmp_path / "ansible.cfg").touch()
    done = run_playbook(
        larger,
        inventory=inventory,
        ANSIBLE_CONFIG=str(tmp_path / "ansible.cfg"),
        ANSIBLE_COLLECTIONS_PATH=str(tmp_path / "collections"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert vips["WEB_VIP"] in done.stdout
    assert not [line for line in done.stdout.splitlines() if "changed=" in line and "changed=0 " not in line]
    # The tasks say where they come from: not from the checkout.
    assert str(ROOT) not in done.stdout


@pytest.fixture
def _ipv6(hosts: dict[str, Host]) -> Iterator[None]:
    """The IPv6 addresses of the documentation, on ka1 and ka2."""
    given = {"ka1": "2001:db8::50/64", "ka2": "2001:db8::100/64"}
    for name, address in given.items():
        hosts[name].check_output(f"ip address add {address} dev eth0 nodad")
    yield
    for name, address in given.items():
        hosts[name].check_output(f"ip address del {address} dev eth0")


@pytest.mark.usefixtures("_ipv6")
@pytest.mark.parametrize(
    ("module", "host", "check"),
    [
        (vrrp_plan, "localhost", False),
        # Not for real: the examples' tree is another than the cluster's.
        (keepalived_config, "ka1", True),
        (keepalived_info, "ka1", False),
        (vip_handover, "ka1", False),
        (vip_owner_info, "ka1", False),
        (vip_probe, "client", False),
        (vip_watch, "ka1", False),
        (vrrp_advert_info, "ka1", False),
        # Not for real: a fault lasts longer than the example.
        (vrrp_fault, "ka1", True),
    ],
    ids=lambda value: value.__name__.rsplit(".", 1)[-1] if hasattr(value, "__name__") else str(value),
)
def test_the_examples_of_the_documentation_run(
    tasks_on: Callable[..., list[dict[str, Any]]], network_prefix: str, module: Any, host: str, check: bool
) -> None:
    # The documentation's addresses become the lab's, so that there is somebody to answer: ka2 for the IPv6 one.
    tasks = yaml.safe_load(
        module.EXAMPLES.replace("192.0.2.", f"{network_prefix}.").replace("172.25.254.", f"{network_prefix}.")
    )
    results = tasks_on(host, tasks, "-e", "web_vip_password=abcdefgh", *(["--check"] if check else []))
    assert len(results) == len(tasks)
    assert not any(result.get("failed") for result in results)
