# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""What a running keepalived believes, and what the kernel holds: the dumps it writes on a signal, read into plain data.

keepalived(8), SIGNALS: SIGJSON (SIGRTMIN+2) writes keepalived.json where JSON is built in, SIGUSR1 writes
keepalived.data everywhere. Both lie in /tmp as the daemon sees it, readable by root alone. The pure part reads texts,
L{read} does the rest through one injected L{System}.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import json
import re
from typing import Any, Callable, NamedTuple, Optional, Protocol

STATES = ("INIT", "BACKUP", "MASTER", "FAULT")
#: Seconds between two looks for a dump, which the daemon writes when it gets round to it.
_PAUSE = 0.02


class DaemonError(Exception):
    """What could not be learned, and what to do."""


class System(Protocol):
    """All that reading a daemon needs of its host."""

    def run(self, *command: str) -> tuple[int, str, str]:
        """Exit status, output and errors of a program."""

    def text(self, path: str) -> Optional[str]:
        """A file's text; None if there is none."""

    def stamp(self, path: str) -> Optional[tuple[int, int]]:
        """What changes when the file is written: modification time in ns, and size; None if there is none."""

    def signal(self, pid: int, number: int) -> None:
        """Sends a signal."""

    def monotonic(self) -> float:
        """Seconds of a clock that is never set."""

    def sleep(self, seconds: float) -> None:
        """Waits."""


class Build(NamedTuple):
    """The installed program. ``version`` is empty where it could not be read."""

    version: str
    options: list[str]


def read_build(text: str) -> Build:
    """The version and the build options in what ``keepalived --version`` prints."""
    version = re.search(r"^Keepalived v(\d+(?:\.\d+)*)", text, re.MULTILINE)
    options = re.search(r"^Config options:\s+(.*)$", text, re.MULTILINE)
    return Build(version[1] if version else "", options[1].split() if options else [])


def _seconds(value: float) -> float:
    """A number that is written as whole seconds, as it is."""
    return round(float(value), 6)


def instances_from_json(text: str) -> list[dict[str, Any]]:
    """The VRRP instances in keepalived.json, format 1 (a list) or 2 (an object with a list ``vrrp``).

    :raises ValueError: when the text is no such document, as one that is only half written.
    """
    document = json.loads(text)
    if isinstance(document, dict):
        document = document.get("vrrp")
    if not isinstance(document, list):
        raise ValueError("it has no list of VRRP instances")
    return [_from_json(item) for item in document]


def _from_json(item: Any) -> dict[str, Any]:
    try:
        data = item["data"]
        return {
            "name": data["iname"],
            "virtual_router_id": int(data["vrid"]),
            "interface": data["ifp_ifname"],
            "version": int(data["version"]),
            "state": STATES[data["state"]],
            "wanted_state": STATES[data["wantstate"]],
            "priority": int(data["base_priority"]),
            "effective_priority": int(data["effective_priority"]),
            "advert_int": _seconds(data["adver_int"]),
            "nopreempt": bool(data["nopreempt"]),
            "preempt_delay": _seconds(data["preempt_delay"]),
            "last_transition": float(data["last_transition"]),
            "virtual_ipaddress": [line.split()[0] for line in data.get("vips", [])],
            "virtual_ipaddress_excluded": [line.split()[0] for line in data.get("evips", [])],
            "counters": dict(item.get("stats", {})),
        }
    except (KeyError, IndexError, TypeError) as reason:
        raise ValueError("an instance lacks %s" % reason) from None


_FIELDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "VRRP Version": ("version", int),
    "State": ("state", str),
    "Wantstate": ("wanted_state", str),
    "Last transition": ("last_transition", lambda value: float(value.split()[0])),
    "Interface": ("interface", str),
    "Virtual Router ID": ("virtual_router_id", int),
    "Priority": ("priority", int),
    "Effective priority": ("effective_priority", int),
    "Preempt": ("nopreempt", lambda value: value != "enabled"),
    "Preempt delay": ("preempt_delay", lambda value: _seconds(float(value.split()[0]))),
}
_LISTS = {"Virtual IP": "virtual_ipaddress", "Virtual IP Excluded": "virtual_ipaddress_excluded"}


def instances_from_data(text: str) -> list[dict[str, Any]]:
    """The VRRP instances in keepalived.data. Its format is not promised (keepalived.conf(5), data_use_instance).

    :raises ValueError: when the part about VRRP is missing or not complete.
    """
    part = re.search(r"^------< VRRP Topology >------\n(.*?)^------<", text, re.MULTILINE | re.DOTALL)
    if not part:
        raise ValueError("it has no whole part about VRRP")
    found: list[dict[str, Any]] = []
    into = ""
    for line in part[1].splitlines():
        name = re.match(r" VRRP Instance = (\S+)$", line)
        if name:
            found.append(
                {"name": name[1], "preempt_delay": 0.0, "virtual_ipaddress": [], "virtual_ipaddress_excluded": []}
            )
            found[-1]["counters"] = {}
            into = ""
        elif found:
            into = _data_line(found[-1], line, into)
    needed = {"virtual_router_id", "state", "priority", "effective_priority", "interface", "version"}
    for instance in found:
        if not needed <= set(instance):
            raise ValueError("%s lacks %s" % (instance["name"], ", ".join(sorted(needed - set(instance)))))
    return found


