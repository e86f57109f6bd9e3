# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""What a daemon's dumps say. Those under tests/unit/data are real ones of a director of the reference cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.failover.vip.plugins.module_utils._live import _daemon

# tests/unit/data, seen from tests/unit/plugins/module_utils/_live
DATA = Path(__file__).resolve().parents[3] / "data"
VERSIONS = ("2.2.7", "2.3.3")
BUILD = "Keepalived v2.2.7 (01/16,2022)\n\nConfig options:  LVS VRRP JSON BFD\n"
ADDRESSES = json.dumps(
    [
        {"ifname": "lo", "addr_info": [{"local": "127.0.0.1"}, {"local": "172.25.254.200"}]},
        {"ifname": "eth0", "addr_info": [{"local": "172.25.254.50"}, {"local": "172.25.254.100"}]},
        {"ifname": "eth1", "addr_info": [{}]},
    ]
)


def dump(version: str, kind: str) -> str:
    return (DATA / f"keepalived-{version}.{kind}").read_text(encoding="utf-8")


@pytest.mark.parametrize("version", VERSIONS)
def test_json(version: str) -> None:
    db, web = sorted(_daemon.instances_from_json(dump(version, "json")), key=lambda found: str(found["name"]))
    assert (web["name"], web["state"], web["virtual_router_id"]) == ("WEB_VIP", "MASTER", 51)
    assert (web["priority"], web["effective_priority"], web["advert_int"], web["version"]) == (254, 254, 1.0, 3)
    assert web["virtual_ipaddress"] == ["172.25.254.100/24"]
    assert (db["name"], db["state"], db["wanted_state"], db["priority"]) == ("DB_VIP", "BACKUP", "BACKUP", 253)
    assert web["counters"]["advert_sent"] > 0
    assert web["last_transition"] > 1.7e9


@pytest.mark.parametrize("version", VERSIONS)
def test_the_data_dump_tells_the_same(version: str) -> None:
    from_json = sorted(_daemon.instances_from_json(dump(version, "json")), key=lambda found: str(found["name"]))
    from_data = sorted(_daemon.instances_from_data(dump(version, "data")), key=lambda found: str(found["name"]))
    assert from_data == [{**found, "counters": {}} for found in from_json]


def test_json_of_format_2() -> None:
    instances = json.loads(dump("2.2.7", "json"))
    assert _daemon.instances_from_json(json.dumps({"vrrp": instances})) == _daemon.instances_from_json(
        json.dumps(instances)
    )


def test_version_and_build() -> None:
    assert _daemon.read_build(BUILD) == ("2.2.7", ["LVS", "VRRP", "JSON", "BFD"])
    assert _daemon.read_build("what?") == ("", [])


@pytest.mark.parametrize(
    ("state", "local", "held", "consistent"),
    [
        ("MASTER", {"172.25.254.100": {"eth0"}}, ["172.25.254.100"], True),
        ("MASTER", {}, [], False),  # a black hole
        ("BACKUP", {}, [], True),
        ("BACKUP", {"172.25.254.100": {"eth0"}}, ["172.25.254.100"], False),  # a split brain
        ("BACKUP", {"172.25.254.100": {"lo"}}, [], True),  # a real server as well
        ("FAULT", {"172.25.254.100": {"eth0", "lo"}}, ["172.25.254.100"], False),
    ],
)
def test_held(state: str, local: dict[str, set[str]], held: list[str], consistent: bool) -> None:
    instance = {"state": state, "virtual_ipaddress": ["172.25.254.100/24"], "virtual_ipaddress_excluded": []}
    found = _daemon.with_held(instance, local)
    assert (found["held"], found["consistent"]) == (held, consistent)


@given(st.sampled_from(["json", "data"]), st.integers(0, 4000), st.binary(max_size=4))
def test_a_damaged_dump_is_refused_or_read_but_never_breaks(kind: str, at: int, put: bytes) -> None:
    whole = dump("2.2.7", kind).encode()
    text = (whole[:at] + put + whole[at + len(put) :]).decode("utf-8", "replace")
    read = _daemon.instances_from_json if kind == "json" else _daemon.instances_from_data
    for damaged in (text, text[:at]):
        try:
            found = read(damaged)
        except ValueError:
            continue
        assert all({"name", "state", "priority"} <= set(instance) for instance in found)


class FakeSystem:
    """A host whose keepalived writes the dump some looks after the signal."""

    def __init__(self, version: str = BUILD, after: int = 2, comm: str | None = "keepalived\n") -> None:
        self.version, self.after, self.comm = version, after, comm
        self.now = 0.0
        self.looks = 0
        self.signals: list[tuple[int, int]] = []

    def run(self, *command: str) -> tuple[int, str, str]:
        if command[-1] == "--version":
            return 0, "", self.version
        if command[-1].startswith("--signum="):
            return 0, {"JSON": "36\n", "DATA": "10\n"}[command[-1].split("=")[1]], ""
        return 0, ADDRESSES, ""

    def text(self, path: str) -> str | None:
        if path == "/run/keepalived.pid":
            return None if self.comm is None else "42\n"
        if path == "/proc/42/comm":
            return self.comm
        assert path.startswith("/proc/42/root/tmp/keepalived.")
        return dump("2.2.7", path.rsplit(".", 1)[1])

    def stamp(self, path: str) -> tuple[int, int] | None:
        assert path.startswith("/proc/42/root/tmp/keepalived.")
        self.looks += bool(self.signals)
        if self.looks <= self.after:
            return (1, 10)
        # It grows once, while it is being written.
        return (2, 20 if self.looks == self.after + 1 else 30)

    def signal(self, pid: int, number: int) -> None:
        self.signals.append((pid, number))

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def read(system: FakeSystem) -> dict[str, Any]:
    return _daemon.read(system, "/usr/sbin/keepalived", "/run/keepalived.pid", 3.0)


@pytest.mark.parametrize(
    ("build", "source", "number"), [(BUILD, "json", 36), (BUILD.replace(" JSON", ""), "data", 10)], ids=["json", "data"]
)
def test_a_new_dump_is_waited_for_and_read(build: str, source: str, number: int) -> None:
    system = FakeSystem(build)
    found = read(system)
    assert system.signals == [(42, number)]
    assert system.looks > system.after + 2, "it was read while it was being written"
    assert (found["running"], found["pid"], found["source"], found["version"]) == (True, 42, source, "2.2.7")
    assert {item["name"]: (item["held"], item["consistent"]) for item in found["instances"]} == {
        "WEB_VIP": (["172.25.254.100"], True),
        "DB_VIP": ([], True),
    }


@pytest.mark.parametrize("comm", [None, "sshd\n"], ids=["no process", "another process has its number"])
def test_a_daemon_that_does_not_run(comm: str | None) -> None:
    system = FakeSystem(comm=comm)
    found = read(system)
    assert (found["running"], found["pid"], found["instances"]) == (False, None, [])
    assert system.signals == []


def test_a_daemon_that_does_not_answer() -> None:
    with pytest.raises(_daemon.DaemonError) as caught:
        read(FakeSystem(after=10**6))
    assert "keepalived (pid 42) wrote no /proc/42/root/tmp/keepalived.json within 3 s" in str(caught.value)
