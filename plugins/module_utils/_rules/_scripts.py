# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about the scripts that one host runs: checks and notifications.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Optional

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, WARNING
from ansible_collections.failover.vip.plugins.module_utils._model import (
    SHELLS,
    Block,
    Command,
    Director,
    Origin,
    PathFacts,
    Tracked,
    VrrpInstance,
)
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault, fault, script_user
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, host_rule

#: Characters of a script that the machine's facts hold; one as long as that may go on.
HEAD_SIZE = 2048
#: Words that only a shell understands.
_SYNTAX = frozenset(
    ("|", "||", "&&", ";", "&", ">", ">>", "<", "2>", "2>&1", ">/dev/null", "&>/dev/null", "2>/dev/null")
)
#: A command line of a shell whose last command prints, whatever came before.
_PRINTED_LAST = re.compile(r"(?:^|;|\|\|)\s*(?:echo|printf)\b[^;|&]*$")
_NOTIFY = ("notify_master", "notify_backup", "notify_fault", "notify_stop")


@host_rule(
    "KH020",
    WARNING,
    "script timeout not below its interval",
    "Make the timeout smaller than the interval, so that runs cannot pile up.",
    MAN + ", vrrp_script",
)
def script_slower_than_its_interval(director: Director) -> Iterator[Fault]:
    """keepalived starts the next run when the interval is over, and counts a run as failed only after its timeout.

    A script that hangs is then noticed late, the runs stumble over each other, and a short hiccup can look like several
    failures in a row.
    """
    for script in director.scripts:
        if script.timeout >= script.interval and "timeout" in script.options:
            yield Fault(
                "vrrp_script %s: timeout %g s is not below its interval of %g s"
                % (script.name, script.timeout, script.interval),
                director.host,
                origin=script.place("timeout"),
            )


@host_rule(
    "KH022",
    WARNING,
    "vrrp_script that nothing tracks",
    "Add it to track_script, or drop it.",
    MAN + ", vrrp_script",
)
def unused_script(director: Director) -> Iterator[Fault]:
    """A script that no instance and no group tracks is never run.

    It is usually a check that somebody believes to be in force, whose line in track_script was lost or misspelt.
    """
    used: set[str] = set()
    for block in [*director.instances, *director.sync_groups]:
        used |= {track.name for track in block.options.get("track_script", [])}
    for script in director.scripts:
        if script.name not in used:
            yield Fault(
                "vrrp_script %s is tracked by nothing and never runs" % script.name,
                director.host,
                origin=script.place(),
            )


@host_rule(
    "KH023",
    ERROR,
    "one name twice",
    "Give each its own name.",
    "measured",
)
def name_twice(director: Director) -> Iterator[Fault]:
    """keepalived takes both definitions without complaint, and every use of the name means only one of them.

    Which one is easily changed by the order in which files are included.
    """
    kinds: tuple[tuple[str, list[Tracked]], ...] = (
        ("vrrp_script", director.scripts),
        ("track_file", director.files),
        ("vrrp_track_process", director.processes),
    )
    for kind, blocks in kinds:
        seen: set[str] = set()
        for block in blocks:
            if block.name in seen:
                yield Fault("two %s of the name %s" % (kind, block.name), director.host, origin=block.place())
            seen.add(block.name)
    seen = set()
    for instance in director.instances:
        if instance.name in seen:
            yield fault(director, instance, "two vrrp_instance of the name %s" % instance.name)
        seen.add(instance.name)


@host_rule(
    "KH024",
    WARNING,
    "script that tells nothing by its exit status",
    "End with exit 0 or exit 1, and put a shell around shell syntax: \"/usr/bin/sh -c '…'\".",
    MAN + ", vrrp_script",
)
def script_without_verdict(director: Director) -> Iterator[Fault]:
    """keepalived looks at the exit status alone, and starts the command itself, without a shell.

    A pipe, a redirection or && is then an argument like any other, and the first program complains about it or ignores
    it: the check fails, or succeeds, for good. A script whose last word is echo succeeds whatever it prints.
    """
    for command in director.commands():
        if command.keyword not in ("script", "misc_path"):
            continue
        words, name = command.words, command.block.name
        shell = words[0].rsplit("/", 1)[-1] in SHELLS
        why = ""
        if words[0].startswith("<"):
            continue
        if not shell and _SYNTAX.intersection(words[1:]):
            found = next((word for word in words if word in _SYNTAX), "")
            why = "uses '%s' without a shell, so it is an argument of %s" % (found, words[0])
        elif words[0].rsplit("/", 1)[-1] in ("echo", "printf"):
            why = "only prints, and always succeeds"
        elif shell and "-c" in words[1:-1] and _PRINTED_LAST.search(words[words.index("-c") + 1]):
            why = "ends with echo, and always succeeds"
        elif _only_prints(director.machine.paths.get(command.program)):
            why = "runs %s, which ends with echo and never with an exit status" % command.program
        if why:
            yield Fault(
                "%s %s" % ("vrrp_script %s" % name if command.keyword == "script" else command.keyword, why),
                director.host,
                origin=command.block.place(command.keyword),
            )


