# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""What a host is like around keepalived, as far as the rules want to know (:class:`_model.Machine`): read, not touched.

Besides the fields of the class these go into ``facts``, each only where it could be learned:

``running``                whether keepalived runs
``running_release``        the version of the process, which an upgrade does not replace
``vrrp_dropped``           family ("4", "6") to the packet filter's rule that surely drops the other directors' VRRP
``unit``                   of systemd: ``wants``, ``after`` (names), ``restart``, ``stop_post`` (whether there is one)
``managers``               interface to ``name``, ``file``, ``keep`` (KeepConfiguration) where systemd-networkd has it
``log``                    ``file`` (of keepalived's own; empty: the system's), ``rotated``, ``debug`` (the option)
``selinux``                ``mode`` and ``denied``, what the audit log has of the last week
``capabilities_missing``   names
``sysctl_read_only``       whether /proc/sys/net is
``cloud``                  whose network it is in
``bridges``                interface to the bridge that it is a port of
``configured``             VIP to [file, line] of the host's network configuration that has it
``haproxy_freebind``, ``haproxy_servers``, ``haproxy_stats``, ``haproxy_durations``   see ``_haproxy_conf``

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Any, Optional

from ansible_collections.failover.vip.plugins.module_utils._live._firewall import (
    Packet,
    dropped_by_iptables,
    dropped_by_nft,
)
from ansible_collections.failover.vip.plugins.module_utils._live._haproxy_conf import read_haproxy
from ansible_collections.failover.vip.plugins.module_utils._live._system import Status, System
from ansible_collections.failover.vip.plugins.module_utils._model import Director, Machine, PathFacts

#: Where systemd lets a service look for programs (systemd.exec(5)).
_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
#: Characters of a script that are kept.
HEAD_SIZE = 2048
_WEEK = 7 * 86400
_NETWORK_FILES = (
    "/etc/network/interfaces",
    "/etc/network/interfaces.d/*",
    "/etc/systemd/network/*.network",
    "/run/systemd/network/*.network",
    "/etc/netplan/*.yaml",
    "/etc/NetworkManager/system-connections/*",
    "/etc/sysconfig/network-scripts/ifcfg-*",
)
#: A line that gives an address to the host: of ifupdown, networkd, NetworkManager, netplan, ifcfg.
_GIVES = re.compile(
    r"^(?:address\d*\s*[= ]|Address\s*=|IPADDR\d*\s*=|IPV6ADDR\w*\s*=|-\s*[\"']?[0-9a-f.:]+/)"
    r"|\bip (?:-\d )?addr\w* add\b"
)

_LOOPBACK = re.compile(r"^(?:iface\s+lo\b|Name\s*=\s*lo$|interface-name\s*=\s*lo$|DEVICE\s*=\s*\"?lo\b)")
#: What the firmware of a virtual machine says of its maker, to the cloud's name (systemd-detect-virt(1), cloud-init).
_CLOUDS = (
    ("sys_vendor", "Amazon EC2", "Amazon EC2"),
    ("sys_vendor", "Google", "Google Cloud"),
    ("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77", "Microsoft Azure"),
    ("chassis_asset_tag", "OracleCloud.com", "Oracle Cloud"),
    ("sys_vendor", "DigitalOcean", "DigitalOcean"),
    ("sys_vendor", "Hetzner", "Hetzner Cloud"),
    ("sys_vendor", "Alibaba Cloud", "Alibaba Cloud"),
)
#: capabilities(7)
_CAPABILITIES = (("NET_ADMIN", 12), ("NET_RAW", 13))
_DENIED = re.compile(r"audit\((\d+)\.\d+:\d+\): avc:\s+denied\s+(\{[^}]*\}) for (.*?scontext=\S*:keepalived_t:\S*.*)")
_FIELD = re.compile(r'\b(comm|path|name|dest|tclass)=("[^"]*"|\S+)')


def release_of(text: str) -> Optional[tuple[int, ...]]:
    """The version in what ``keepalived --version`` prints."""
    found = re.search(r"^Keepalived v(\d+(?:\.\d+)+)", text, re.MULTILINE)
    return tuple(int(part) for part in found[1].split(".")) if found else None


def installed(system: System) -> Optional[tuple[int, ...]]:
    """The version of the keepalived that is installed, None if none is."""
    _status, output, errors = system.run("keepalived", "--version")
    return release_of(output + errors)


def _word(text: Optional[str]) -> str:
    return (text or "").strip()


# files


def _loose(status: Status) -> bool:
    """Whether others than root may write; keepalived judges in the same way (check_security in lib/notify.c)."""
    if status.uid:
        return True
    if status.kind == "directory" and status.mode & 0o1000:
        return False
    return bool((status.gid and status.mode & 0o020) or status.mode & 0o002)


