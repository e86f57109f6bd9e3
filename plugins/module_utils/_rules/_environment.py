# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about what surrounds keepalived on a host: firewall, unit, network managers, container, cloud, log.

They need the machine's facts and are silent without them.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, INFO, WARNING
from ansible_collections.failover.vip.plugins.module_utils._model import Director, VrrpInstance
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault, config_test_ends_itself, fault
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, host_rule

#: Values of KeepConfiguration with which networkd leaves addresses that it did not set (systemd.network(5)).
_KEEPING = ("yes", "true", "1", "on", "static")


@host_rule(
    "KE001",
    ERROR,
    "firewall that drops VRRP",
    "Accept IP protocol 112 from the other directors.",
    "RFC 9568 section 5.1.1",
)
def firewall_drops_vrrp(director: Director) -> Iterator[Fault]:
    """A director that hears no advertisements takes the others for dead and becomes master beside them.

    VRRP is a protocol of its own, number 112, beside TCP and UDP. A firewall that accepts established connections and
    a few ports drops it, and that shows only when the second director starts.
    """
    dropped: Mapping[str, str] = director.machine.facts.get("vrrp_dropped") or {}
    for instance in director.instances:
        why = dropped.get(str(instance.family))
        if why:
            yield fault(director, instance, "the firewall drops IP protocol 112 of IPv%d: %s" % (instance.family, why))


@host_rule(
    "KE002",
    ERROR,
    "SELinux denies keepalived something",
    "Label scripts keepalived_unconfined_script_exec_t, or allow what ausearch -m avc shows.",
    "keepalived_selinux(8)",
)
def denied_by_selinux(director: Director) -> Iterator[Fault]:
    """keepalived's scripts run in its own narrow domain, and what works in a shell is denied there.

    A check that may not open a connection or a file fails for ever, and the instance with it. The audit log names
    each denial; here are those of the last days.
    """
    selinux = director.machine.facts.get("selinux") or {}
    if selinux.get("mode") != "enforcing":
        return
    for denied in selinux.get("denied", []):
        yield Fault("SELinux denies keepalived %s" % denied, director.host)


@host_rule(
    "KE003",
    WARNING,
    "keepalived starts before the network",
    "Add a drop-in with Wants=network-online.target and After=network-online.target.",
    "systemd.special(7)",
)
def before_the_network(director: Director) -> Iterator[Fault]:
    """At boot keepalived then meets interfaces that do not exist yet or have no address.

    It refuses to start, or cannot bind its unicast source and stays in FAULT, but only after a reboot and only
    sometimes, as both start at the same time. dynamic_interfaces helps with the interface, not with the address.
    """
    unit = director.machine.facts.get("unit")
    if unit is None:
        return
    missing = [
        "%s=network-online.target" % word
        for word, names in (("Wants", unit.get("wants", [])), ("After", unit.get("after", [])))
        if "network-online.target" not in names
    ]
    if missing:
        yield Fault("keepalived's unit has no %s" % " and no ".join(missing), director.host)


@host_rule(
    "KE004",
    ERROR,
    "systemd-networkd removes VIPs",
    "Set KeepConfiguration=static in the [Network] section of the interface's .network file.",
    "systemd.network(5), KeepConfiguration",
)
def manager_removes_vips(director: Director) -> Iterator[Fault]:
    """systemd-networkd takes away every address that is not in its files when it starts or reconfigures an interface.

    An update of systemd restarts it. keepalived notices that the VIP is gone and falls back to BACKUP, so the VIP moves
    or nobody has it for three advertisements.
    NetworkManager leaves such addresses alone until its connection is activated anew, and is not judged.
    """
    managers = director.machine.facts.get("managers") or {}
    seen: set[str] = set()
    for instance in director.instances:
        for name in [instance.interface, *(vip.dev for vip in instance.vips + instance.excluded_vips)]:
            manager = managers.get(name)
            if manager is None or name in seen or manager.get("name") != "systemd-networkd":
                continue
            seen.add(name)
            keep = str(manager.get("keep") or "no")
            if keep.lower() not in _KEEPING:
                yield fault(
                    director,
                    instance,
                    "systemd-networkd manages %s%s with KeepConfiguration=%s, and removes the VIPs when it restarts"
                    % (name, " (%s)" % manager["file"] if manager.get("file") else "", keep),
                    "interface",
                )


@host_rule(
    "KE005",
    INFO,
    "keepalived -t ends itself",
    "Drop reload_check_config, or upgrade keepalived to 2.2.8 or later.",
    "measured",
)
def test_unusable(director: Director) -> Iterator[Fault]:
    """From 2.2.5 to 2.2.7 the configuration test looks at a script of another user than root and then ends itself.

    keepalived -t exits with 143 whatever the files say. With reload_check_config the daemon runs the same test before
    each reload and refuses every one of them, which it says in its log alone: the old configuration stays in force, and
    a VIP that was added since exists on the peer only.
    """
    if not config_test_ends_itself(director):
        return
    release = ".".join(str(part) for part in director.machine.release or ())
    if director.global_defs.options.get("reload_check_config"):
        yield Fault(
            "keepalived %s refuses every reload: reload_check_config runs a test that ends itself over a script of "
            "another user than root" % release,
            director.host,
            origin=director.global_defs.place("reload_check_config"),
            severity=ERROR,
        )
    elif "running" in director.machine.facts:
        yield Fault(
            "keepalived -t of %s ends itself over a script of another user than root (exit status 143)" % release,
            director.host,
            hint="Test with keepalived_config, which knows a way round, or upgrade keepalived to 2.2.8 or later.",
        )


