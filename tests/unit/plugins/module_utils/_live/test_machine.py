# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""What is learned of a machine: hosts of both families as texts, and this host itself."""

from __future__ import annotations

import fnmatch
import json
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.module_utils._live import _machine
from ansible_collections.failover.vip.plugins.module_utils._live._machine import collect, path_facts, release_of
from ansible_collections.failover.vip.plugins.module_utils._live._system import Status, ThisHost
from ansible_collections.failover.vip.plugins.module_utils._machine_plain import machine_from_plain, machine_to_plain
from ansible_collections.failover.vip.plugins.module_utils._model import (
    Block,
    Director,
    Machine,
    Origin,
    PathFacts,
    Tracked,
    Vip,
    VirtualServer,
    VrrpInstance,
)

WEB = "172.25.254.100"
FIREWALLD = (Path(__file__).parents[3] / "data" / "firewall" / "firewalld.json").read_text(encoding="utf-8")
IPTABLES = (Path(__file__).parents[3] / "data" / "firewall" / "iptables.txt").read_text(encoding="utf-8")
VERSION = "Keepalived v%s (01/16,2022)\n\nCopyright(C) 2001-2022 Alexandre Cassen, <acassen@gmail.com>\n"
UNIT = (
    "Restart=%s\n%sRequires=system.slice sysinit.target\nWants=network-online.target\n"
    "After=sysinit.target systemd-journald.socket network-online.target basic.target\nLoadState=loaded\n"
)
SHOW = "systemctl show keepalived.service --property=LoadState,Wants,Requires,After,Restart,ExecStopPost"
AVC = (
    'type=AVC msg=audit(%d.123:456): avc:  denied  { execute } for  pid=1234 comm="keepalived" name="check.sh" '
    'dev="dm-0" ino=1234 scontext=system_u:system_r:keepalived_t:s0 tcontext=unconfined_u:object_r:etc_t:s0 '
    "tclass=file permissive=0\n"
)
NOW = 1_800_000_000


class Host:
    """A host made of texts."""

    def __init__(self, files: dict[str, str], commands: dict[str, str], modes: dict[str, Status] | None = None) -> None:
        self.files, self.commands, self.modes = files, commands, modes or {}
        self.links: dict[str, str] = {}

    def run(self, *command: str) -> tuple[int, str, str]:
        output = self.commands.get(" ".join(command))
        return (127, "", "no such program") if output is None else (0, output, "")

    def text(self, path: str, start: int = 0, size: int = 1048576) -> str | None:
        text = self.files.get(path)
        return None if text is None else text[start:][:size] if start < 0 else text[:size]

    def status(self, path: str) -> Status | None:
        if path in self.modes:
            return self.modes[path]
        if path in self.files:
            return Status(0o100644, 0, 0, "file")
        inside = any(name.startswith(path.rstrip("/") + "/") for name in [*self.files, *self.modes])
        return Status(0o040755, 0, 0, "directory") if inside or path == "/" else None

    def resolve(self, path: str) -> str:
        return self.links.get(path, path)

    def glob(self, pattern: str) -> list[str]:
        return sorted(path for path in self.files if fnmatch.fnmatchcase(path, pattern))

    def user(self, uid: int) -> str:
        return {0: "root", 990: "keepalived_script"}.get(uid, str(uid))

    def group(self, gid: int) -> str:
        return {0: "root"}.get(gid, str(gid))

    def user_exists(self, name: str) -> bool:
        return name in ("root", "keepalived_script")

    def now(self) -> float:
        return float(NOW)


def director() -> Director:
    instance = VrrpInstance(
        "WEB_VIP",
        {
            "interface": "eth0.10",
            "unicast_src_ip": "172.25.254.50",
            "unicast_peer": ["172.25.254.60 min_ttl 64"],
            "virtual_ipaddress": [Vip(WEB, 24)],
            "notify_master": "/etc/keepalived/mail.sh MASTER",
        },
    )
    script = Tracked("chk", {"script": "/bin/sh /etc/check.sh /run/flag", "user": ["nobody_here"]})
    there = Tracked("file", {"script": "</run/haproxy.pid"})
    return Director("", Block("", {"script_user": ["keepalived_script"]}), [instance], [script, there])