def _data_line(instance: dict[str, Any], line: str, into: str) -> str:
    """Takes one line of an instance; returns the list that the next lines belong to, if any."""
    if into and re.match(r" {5}[0-9a-fA-F.:]+(/\d+)? ", line + " "):
        instance[into].append(line.split(maxsplit=1)[0])
        return into
    listed = re.match(r" {3}(Virtual IP(?: Excluded)?) \(\d+\):", line)
    if listed:
        return _LISTS[listed[1]]
    field = re.match(r" {3}([A-Za-z ]+?) = (.*)$", line)
    if field and field[1] in _FIELDS:
        key, convert = _FIELDS[field[1]]
        instance[key] = convert(field[2])
    elif field and field[1] == "Advert interval":
        number, unit = field[2].split()[:2]
        instance["advert_int"] = _seconds(float(number) / (1000 if unit == "milli-sec" else 1))
    return ""


def addresses(text: str) -> dict[str, set[str]]:
    """Address to the interfaces that have it, from ``ip -json address show``."""
    found: dict[str, set[str]] = {}
    for interface in json.loads(text or "[]"):
        for item in interface.get("addr_info", []):
            if "local" in item:
                found.setdefault(str(item["local"]), set()).add(str(interface["ifname"]))
    return found


def with_held(instance: dict[str, Any], local: dict[str, set[str]]) -> dict[str, Any]:
    """Adds which of its VIPs the kernel has, and whether that is what its state says.

    A VIP on lo alone is that of a real server and held by nobody.
    """
    vips = [vip.split("/")[0] for vip in instance["virtual_ipaddress"] + instance["virtual_ipaddress_excluded"]]
    held = [vip for vip in vips if local.get(vip, set()) - {"lo"}]
    wanted = vips if instance["state"] == "MASTER" else []
    return {**instance, "held": held, "consistent": held == wanted}


def _dump(system: System, pid: int, number: int, path: str, timeout: float) -> str:
    """Asks for a dump and waits until a new one is there whole: twice the same stamp, and not that of before."""
    before = system.stamp(path)
    deadline = system.monotonic() + timeout
    system.signal(pid, number)
    last = before
    while system.monotonic() < deadline:
        system.sleep(_PAUSE)
        now = system.stamp(path)
        if now is not None and now != before and now == last and now[1]:
            return system.text(path) or ""
        last = now
    raise DaemonError(
        "keepalived (pid %d) wrote no %s within %g s. Is it stopped or very busy? Raise timeout." % (pid, path, timeout)
    )


def read(system: System, program: str, pid_file: str, timeout: float) -> dict[str, Any]:
    """All that L{keepalived_info} returns.

    :param program: path of keepalived.
    :param pid_file: of the parent process.
    :param timeout: seconds to wait for a dump.
    :raises DaemonError: with what could not be learned, and what to do.
    """
    _status, output, errors = system.run(program, "--version")
    build = read_build(output + errors)
    result: dict[str, Any] = {"version": build.version, "build": build.options, "running": False, "pid": None}
    result.update(source=None, instances=[])
    pid = (system.text(pid_file) or "").strip()
    if not pid.isdigit() or (system.text("/proc/%s/comm" % pid) or "").strip() != "keepalived":
        return result
    kind, name = ("JSON", "keepalived.json") if "JSON" in build.options else ("DATA", "keepalived.data")
    status, number, errors = system.run(program, "--signum=%s" % kind)
    if status or not number.strip().isdigit():
        raise DaemonError("%s --signum=%s says no signal: %s" % (program, kind, errors.strip() or number.strip()))
    # Through the daemon's own root, since its unit may give it a /tmp of its own.
    text = _dump(system, int(pid), int(number), "/proc/%s/root/tmp/%s" % (pid, name), timeout)
    try:
        instances = (instances_from_json if kind == "JSON" else instances_from_data)(text)
    except ValueError as reason:
        raise DaemonError("%s of keepalived %s could not be read: %s" % (name, build.version, reason)) from None
    _status, output, _errors = system.run("ip", "-json", "address", "show")
    local = addresses(output)
    result.update(running=True, pid=int(pid), source=kind.lower())
    result["instances"] = [with_held(instance, local) for instance in instances]
    return result
