# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The model: a VRRP cluster as plain data, whichever source it was read from.

The plan (inventory), the reader (files) and the listener (wire) make it; the rules and the writer use it.
Each object keeps its keywords in ``options`` under keepalived's own names (keepalived.conf(5)), with values as
``_conf._keywords`` normalises them; the properties are the typed view of those that the rules reason about, with
keepalived's own defaults.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Optional, Union

IPInterface = Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]
IPAddress = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
IPNetwork = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

#: keepalived's default base priority, also that of RFC 9568 section 6.1.
DEFAULT_PRIORITY = 100
#: The priority of the address owner (RFC 9568 section 6.1).
OWNER_PRIORITY = 255
#: Stands for every secret where none may be compared with another.
NO_FINGERPRINT = "%%auth_pass%%"
#: What auth_hmac may say, and which words may follow; empty: a number, or a key's id and the key (keepalived.conf(5)).
HMAC_WORDS: Mapping[str, tuple[str, ...]] = {
    "key": (),
    "active_key": (),
    "time_window": (),
    "anti_replay": ("time", "monotonic"),
    "mode": ("enforce", "permissive", "receive-only"),
}


class Origin(NamedTuple):
    """Where something was written: a file and its line, or a variable of the inventory (line 0)."""

    path: str = ""
    line: int = 0


class Vip(NamedTuple):
    """One line of ``virtual_ipaddress``; ``prefixlen`` None: none was written, and keepalived takes /32 or /128."""

    address: str
    prefixlen: Optional[int] = None
    dev: str = ""
    label: str = ""
    scope: str = ""
    brd: str = ""
    peer: str = ""
    flags: tuple[str, ...] = ()

    @property
    def ip(self) -> IPAddress:
        """The address as an object of the standard library."""
        return ipaddress.ip_address(self.address)

    @property
    def interface(self) -> IPInterface:
        """Address and prefix as keepalived will configure them."""
        width = 128 if ":" in self.address else 32
        return ipaddress.ip_interface("%s/%d" % (self.address, width if self.prefixlen is None else self.prefixlen))


class Track(NamedTuple):
    """One line of ``track_script`` and its kin; ``weight`` None: the weight of the definition counts."""

    name: str
    weight: Optional[int] = None
    reverse: bool = False


class Interface(NamedTuple):
    """A network interface of a host, as facts or the kernel tell it."""

    name: str
    addresses: tuple[IPInterface, ...] = ()
    up: bool = True
    mac: str = ""


@dataclass
class Block:
    """A named block of keepalived.conf with its keywords."""

    name: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    origin: Origin = field(default_factory=Origin)
    #: Where each keyword was written, if known; see :meth:`place`.
    places: dict[str, Origin] = field(default_factory=dict)

    def place(self, keyword: str = "") -> Origin:
        """The place of a keyword, else that of the block."""
        return self.places.get(keyword, self.origin)


@dataclass
class Tracked(Block):
    """A ``vrrp_script``, ``track_file`` or ``vrrp_track_process``: something whose failure matters to an instance."""

    @property
    def weight(self) -> int:
        """0: a failure means FAULT; else it moves the priority."""
        return int(self.options.get("weight", Track("", 0)).weight or 0)

    @property
    def reverse(self) -> bool:
        """Whether success and failure change places."""
        return bool(self.options.get("weight", Track("", 0)).reverse)

    @property
    def interval(self) -> float:
        """Seconds between two runs (scripts; default 1)."""
        return float(self.options.get("interval", 1))

    @property
    def timeout(self) -> float:
        """Seconds after which a run has failed (scripts; 0: not set, keepalived takes the interval)."""
        return float(self.options.get("timeout", 0))


@dataclass
class SyncGroup(Block):
    """A ``vrrp_sync_group``."""

    @property
    def group(self) -> list[str]:
        """Names of the member instances."""
        return list(self.options.get("group", []))