SCRIPT = '#!/bin/sh\ntest ! -e "$1"\n'
EVERYWHERE = {
    "/run/keepalived.pid": "812\n",
    "/proc/812/comm": "keepalived\n",
    "/proc/812/status": "Name:\tkeepalived\nCapBnd:\t000001ffffffffff\n",
    "/etc/check.sh": SCRIPT,
    "/etc/keepalived/mail.sh": "x" * 5000,
    "/bin/sh": "\x7fELF",
    "/proc/sys/net/ipv4/ip_nonlocal_bind": "0\n",
    "/proc/sys/net/ipv4/conf/eth0.10/rp_filter": "2\n",
    "/proc/self/mounts": "proc /proc proc rw 0 0\nproc /proc/sys proc ro,nosuid 0 0\nx /proc/sysx proc rw 0 0\n",
}


def debian() -> Host:
    """Debian 12 with systemd-networkd, iptables, HAProxy, and keepalived's log split."""
    files = {
        **EVERYWHERE,
        "/proc/812/cmdline": "/usr/sbin/keepalived\0--dont-fork\0-D\0-S\x006\0",
        "/etc/rsyslog.d/10-keepalived.conf": "# keepalived\nlocal6.*    -/var/log/keepalived.log\n& stop\n",
        "/etc/logrotate.d/rsyslog": "/var/log/syslog\n{\n}\n",
        "/etc/logrotate.d/keepalived": "# its log\n/var/log/keepalived*.log {\n  weekly\n}\n",
        "/sys/class/net/eth0.10/ifindex": "7\n",
        "/run/systemd/netif/links/7": (
            "# This is private data. Do not parse.\nADMIN_STATE=configured\n"
            "NETWORK_FILE=/etc/systemd/network/20-eth0.network\n"
        ),
        "/etc/systemd/network/20-eth0.network": "[Match]\nName=eth0.10\n[Network]\nAddress=172.25.254.50/24\n",
        "/etc/systemd/network/20-eth0.network.d/keep.conf": "[Network]\n#KeepConfiguration=no\n"
        "KeepConfiguration=static\n",
        "/etc/network/interfaces": (
            "auto lo\niface lo inet static\n  address %s/32\n"
            "iface eth0 inet static\n  gateway %s\n  up ip addr add %s/24\n" % (WEB, WEB, WEB)
        ),
        "/etc/haproxy/haproxy.cfg": "global\nfrontend a\n  bind %s:80\nbackend b\n  server s 192.0.2.1:80\n" % WEB,
        "/proc/sys/kernel/osrelease": "6.1.0-1-amd64\n",
        "/lib/modules/6.1.0-1-amd64/modules.dep": "kernel/net/netfilter/ipvs/ip_vs.ko: kernel/lib/libcrc32c.ko\n",
    }
    commands = {
        "keepalived --version": VERSION % "2.2.8",
        "/proc/812/exe --version": VERSION % "2.2.7",
        SHOW: UNIT % ("on-failure", ""),
        "iptables-save": IPTABLES.replace("172.25.254.60/32", "172.25.254.61/32"),
    }
    return Host(files, commands)


def red_hat() -> Host:
    """A Red Hat of release 9 with firewalld and SELinux, in a cloud, on a port of a bridge."""
    files = {
        **EVERYWHERE,
        "/proc/812/cmdline": "/usr/sbin/keepalived\0--dont-fork\0-D\0--debug=A\0",
        "/sys/fs/selinux/enforce": "1",
        "/var/log/audit/audit.log": AVC % (NOW - 8 * 86400) + AVC % (NOW - 60) + AVC % (NOW - 30) + "type=USER_AUTH\n",
        "/etc/sysconfig/network-scripts/ifcfg-eth0": "DEVICE=eth0\nGATEWAY=%s\nIPADDR=%s\n" % (WEB, WEB),
        "/sys/class/dmi/id/sys_vendor": "Amazon EC2\n",
        "/sys/class/net/eth0.10/brport/bridge": "",
    }
    commands = {
        "keepalived --version": VERSION % "2.2.8",
        SHOW: UNIT % ("no", "ExecStopPost={ path=/bin/true ; argv[]=/bin/true ; ignore_errors=no }\n"),
        "nft -j list ruleset": FIREWALLD,
    }
    host = Host(files, commands)
    host.links["/sys/class/net/eth0.10/brport/bridge"] = "/sys/devices/virtual/net/br0"
    return host