@host_rule(
    "KE006",
    ERROR,
    "container without what keepalived needs",
    "Give it the capabilities NET_ADMIN and NET_RAW, and a writable /proc/sys/net.",
    "capabilities(7)",
)
def container_too_narrow(director: Director) -> Iterator[Fault]:
    """keepalived sets addresses, for which it needs NET_ADMIN, and speaks a protocol of its own, for which NET_RAW.

    Without them it starts, says so in its log, and holds no VIP. Kernel settings are needed by use_vmac and
    promote_secondaries only.
    """
    facts = director.machine.facts
    missing = facts.get("capabilities_missing") or []
    if missing:
        yield Fault("keepalived lacks the capabilities %s" % ", ".join(missing), director.host)
    if facts.get("sysctl_read_only"):
        for instance in director.instances:
            words = [word for word in ("use_vmac", "promote_secondaries") if word in instance.options]
            if words:
                yield fault(
                    director, instance, "%s needs kernel settings, and /proc/sys is read-only here" % words[0], words[0]
                )


@host_rule(
    "KE007",
    WARNING,
    "cloud network that ignores multicast or ARP",
    "Use unicast_peer, and let notify_master move the address through the cloud's interface.",
    "the clouds' manuals",
)
def cloud_network(director: Director) -> Iterator[Fault]:
    """The networks of the large clouds carry no multicast, so each director hears nobody and becomes master.

    They also deliver by their own tables and not by ARP: a gratuitous ARP changes nothing, and the VIP reaches a new
    master only when somebody tells the cloud.
    """
    cloud = director.machine.facts.get("cloud")
    if not cloud:
        return
    for instance in director.instances:
        if not instance.unicast_peer:
            yield fault(director, instance, "multicast in a network of %s, which carries none" % cloud, "interface")
        elif not _notified(director, instance):
            yield fault(
                director,
                instance,
                "nothing tells %s that the VIP has moved: there is no notify_master" % cloud,
                "virtual_ipaddress",
            )


def _notified(director: Director, instance: VrrpInstance) -> bool:
    """Whether something is called when the instance becomes master."""
    blocks: list[Mapping[str, Any]] = [instance.options]
    blocks += [group.options for group in director.sync_groups if instance.name in group.group]
    words = ("notify", "notify_master")
    fifos = ("notify_fifo", "vrrp_notify_fifo")
    return any(block.get(word) for block in blocks for word in words) or any(
        director.global_defs.options.get(word) for word in fifos
    )


@host_rule(
    "KE008",
    ERROR,
    "password readable by everybody",
    "chmod 0640, and leave it to root.",
    MAN + ", auth_pass",
)
def password_readable(director: Director) -> Iterator[Fault]:
    """Every user and every service of the machine can read the password from the file.

    With it they can send advertisements that keepalived believes. Packages install keepalived.conf readable by all,
    and it stays so when a password is added.
    """
    seen: set[str] = set()
    for instance in director.instances:
        place = instance.place("authentication")
        facts = director.machine.paths.get(place.path)
        if not instance.auth_pass or facts is None or place.path in seen:
            continue
        if facts.exists and facts.mode & 0o004 and facts.reachable:
            seen.add(place.path)
            yield fault(
                director,
                instance,
                "%s holds a password and everybody may read it (mode %04o)" % (place.path, facts.mode),
                "authentication",
            )


@host_rule(
    "KE010",
    WARNING,
    "a killed keepalived leaves its VIPs behind",
    "Add ExecStopPost= with a script that removes the VIPs, and Restart=always.",
    "measured",
)
def nobody_cleans_up(director: Director) -> Iterator[Fault]:
    """Killed, by the kernel for want of memory or by hand, keepalived cannot take its addresses away.

    The peer takes over after three advertisements, and from then on two hosts answer for the VIP, until somebody
    removes it by hand or keepalived starts again. systemd can do both at once.
    """
    unit = director.machine.facts.get("unit")
    if unit is None or not director.instances:
        return
    if not unit.get("stop_post") and unit.get("restart") not in ("always", "on-failure", "on-abnormal", "on-abort"):
        yield Fault(
            "keepalived's unit has neither ExecStopPost nor Restart: killed, it leaves its VIPs here while another "
            "director takes them",
            director.host,
        )


@host_rule(
    "KE011",
    INFO,
    "keepalived's log",
    "Give keepalived a facility of its own (-S 6), a file for it in rsyslog, and a rule for logrotate.",
    "keepalived(8), --log-facility",
)
def log_not_kept(director: Director) -> Iterator[Fault]:
    """A log file of keepalived's own that nobody rotates fills the disk: a flapping peer writes a line each second.

    The options for debugging write one for each packet. Both are forgotten after the day on which they were useful.
    """
    log = director.machine.facts.get("log") or {}
    if log.get("file") and not log.get("rotated"):
        yield Fault("nothing rotates %s, keepalived's own log" % log["file"], director.host)
    if log.get("debug"):
        yield Fault(
            "keepalived runs with %s, which writes a line for each packet" % log["debug"],
            director.host,
            hint="Drop the option when the search is over.",
        )


@host_rule(
    "KE012",
    WARNING,
    "keepalived was updated and not restarted",
    "Restart keepalived, one director after the other; those that hold no VIP first.",
    "measured",
)
def not_restarted(director: Director) -> Iterator[Fault]:
    """The process that runs is of another release than the program on the disk, which a reload does not change.

    What was mended is not in force, and the next start, perhaps in the midst of a failure, is the first of the new
    release with these files. Its test and these rules judge them by what is installed.
    """
    running, release = director.machine.facts.get("running_release"), director.machine.release
    if running and release and tuple(running) != release:
        old, new = (".".join(str(part) for part in one) for one in (running, release))
        yield Fault("keepalived %s runs, and %s is installed" % (old, new), director.host)