@dataclass
class VrrpInstance(Block):
    """A ``vrrp_instance`` as one host runs it."""

    @property
    def virtual_router_id(self) -> int:
        """1 to 255; 0: not set."""
        return int(self.options.get("virtual_router_id", 0))

    @property
    def state(self) -> str:
        """MASTER or BACKUP, the state it starts in (keepalived's default: BACKUP)."""
        return str(self.options.get("state", "BACKUP"))

    @property
    def interface(self) -> str:
        """The interface VRRP runs on."""
        return str(self.options.get("interface", ""))

    @property
    def priority(self) -> int:
        """The base priority."""
        return int(self.options.get("priority", DEFAULT_PRIORITY))

    @property
    def advert_int(self) -> float:
        """Seconds between two advertisements."""
        return float(self.options.get("advert_int", 1))

    @property
    def version(self) -> Optional[int]:
        """2 or 3 where the instance says it itself."""
        version = self.options.get("version")
        return None if version is None else int(version)

    @property
    def nopreempt(self) -> bool:
        """Whether a returning router of higher priority leaves the VIP where it is."""
        return bool(self.options.get("nopreempt"))

    @property
    def preempt_delay(self) -> float:
        """Seconds a returning router waits before it takes the VIP back."""
        return float(self.options.get("preempt_delay", 0))

    @property
    def unicast_src_ip(self) -> str:
        """Source address of unicast advertisements."""
        return str(self.options.get("unicast_src_ip", ""))

    @property
    def unicast_peer(self) -> list[str]:
        """Addresses the advertisements go to; empty: multicast."""
        return list(self.options.get("unicast_peer", []))

    @property
    def auth_type(self) -> str:
        """PASS, AH or empty."""
        return str((self.options.get("authentication") or {}).get("auth_type", ""))

    @property
    def auth_pass(self) -> str:
        """The password, or the token that stands for it."""
        return str((self.options.get("authentication") or {}).get("auth_pass", ""))

    @property
    def vips(self) -> list[Vip]:
        """The addresses in the advertisements."""
        return list(self.options.get("virtual_ipaddress", []))

    @property
    def excluded_vips(self) -> list[Vip]:
        """The addresses that move along but are not advertised."""
        return list(self.options.get("virtual_ipaddress_excluded", []))

    @property
    def family(self) -> int:
        """4 or 6, from the first VIP (keepalived does the same)."""
        vips = self.options.get("virtual_ipaddress") or self.options.get("virtual_ipaddress_excluded")
        return 6 if vips and ":" in vips[0].address else 4


@dataclass
class RealServer(Block):
    """A ``real_server``, or the ``sorry_server``, of a virtual server; ``name`` is its address and port."""

    address: str = ""
    #: 0: none was written, and keepalived takes that of the virtual server.
    port: int = 0
    #: Its checks: the name of each block is the kind, as TCP_CHECK. Those of one kind stand together.
    checks: list[Block] = field(default_factory=list)


@dataclass
class VirtualServer(Block):
    """A ``virtual_server``: of an address and port, of a firewall mark, or of a group.

    ``name`` is what stands between the keyword and the brace.
    """

    address: str = ""
    #: 0: none was written.
    port: int = 0
    #: None: it is no service of a firewall mark.
    fwmark: Optional[int] = None
    #: Name of its ``virtual_server_group``; empty: none.
    group: str = ""
    real_servers: list[RealServer] = field(default_factory=list)
    sorry_server: Optional[RealServer] = None

    @property
    def lb_algo(self) -> str:
        """The scheduler; empty: not set, and keepalived takes wlc."""
        return str(self.options.get("lb_algo", self.options.get("lvs_sched", "")))

    @property
    def lb_kind(self) -> str:
        """NAT, DR or TUN; empty: not set, and keepalived takes NAT."""
        return str(self.options.get("lb_kind", self.options.get("lvs_method", ""))).partition(" ")[0]

    @property
    def protocol(self) -> str:
        """TCP, UDP or SCTP; empty: not set, and keepalived takes UDP where there is an address."""
        return str(self.options.get("protocol", ""))

    @property
    def delay_loop(self) -> float:
        """Seconds between two checks (keepalived's default: 60)."""
        return float(self.options.get("delay_loop", 60))

    def method_of(self, server: RealServer) -> str:
        """NAT, DR or TUN: how packets reach one of its real servers, or its sorry server."""
        options = self.options if server is self.sorry_server else server.options
        keyword = "sorry_server_lvs_method" if server is self.sorry_server else "lvs_method"
        return str(options.get(keyword, self.lb_kind or "NAT")).partition(" ")[0]

    def weight_of(self, server: RealServer) -> int:
        """The weight of a real server; its own, else that of the virtual server, else 1."""
        return int(server.options.get("weight", self.options.get("weight", 1)))


class AddressRange(NamedTuple):
    """One line of a ``virtual_server_group`` with addresses; ``last`` is ``first`` where it is one."""

    first: str
    last: str
    #: 0: none was written.
    port: int = 0


class Fwmark(NamedTuple):
    """One line of a ``virtual_server_group`` with a firewall mark; ``family`` inet, inet6, or empty."""

    mark: int
    family: str = ""