def _only_prints(facts: Optional[PathFacts]) -> bool:
    """Whether a whole shell script has echo as its last command and no word that sets another exit status."""
    if facts is None or not facts.head.startswith("#!") or len(facts.head) >= HEAD_SIZE:
        return False
    first, *lines = [line.strip() for line in facts.head.splitlines() if line.strip()]
    code = [line for line in lines if not line.startswith("#")]
    return (
        bool(code)
        and first.rstrip().endswith("sh")
        and code[-1].split()[0] in ("echo", "printf")
        and not any(re.search(r"\b(exit|exec|return)\b|\bset -[a-z]*e", line) for line in code)
    )


@host_rule(
    "KH025",
    ERROR,
    "check whose program is not there",
    "Install the program, or correct the path; write it from / on.",
    "measured",
)
def check_without_program(director: Director) -> Iterator[Fault]:
    """keepalived disables a check whose program it cannot find or execute, says so when it starts, and goes on without.

    The VIP then stays where nothing works. killall is missing from many small images, and in which directories a name
    without a path is searched for depends on how keepalived was started.
    """
    for script in director.commands():
        if script.keyword != "script" or script.words[0].startswith("<"):
            continue
        why, severity = why_not_run(director, script), ""
        if not why and "/" not in script.words[0]:
            why, severity = "is named without a path, so keepalived searches for it", WARNING
        elif not why and not script.words[0].startswith("/"):
            why = "is named by a relative path"
        if why:
            yield Fault(
                "vrrp_script %s: %s %s" % (script.block.name, script.words[0], why),
                director.host,
                origin=script.block.place("script"),
                severity=severity,
            )


def why_not_run(director: Director, command: Command) -> str:
    """Why the machine cannot run a command; empty: it can, or it is not known."""
    first, file = command.words[0], command.program
    for path in dict.fromkeys((first, file)):
        facts = director.machine.paths.get(path)
        if facts is None:
            continue
        named = "" if path == first else "runs %s, which " % path
        if not facts.exists:
            return named + "does not exist here"
        if not facts.is_file:
            return named + "is no file"
        if path == first and not facts.mode & 0o111:
            return "is not executable (mode %04o)" % facts.mode
        user = script_user(director, command.user)
        if path == first and user not in ("", "root", facts.owner) and not facts.mode & 0o011:
            return "is executable for %s alone, and runs as %s" % (facts.owner, user)
    return ""


@host_rule(
    "KH026",
    ERROR,
    "scripts without enable_script_security",
    "Add enable_script_security to global_defs.",
    MAN + ", enable_script_security",
)
def scripts_without_security(director: Director) -> Iterator[Fault]:
    """Without it keepalived runs every script as it finds it, even one that any user of the machine may rewrite, and by
    default as root.

    keepalived's own test counts scripts without this keyword as an error of their own, with exit status 6.
    """
    if director.global_defs.options.get("enable_script_security"):
        return
    for command in director.commands():
        yield Fault(
            "%s runs a script, and enable_script_security is not set" % (command.block.name or "global_defs"),
            director.host,
            origin=command.block.place(command.keyword),
        )
        return


@host_rule(
    "KH027",
    ERROR,
    "script in the wrong hands",
    "Give scripts a user of their own (script_user keepalived_script), and let root alone write files and directories.",
    MAN + ", SCRIPTS",
)
def script_in_wrong_hands(director: Director) -> Iterator[Fault]:
    """keepalived refuses to run a script as root if somebody else can change the file or a directory above it, and then
    the check counts as missing.

    A user that does not exist disables the script as well. A script that runs as root without need gives whoever finds
    a hole in it the whole director.
    """
    named: dict[str, Origin] = {}
    user = str((director.global_defs.options.get("script_user") or [""])[0])
    commands = director.commands()
    if user:
        named[user] = director.global_defs.place("script_user")
    if user == "root" and commands:
        yield Fault("script_user root: all scripts run as root", director.host, origin=named[user], severity=WARNING)
    for command in commands:
        if command.user:
            named.setdefault(command.user, command.block.place("user"))
    for script in director.scripts:
        if (script.options.get("user") or [""])[0] == "root":
            yield Fault(
                "vrrp_script %s runs as root" % script.name,
                director.host,
                origin=script.place("user"),
                severity=WARNING,
            )
    for name, origin in named.items():
        if director.machine.users.get(name) is False:
            yield Fault(
                "the user %s does not exist, so keepalived runs none of its scripts" % name,
                director.host,
                origin=origin,
            )
    seen: set[str] = set()
    for command in commands:
        for path in dict.fromkeys((command.words[0], command.program)):
            facts = director.machine.paths.get(path)
            if facts is None or not facts.writable_by_others or path in seen:
                continue
            seen.add(path)
            runs_as = script_user(director, command.user)
            theirs = facts.writable_by_others == path and facts.owner == runs_as and not facts.mode & 0o002
            if runs_as not in ("", "root") and theirs:
                continue
            yield Fault(
                "%s decides about the VIP, and others than root can write %s"
                % (path, "it" if facts.writable_by_others == path else facts.writable_by_others),
                director.host,
                command.instance,
                command.block.place(command.keyword),
                severity=ERROR if runs_as == "root" else WARNING,
            )