def test_debian() -> None:
    one = director()
    one.virtual_servers = [VirtualServer("x")]
    found = collect(debian(), one, ["/etc/keepalived/keepalived.conf"])
    assert (found.release, found.ip_vs) == ((2, 2, 8), True)
    assert found.users == {"keepalived_script": True, "nobody_here": False}
    assert found.sysctls == {"net.ipv4.ip_nonlocal_bind": "0", "net.ipv4.conf.eth0.10.rp_filter": "2"}
    assert found.haproxy_binds == [(WEB, 80, Origin("/etc/haproxy/haproxy.cfg", 3))]
    assert set(found.paths) == {
        "/bin/sh",
        "/etc/check.sh",
        "/etc/keepalived/mail.sh",
        "/etc/keepalived/keepalived.conf",
    }
    assert found.paths["/etc/check.sh"].head == SCRIPT
    assert found.paths["/etc/keepalived/mail.sh"].head == ""
    assert not found.paths["/etc/keepalived/keepalived.conf"].exists
    assert found.facts == {
        "running": True,
        "running_release": [2, 2, 7],
        "vrrp_dropped": {"4": "iptables chain INPUT: policy drop"},
        "unit": {
            "wants": ["network-online.target", "sysinit.target", "system.slice"],
            "after": ["basic.target", "network-online.target", "sysinit.target", "systemd-journald.socket"],
            "restart": "on-failure",
            "stop_post": False,
        },
        "managers": {
            "eth0.10": {"name": "systemd-networkd", "file": "/etc/systemd/network/20-eth0.network", "keep": "static"}
        },
        "log": {"file": "/var/log/keepalived.log", "rotated": True, "debug": ""},
        "capabilities_missing": [],
        "sysctl_read_only": True,
        "bridges": {},
        "configured": {WEB: ["/etc/network/interfaces", 6]},
        "haproxy_freebind": [],
        "haproxy_servers": ["192.0.2.1"],
        "haproxy_stats": [],
        "haproxy_durations": [],
    }


def test_red_hat() -> None:
    found = collect(red_hat(), director())
    assert (found.release, found.ip_vs, found.haproxy_binds) == ((2, 2, 8), None, None)
    facts = found.facts
    assert facts["selinux"] == {"mode": "enforcing", "denied": ["{ execute } file check.sh (keepalived)"]}
    assert facts["vrrp_dropped"] == {"4": "table inet firewalld, chain filter_INPUT: reject"}
    assert facts["unit"]["stop_post"] is True
    assert facts["log"] == {"file": "", "rotated": False, "debug": "--debug=A"}
    assert (facts["cloud"], facts["bridges"]) == ("Amazon EC2", {"eth0.10": "br0"})
    assert facts["configured"] == {WEB: ["/etc/sysconfig/network-scripts/ifcfg-eth0", 3]}
    assert "running_release" not in facts


def test_a_host_of_which_nothing_can_be_learned() -> None:
    found = collect(Host({}, {}), Director(""))
    facts = {"running": False, "managers": {}, "bridges": {}, "configured": {}}
    assert found == Machine(users={"keepalived_script": True}, facts=facts)


def test_xtables_in_nft_are_read_by_iptables() -> None:
    host = debian()
    host.commands["nft -j list ruleset"] = '{"nftables": [{"xt": null}]}'
    assert collect(host, director()).facts["vrrp_dropped"] == {"4": "iptables chain INPUT: policy drop"}
    host.commands["nft -j list ruleset"] = "half"
    del host.commands["iptables-save"]
    assert "vrrp_dropped" not in collect(host, director()).facts


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["-S6"], ("/var/log/k", False)),
        (["--log-facility=6"], ("/var/log/k", False)),
        (["--log-facility", "6"], ("/var/log/k", False)),
        (["-S", "5"], ("", False)),
        (["-g"], ("/tmp/keepalived.log", False)),
        (["--log-file=/var/log/own"], ("/var/log/own", True)),
        (["-D"], ("", False)),
    ],
)
def test_log(options: list[str], expected: tuple[str, bool]) -> None:
    files = {
        "/proc/1/cmdline": "\0".join(["keepalived", *options, ""]),
        "/etc/rsyslog.conf": "*.info /var/log/messages\nlocal6.* /var/log/k\n",
        "/etc/logrotate.conf": "include /etc/logrotate.d\n",
        "/etc/logrotate.d/own": '# /var/log/k\n"/var/log/o*"{\n}\n',
    }
    found = _machine._log(Host(files, {}), "1")
    assert found is not None
    assert (found["file"], found["rotated"]) == expected


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        ({}, ""),
        ({"/a/b/c.sh": Status(0o100755, 990, 0, "file")}, "/a/b/c.sh"),
        ({"/a/b/c.sh": Status(0o100777, 0, 0, "file")}, "/a/b/c.sh"),
        ({"/a/b/c.sh": Status(0o100775, 0, 5, "file")}, "/a/b/c.sh"),
        ({"/a/b/c.sh": Status(0o100775, 0, 0, "file")}, ""),
        ({"/a/b": Status(0o040777, 0, 0, "directory")}, "/a/b"),
        ({"/a/b": Status(0o041777, 0, 0, "directory")}, ""),
        ({"/a": Status(0o040755, 1000, 0, "directory")}, "/a"),
    ],
)
def test_who_can_write(modes: dict[str, Status], expected: str) -> None:
    assert path_facts(Host({"/a/b/c.sh": ""}, {}, modes), "/a/b/c.sh").writable_by_others == expected