@dataclass
class VirtualServerGroup(Block):
    """A ``virtual_server_group``: address ranges with ports, and firewall marks."""

    addresses: list[AddressRange] = field(default_factory=list)
    fwmarks: list[Fwmark] = field(default_factory=list)


#: Programs that take shell syntax, and further ones that take a script.
SHELLS = ("sh", "bash", "dash", "ksh", "zsh", "ash")
INTERPRETERS = (*SHELLS, "python", "perl")


class Command(NamedTuple):
    """A command that a configuration runs: where it stands, its words, and the user named for it (empty: none)."""

    block: Block
    keyword: str
    words: tuple[str, ...]
    user: str = ""
    #: The VRRP instance it belongs to; empty: none.
    instance: str = ""

    @property
    def program(self) -> str:
        """The file that the command is about: the script where an interpreter is named before it."""
        interpreted = self.words[0].rsplit("/", 1)[-1].rstrip("0123456789.") in INTERPRETERS
        scripts = [word for word in self.words[1:2] if interpreted and word.startswith("/")]
        return [*scripts, self.words[0]][0]


class PathFacts(NamedTuple):
    """A file that a configuration names, as the host has it. ``mode`` 0 and ``exists`` False: it is not there."""

    exists: bool
    mode: int = 0
    owner: str = ""
    group: str = ""
    is_file: bool = True
    #: The nearest directory above it, or the file itself, that others than root can write; empty: none.
    writable_by_others: str = ""
    #: Its first two kilobytes where it is a script; empty: not a text, or not read.
    head: str = ""
    #: Whether the directories above it let everybody through.
    reachable: bool = True
    #: The first directory above it that is a symbolic link, as the path is written; empty: none.
    linked: str = ""


@dataclass
class Machine:
    """What is known of a host besides keepalived's files and its interfaces; what is not known is None or absent."""

    #: keepalived's version, as (2, 2, 7).
    release: Optional[tuple[int, ...]] = None
    #: The files and commands that the configuration names, and the configuration's own files.
    paths: dict[str, PathFacts] = field(default_factory=dict)
    #: Names of the users that the configuration names: whether each exists.
    users: dict[str, bool] = field(default_factory=dict)
    #: sysctl keys with dots, as ``net.ipv4.ip_forward``.
    sysctls: dict[str, str] = field(default_factory=dict)
    #: Kernel: whether ip_vs is there or can be loaded.
    ip_vs: Optional[bool] = None
    #: What HAProxy binds: (address or ``*``, port, where it is written).
    haproxy_binds: Optional[list[tuple[str, int, Origin]]] = None
    #: Further facts for the rules about the environment, each under a name of its own.
    facts: dict[str, Any] = field(default_factory=dict)


#: The keywords that run a command.
_RUN = frozenset(
    (
        "script",
        "startup_script",
        "shutdown_script",
        "notify_fifo_script",
        "vrrp_notify_fifo_script",
        "lvs_notify_fifo_script",
        "notify",
        "notify_master",
        "notify_backup",
        "notify_fault",
        "notify_stop",
        "notify_deleted",
        "notify_master_rx_lower_pri",
        "notify_up",
        "notify_down",
        "quorum_up",
        "quorum_down",
        "misc_path",
    )
)


def _command_words(line: str) -> tuple[str, ...]:
    """The words of a command line; one with an open quote is split at its blanks."""
    try:
        return tuple(shlex.split(line)) or (line,)
    except ValueError:
        return tuple(line.split())