def path_facts(system: System, path: str, script: bool = False) -> PathFacts:
    """A file as the host has it. A name without a slash is searched for.

    :param script: reads the beginning of a text that names its interpreter.
    """
    if "/" not in path:
        places = [posixpath.join(directory, path) for directory in _PATH]
        path = next((place for place in places if system.status(place)), path)
    status = system.status(path)
    if status is None:
        return PathFacts(False, is_file=False)
    real = system.resolve(path)
    parents = [real]
    while parents[-1] != posixpath.dirname(parents[-1]):
        parents.append(posixpath.dirname(parents[-1]))
    known = [(parent, system.status(parent)) for parent in parents]
    loose = next((parent for parent, its in known if its and _loose(its)), "")
    head = (system.text(real, size=HEAD_SIZE) or "") if script and status.kind == "file" else ""
    return PathFacts(
        True,
        status.mode & 0o7777,
        system.user(status.uid),
        system.group(status.gid),
        status.kind == "file",
        path if loose == real else loose,
        head if head.startswith("#!") else "",
        all(its is not None and its.mode & 0o001 for _parent, its in known[1:]),
        _linked(system, path),
    )


def _linked(system: System, path: str) -> str:
    """The first directory of a path that is a symbolic link, empty if none is."""
    names = posixpath.dirname(posixpath.normpath(path)).strip("/").split("/")
    above = ["/" + "/".join(names[:count]) for count in range(1, len(names) + 1)]
    return next((directory for directory in above if system.resolve(directory) != directory), "")


def _paths(system: System, director: Director, files: Iterable[str]) -> dict[str, PathFacts]:
    found = {path: path_facts(system, path) for path in files}
    for command in director.commands():
        if command.words[0].startswith("<"):
            continue
        for word in (command.words[0], command.program):
            if word not in found:
                found[word] = path_facts(system, word, script=True)
    return found


# kernel


def _interfaces(director: Director) -> list[str]:
    names = {instance.interface for instance in director.instances}
    names |= {vip.dev for instance in director.instances for vip in instance.vips + instance.excluded_vips}
    return sorted(name for name in names if name and "/" not in name)


def _sysctls(system: System, director: Director) -> dict[str, str]:
    keys = [
        ("net.ipv4.ip_forward",),
        ("net.ipv6.conf.all.forwarding",),
        ("net.ipv4.ip_nonlocal_bind",),
        ("net.ipv6.ip_nonlocal_bind",),
        ("net.ipv4.vs.expire_nodest_conn",),
        ("net.ipv4.vs.expire_quiescent_template",),
    ]
    each = ("rp_filter", "arp_ignore", "arp_announce", "arp_filter")
    parts = [tuple(key[0].split(".")) for key in keys]
    parts += [("net", "ipv4", "conf", name, key) for name in ("all", "lo", *_interfaces(director)) for key in each]
    found = {}
    for part in parts:
        value = system.text("/proc/sys/" + "/".join(part))
        if value is not None:
            found[".".join(part)] = value.strip()
    return found


def _ip_vs(system: System) -> Optional[bool]:
    if system.text("/proc/net/ip_vs", size=64) is not None:
        return True
    release = _word(system.text("/proc/sys/kernel/osrelease"))
    texts = [
        system.text("/lib/modules/%s/%s" % (release, name), size=8388608) for name in ("modules.dep", "modules.builtin")
    ]
    if any(re.search(r"/ip_vs\.ko\b", text or "") for text in texts):
        return True
    return None if texts == [None, None] else False


# keepalived and systemd


def _pid(system: System) -> str:
    for path in ("/run/keepalived.pid", "/run/keepalived/keepalived.pid"):
        pid = _word(system.text(path))
        if pid.isdigit() and _word(system.text("/proc/%s/comm" % pid)) == "keepalived":
            return pid
    return ""


def _unit(system: System) -> Optional[dict[str, Any]]:
    names = ("LoadState", "Wants", "Requires", "After", "Restart", "ExecStopPost")
    status, output, _errors = system.run("systemctl", "show", "keepalived.service", "--property=" + ",".join(names))
    shown: dict[str, str] = {}
    for line in output.splitlines():
        key, _equals, value = line.partition("=")
        shown[key] = value
    if status or shown.get("LoadState") != "loaded":
        return None
    return {
        "wants": sorted((shown.get("Wants", "") + " " + shown.get("Requires", "")).split()),
        "after": sorted(shown.get("After", "").split()),
        "restart": shown.get("Restart", ""),
        "stop_post": bool(shown.get("ExecStopPost")),
    }