@host_rule(
    "KH051",
    ERROR,
    "script behind a symbolic link",
    "Write the path that the link leads to, as /usr/bin instead of /bin.",
    "measured; keepalived notify.c",
)
def script_behind_a_link(director: Director) -> Iterator[Fault]:
    """Since 2.3.0 keepalived walks the path of what it runs as root, and refuses one with a link among its directories.

    It says 'Wrong file type found in script path' and goes on without the check, or the notification. /bin is such a
    link on every system of today, so a file that was right for years breaks with the update. A link that is the last
    part of the path is taken, and use_symlink_paths changes nothing.
    """
    release = director.machine.release
    if release is None or release < (2, 3, 0):
        return
    seen: set[str] = set()
    for command in director.commands():
        path = command.words[0]
        facts = director.machine.paths.get(path)
        if facts is None or not facts.linked or path in seen:
            continue
        if _as_root(director, command, facts):
            seen.add(path)
            yield Fault(
                "%s: %s is a symbolic link, and keepalived since 2.3.0 does not run %s"
                % (command.block.name or command.keyword, facts.linked, path),
                director.host,
                command.instance,
                command.block.place(command.keyword),
            )


def _as_root(director: Director, command: Command, facts: PathFacts) -> bool:
    """Whether a command has root's powers: by its user or group, or by the bits of its file."""
    named = command.block.options.get("user") or director.global_defs.options.get("script_user") or []
    of_root = (facts.owner == "root" and facts.mode & 0o4000) or (facts.group == "root" and facts.mode & 0o2000)
    return bool(script_user(director, command.user) == "root" or named[1:2] == ["root"] or of_root)


@host_rule(
    "KH028",
    ERROR,
    "notify script that cannot run",
    "Correct the path, or make the script executable; put the whole command line into one pair of double quotes.",
    "measured",
)
def notify_that_cannot_run(director: Director) -> Iterator[Fault]:
    """keepalived says at its start that it disables the script, and the change of state then happens without it.

    Its test passes over that. The same id is reported for words behind the quotes: keepalived takes the first two as
    user and group and drops the rest, so the script runs without its arguments or not at all.
    """
    found: dict[str, list[Command]] = {}
    for command in director.commands():
        why = "" if command.keyword in ("script", "misc_path") else why_not_run(director, command)
        if why:
            found.setdefault("%s %s" % (command.words[0], why), []).append(command)
    for message, commands in found.items():
        first, more = commands[0], len(commands) - 1
        yield Fault(
            "%s: %s%s" % (first.keyword, message, ", and so for %d more" % more if more else ""),
            director.host,
            first.instance,
            first.block.place(first.keyword),
        )


@host_rule(
    "KH029",
    WARNING,
    "notify scripts that miss or cross each other",
    "Use notify alone, or notify_fifo, or all of notify_master, notify_backup, notify_fault and notify_stop.",
    MAN + ", notify",
)
def notify_incomplete(director: Director) -> Iterator[Fault]:
    """keepalived starts notify scripts and does not wait: two for one change of state run side by side, in any order.

    What notify_backup undoes must be undone as well when the instance goes to FAULT, and when keepalived stops; each
    has a keyword of its own, and without it nothing is run. A fifo gets every change of state in order.
    """
    if any(director.global_defs.options.get(word) for word in ("notify_fifo", "vrrp_notify_fifo")):
        return
    blocks: list[Block] = [*director.instances, *director.sync_groups]
    for block in blocks:
        there = [word for word in _NOTIFY if block.options.get(word)]
        instance = block.name if isinstance(block, VrrpInstance) else ""
        if block.options.get("notify") and there:
            message = "notify and %s both run at one change of state, at the same time" % ", ".join(there)
            yield Fault(message, director.host, instance, block.place("notify"))
        missing = [word for word in ("notify_fault", "notify_stop") if word not in there]
        if "notify_backup" in there and missing and not block.options.get("notify"):
            yield Fault(
                "notify_backup without %s: what it undoes stays done then" % " and ".join(missing),
                director.host,
                instance,
                block.place("notify_backup"),
            )