@dataclass
class Director:
    """One host that runs keepalived. ``interfaces`` None: its facts are not known."""

    host: str
    global_defs: Block = field(default_factory=Block)
    instances: list[VrrpInstance] = field(default_factory=list)
    scripts: list[Tracked] = field(default_factory=list)
    files: list[Tracked] = field(default_factory=list)
    processes: list[Tracked] = field(default_factory=list)
    sync_groups: list[SyncGroup] = field(default_factory=list)
    virtual_servers: list[VirtualServer] = field(default_factory=list)
    virtual_server_groups: list[VirtualServerGroup] = field(default_factory=list)
    bfd_instances: list[Block] = field(default_factory=list)
    interfaces: Optional[dict[str, Interface]] = None
    machine: Machine = field(default_factory=Machine)
    #: ``static_ipaddress``: a list of :class:`Vip`, which the host has for as long as keepalived runs.
    static: Block = field(default_factory=Block)
    #: The block ``SSL``, of the checks SSL_GET.
    ssl: Block = field(default_factory=Block)

    @property
    def static_vips(self) -> list[Vip]:
        """The addresses of ``static_ipaddress``."""
        return list(self.static.options.get("static_ipaddress", []))

    def version_of(self, instance: VrrpInstance) -> int:
        """2 or 3: the instance's own, else the global one, else 2; always 3 for IPv6 (keepalived.conf(5), version)."""
        if instance.family == 6:
            return 3
        return instance.version or int(self.global_defs.options.get("vrrp_version", 2))

    def commands(self) -> list[Command]:
        """Every command that the configuration runs, those of health checks too."""
        blocks: list[Block] = [self.global_defs, *self.scripts, *self.sync_groups, *self.instances]
        for virtual in self.virtual_servers:
            blocks.append(virtual)
            sorry = [virtual.sorry_server] if virtual.sorry_server else []
            for real in virtual.real_servers + sorry:
                blocks += [real, *real.checks]
        found = []
        for block in blocks:
            user = (block.options.get("user") or [""])[0]
            instance = block.name if isinstance(block, VrrpInstance) else ""
            for keyword, line in block.options.items():
                if keyword in _RUN and isinstance(line, str) and line.split():
                    found.append(Command(block, keyword, _command_words(line), user, instance))
        return found

    def tracks_of(self, instance: VrrpInstance) -> list[tuple[str, Track, Optional[Tracked]]]:
        """What an instance tracks: (keyword, the line, its definition or None)."""
        found: list[tuple[str, Track, Optional[Tracked]]] = []
        for keyword, definitions in (
            ("track_script", self.scripts),
            ("track_file", self.files),
            ("track_process", self.processes),
        ):
            by_name = {definition.name: definition for definition in definitions}
            found += [(keyword, track, by_name.get(track.name)) for track in instance.options.get(keyword, [])]
        return found + [("track_interface", track, None) for track in instance.options.get("track_interface", [])]


@dataclass
class Backend:
    """One host that runs real servers. ``interfaces`` None: its facts are not known."""

    host: str
    interfaces: Optional[dict[str, Interface]] = None
    machine: Machine = field(default_factory=Machine)


@dataclass
class Cluster:
    """Hosts that share VRRP instances, and the hosts that they balance to."""

    directors: dict[str, Director] = field(default_factory=dict)
    backends: dict[str, Backend] = field(default_factory=dict)


@dataclass
class WantedInstance(Block):
    """A VRRP instance as the inventory describes it once, for all its hosts."""

    #: Order of preference; empty: all hosts of the cluster.
    hosts: list[str] = field(default_factory=list)
    #: ``unicast`` or ``multicast``.
    transport: str = "unicast"


@dataclass
class Host:
    """What the inventory and the facts know of one host. ``interfaces`` None: no facts."""

    name: str
    interfaces: Optional[dict[str, Interface]] = None
    #: Per instance, the options set by hand for this host.
    overrides: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: keepalived's version, as (2, 2, 7), if known.
    release: Optional[tuple[int, ...]] = None
    #: What HAProxy is to bind there; see :class:`Machine`.
    haproxy_binds: Optional[list[tuple[str, int, Origin]]] = None


class SyncDaemon(NamedTuple):
    """What was said of ``lvs_sync_daemon``; what is empty or None is computed."""

    enabled: bool = True
    interface: str = ""
    #: Empty: connections are sent and received by every director, whoever holds which VIP.
    instance: str = ""
    id: Optional[int] = None


@dataclass
class Topology:
    """A cluster as the inventory describes it: once, before anything is computed."""

    hosts: dict[str, Host] = field(default_factory=dict)
    instances: list[WantedInstance] = field(default_factory=list)
    scripts: list[Tracked] = field(default_factory=list)
    files: list[Tracked] = field(default_factory=list)
    processes: list[Tracked] = field(default_factory=list)
    sync_groups: list[SyncGroup] = field(default_factory=list)
    #: The same for every host; ``router_id`` is computed where it is not given.
    global_defs: dict[str, Any] = field(default_factory=dict)
    #: Path of the script that every change of state calls; empty: none.
    notify: str = ""
    #: Name of a preset of ``_timers``; empty: keepalived's own numbers.
    timers: str = ""
    #: Path of the file that moves a director's VIPs away while it holds a negative number; empty: none.
    drain_file: str = ""
    virtual_servers: list[VirtualServer] = field(default_factory=list)
    virtual_server_groups: list[VirtualServerGroup] = field(default_factory=list)
    bfd_instances: list[Block] = field(default_factory=list)
    #: The hosts of the groups that real servers are taken from.
    backends: dict[str, Backend] = field(default_factory=dict)
    sync_daemon: SyncDaemon = field(default_factory=SyncDaemon)