def _managers(system: System, director: Director) -> dict[str, dict[str, str]]:
    """What systemd-networkd says of each interface in its state files (it has no other without a bus)."""
    found = {}
    for name in _interfaces(director):
        index = _word(system.text("/sys/class/net/%s/ifindex" % name))
        state = dict(_settings(system.text("/run/systemd/netif/links/%s" % index) or "")) if index else {}
        file = state.get("NETWORK_FILE", "")
        if not file or state.get("ADMIN_STATE") in ("unmanaged", "pending", None):
            continue
        keep = ""
        for path in [file, *system.glob("/etc/systemd/network/%s.d/*.conf" % posixpath.basename(file))]:
            for key, value in _settings(system.text(path) or ""):
                keep = value if key == "KeepConfiguration" else keep
        found[name] = {"name": "systemd-networkd", "file": file, "keep": keep}
    return found


def _settings(text: str) -> Iterator[tuple[str, str]]:
    """The lines ``key=value`` of a file."""
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith(("#", ";")):
            yield key.strip(), value.strip()


def _log(system: System, pid: str) -> Optional[dict[str, Any]]:
    command = (system.text("/proc/%s/cmdline" % pid) or "").split("\0")[1:] if pid else []
    if not command:
        return None
    file, facility, debug = "", "", ""
    for word, following in zip(command, [*command[1:], ""]):
        name, _equals, value = word.partition("=")
        if name == "--log-facility" or word[:2] == "-S":
            facility = value or word[2:] if name != "--log-facility" else value
            facility = facility or following
        elif name == "--log-file" or word[:2] == "-g":
            file = (value if name == "--log-file" else word[2:]) or (
                following if following.startswith("/") else "/tmp/keepalived.log"  # noqa: S108 - keepalived's own
            )
        elif name == "--debug":
            debug = word
    if facility.isdigit() and not file:
        file = _own_log(system, "local%s" % facility)
    rotated = any(
        _names(system.text(path) or "", file) for path in ["/etc/logrotate.conf", *system.glob("/etc/logrotate.d/*")]
    )
    return {"file": file, "rotated": bool(file) and rotated, "debug": debug}


def _own_log(system: System, facility: str) -> str:
    """The file that rsyslog writes a facility to by name; empty: none of its own."""
    rule = re.compile(r"^%s\.\S+\s+-?(/[^\s;]+)" % re.escape(facility), re.MULTILINE)
    for path in [*system.glob("/etc/rsyslog.d/*.conf"), "/etc/rsyslog.conf"]:
        found = rule.search(system.text(path) or "")
        if found:
            return found[1]
    return ""


def _names(text: str, file: str) -> bool:
    """Whether logrotate's configuration names a file, or a pattern that fits."""
    words = re.split(r'[\s"{]+', re.sub(r"#.*", "", text))
    return any(word.startswith("/") and fnmatch.fnmatchcase(file, word) for word in words)


# surroundings


def _packets(director: Director) -> list[Packet]:
    """What the others send to this host."""
    groups = {
        4: str(director.global_defs.options.get("vrrp_mcast_group4", "224.0.0.18")),
        6: str(director.global_defs.options.get("vrrp_mcast_group6", "ff02::12")),
    }
    found = []
    for instance in director.instances:
        for peer in instance.unicast_peer:
            own = instance.unicast_src_ip
            if peer.split() and own and instance.interface:
                found.append(Packet(instance.family, instance.interface, peer.split()[0], own))
        if not instance.unicast_peer and instance.interface:
            found.append(Packet(instance.family, instance.interface, "", groups[instance.family]))
    return found


def _firewall(system: System, director: Director) -> Optional[dict[str, str]]:
    """nft shows what iptables made in words of its own (xt), which only iptables-save can tell."""
    packets = _packets(director)
    found: Optional[dict[str, str]] = None
    status, output, _errors = system.run("nft", "-j", "list", "ruleset")
    if not status:
        try:
            found = dropped_by_nft(output, packets)
        except ValueError:
            status = 1
    if status or '"xt"' in output:
        for program, family in (("iptables-save", 4), ("ip6tables-save", 6)):
            status, output, _errors = system.run(program)
            if not status:
                found = {**dropped_by_iptables(output, packets, family), **(found or {})}
    return found


def _selinux(system: System) -> Optional[dict[str, Any]]:
    enforce = _word(system.text("/sys/fs/selinux/enforce"))
    if not enforce:
        return None
    denied: list[str] = []
    for line in (system.text("/var/log/audit/audit.log", start=-1048576) or "").splitlines():
        found = _DENIED.search(line)
        if not found or float(found[1]) < system.now() - _WEEK:
            continue
        fields = {key: value.strip('"') for key, value in _FIELD.findall(found[3])}
        what = fields.get("path") or fields.get("name") or fields.get("dest") or ""
        text = " ".join(part for part in (found[2], fields.get("tclass", ""), what) if part)
        text += " (%s)" % fields["comm"] if "comm" in fields else ""
        if text not in denied:
            denied.append(text)
    return {"mode": "enforcing" if enforce == "1" else "permissive", "denied": denied[:10]}