def test_paths_of_this_host(tmp_path: Path) -> None:
    system = ThisHost()
    file = tmp_path / "check.sh"
    file.write_text("#!/bin/sh\n" + "#" * 5000)
    file.chmod(0o750)
    (tmp_path / "link").symlink_to(file)
    found = path_facts(system, str(tmp_path / "link"), script=True)
    assert (found.exists, found.is_file, found.mode, len(found.head)) == (True, True, 0o750, 2048)
    assert found.owner == system.user(os.getuid())
    assert found.linked == "", "a link at the end is none above it"
    (tmp_path / "bin").symlink_to(tmp_path)
    assert path_facts(system, str(tmp_path / "bin" / "check.sh")).linked == str(tmp_path / "bin")
    assert path_facts(system, "sh").exists
    assert not path_facts(system, "no-such-program-anywhere").exists
    assert not path_facts(system, str(tmp_path)).is_file
    tmp_path.chmod(0o700)
    assert not path_facts(system, str(file)).reachable
    assert system.text(str(file), start=-3) == "###"
    assert system.text(str(tmp_path)) is None
    os.mkfifo(tmp_path / "pipe")
    assert system.text(str(tmp_path / "pipe")) is None
    assert system.run("sh", "-c", "echo $LC_ALL; exit 3") == (3, "C\n", "")
    assert system.run("no-such-program-anywhere")[0] == 127
    assert system.user_exists("root")
    assert system.user_exists("0")
    assert not system.user_exists("no-such-user")
    assert system.glob(str(tmp_path / "l*")) == [str(tmp_path / "link")]
    assert system.resolve(str(tmp_path / "link")) == os.path.realpath(file)
    assert system.group(2**31 - 2) == str(2**31 - 2)


def test_a_program_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.failover.vip.plugins.module_utils._live._system.TIMEOUT", 0.05)
    assert ThisHost().run("sleep", "5")[0] == 124


def test_release() -> None:
    assert release_of(VERSION % "2.2.7") == (2, 2, 7)
    assert release_of("keepalived: not found") is None


def test_to_plain_and_back() -> None:
    found = collect(debian(), director())
    plain = json.loads(json.dumps(machine_to_plain(found)))
    assert SCRIPT not in json.dumps(plain)
    found.paths = {path: facts._replace(head="") for path, facts in found.paths.items()}
    assert machine_from_plain(plain) == found
    assert machine_from_plain({}) == Machine()
    assert machine_to_plain(Machine()) == {"paths": {}, "users": {}, "sysctls": {}, "facts": {}}


@pytest.mark.parametrize(
    "data",
    [
        1,
        {"unknown": 1},
        {"release": "x"},
        {"paths": {"a": 1}},
        {"paths": {"a": {"exists": True, "more": 1}}},
        {"users": 1},
        {"haproxy_binds": [1]},
        {"haproxy_binds": [["*", "x", "a", 1]]},
    ],
)
def test_what_is_no_machine(data: Any) -> None:
    with pytest.raises(ValueError, match="'machine'"):
        machine_from_plain(data)


def test_the_facts_of_a_path_are_complete() -> None:
    assert PathFacts(True)._asdict().keys() >= {
        "exists",
        "mode",
        "owner",
        "group",
        "writable_by_others",
        "reachable",
        "linked",
    }