def _capabilities(system: System, pid: str) -> Optional[list[str]]:
    bounding = re.search(
        r"^CapBnd:\s+([0-9a-f]+)$", system.text("/proc/%s/status" % (pid or "self")) or "", re.MULTILINE
    )
    if not bounding:
        return None
    return [name for name, bit in _CAPABILITIES if not int(bounding[1], 16) >> bit & 1]


def _read_only(system: System) -> Optional[bool]:
    """Of the mounts above /proc/sys/net the last one counts."""
    options = None
    for line in (system.text("/proc/self/mounts") or "").splitlines():
        fields = line.split()
        if len(fields) > 3 and ("/proc/sys/net" + "/").startswith(fields[1].rstrip("/") + "/"):
            options = fields[3].split(",")
    return None if options is None else "ro" in options


def _cloud(system: System) -> Optional[str]:
    for file, value, name in _CLOUDS:
        if _word(system.text("/sys/class/dmi/id/" + file)) == value:
            return name
    return None


def _bridges(system: System, director: Director) -> dict[str, str]:
    found = {}
    for name in _interfaces(director):
        path = "/sys/class/net/%s/brport/bridge" % name
        if system.status(path):
            found[name] = posixpath.basename(system.resolve(path))
    return found


def _configured(system: System, director: Director) -> dict[str, list[Any]]:
    """The VIPs that the host's network configuration gives it for good, those on lo left out."""
    vips = {vip.address for instance in director.instances for vip in instance.vips + instance.excluded_vips}
    wanted = {vip: re.compile(r"(?<![0-9A-Fa-f.:])%s(?![0-9A-Fa-f.:])" % re.escape(vip)) for vip in sorted(vips)}
    found: dict[str, list[Any]] = {}
    for path in [path for files in _NETWORK_FILES for path in system.glob(files)] if wanted else []:
        loopback = False
        for number, line in enumerate((system.text(path, size=65536) or "").splitlines(), 1):
            stripped = line.strip()
            if _LOOPBACK.search(stripped) or stripped.startswith("iface "):
                loopback = bool(_LOOPBACK.search(stripped))
            if loopback or not _GIVES.search(stripped):
                continue
            for vip, pattern in wanted.items():
                if pattern.search(stripped):
                    found.setdefault(vip, [path, number])
    return found


def _haproxy(system: System, machine: Machine) -> None:
    paths = ["/etc/haproxy/haproxy.cfg", *system.glob("/etc/haproxy/conf.d/*.cfg")]
    texts = [(path, text) for path, text in ((path, system.text(path)) for path in paths) if text is not None]
    if not texts:
        return
    read = read_haproxy(texts)
    machine.haproxy_binds = read.binds
    machine.facts["haproxy_freebind"] = [[origin.path, origin.line] for origin in read.freebind]
    machine.facts["haproxy_servers"] = read.servers
    machine.facts["haproxy_stats"] = read.stats
    machine.facts["haproxy_durations"] = [[words, *origin] for words, origin in read.durations]


def collect(system: System, director: Director, files: Iterable[str] = ()) -> Machine:
    """The machine that a director's configuration lies on.

    :param files: the configuration's own files.
    """
    machine = Machine(installed(system))
    machine.paths = _paths(system, director, files)
    users = {command.user for command in director.commands()} | {"keepalived_script"}
    users |= set((director.global_defs.options.get("script_user") or [])[:1])
    machine.users = {name: system.user_exists(name) for name in sorted(users) if name}
    machine.sysctls = _sysctls(system, director)
    machine.ip_vs = _ip_vs(system)
    _haproxy(system, machine)
    pid = _pid(system)
    running = None
    if pid:
        _status, output, errors = system.run("/proc/%s/exe" % pid, "--version")
        running = release_of(output + errors)
    learned = {
        "running": bool(pid),
        "running_release": running and list(running),
        "vrrp_dropped": _firewall(system, director),
        "unit": _unit(system),
        "managers": _managers(system, director),
        "log": _log(system, pid),
        "selinux": _selinux(system),
        "capabilities_missing": _capabilities(system, pid),
        "sysctl_read_only": _read_only(system),
        "cloud": _cloud(system),
        "bridges": _bridges(system, director),
        "configured": _configured(system, director),
    }
    machine.facts.update({name: value for name, value in learned.items() if value is not None})
    return machine
