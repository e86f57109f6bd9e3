# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The rules about scripts."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.module_utils._model import (
    Block,
    Cluster,
    PathFacts,
    RealServer,
    Tracked,
    VirtualServer,
)
from ansible_collections.failover.vip.plugins.module_utils._rules import _scripts
from ansible_collections.failover.vip.tests.unit.plugins.module_utils._rules.cases import (
    Case,
    Change,
    around,
    both,
    complete,
    find,
    globally,
    script,
    silent,
)


def second_script(cluster: Cluster) -> None:
    cluster.directors["ka1"].scripts.append(copy.deepcopy(cluster.directors["ka1"].scripts[0]))


def unused(cluster: Cluster) -> None:
    cluster.directors["ka1"].scripts.append(Tracked("idle", {"script": "/usr/bin/true"}))


def slow_script(cluster: Cluster) -> None:
    cluster.directors["ka1"].scripts[0].options["timeout"] = 2


def script_of_root(cluster: Cluster) -> None:
    cluster.directors["ka1"].scripts[0].options["user"] = ["root", "root"]


def only_notify(cluster: Cluster) -> None:
    """No vrrp_script any more, but a notify script, and no security."""
    director = cluster.directors["ka1"]
    director.scripts = []
    director.global_defs.options["enable_script_security"] = False
    director.instances[0].options.update(track_script=[], notify_master="/etc/keepalived/mail.sh")


def notify(keyword: str = "notify_master", **facts: Any) -> Change:
    """A notify script on ka1 with these facts."""

    def change(cluster: Cluster) -> None:
        director = cluster.directors["ka1"]
        director.instances[0].options[keyword] = "/etc/keepalived/mail.sh MASTER"
        its = {"exists": True, "mode": 0o755, "owner": "root", "group": "root", **facts}
        director.machine.paths["/etc/keepalived/mail.sh"] = PathFacts(**its)

    return change


def with_root(change: Change) -> Change:
    """The change, with scripts that run as root."""
    return both(change, globally("ka1", script_user=["root"]))


def misc_check_of_nobody(cluster: Cluster) -> None:
    """A check of a real server that runs as a user whom ka1 does not know."""
    director = cluster.directors["ka1"]
    check = Block("MISC_CHECK", {"misc_path": "/etc/check.sh", "user": ["nobody-here"]})
    real = RealServer("172.25.254.11 80", address="172.25.254.11", port=80, checks=[check])
    director.virtual_servers.append(VirtualServer("172.25.254.100 80", real_servers=[real]))
    director.machine.users["nobody-here"] = False


def before_links(cluster: Cluster) -> None:
    """ka1 runs its check as root, with a keepalived that takes links (and ka2 the same, which KP020 is about)."""
    for director in cluster.directors.values():
        director.machine.release = (2, 2, 8)
    cluster.directors["ka1"].scripts[0].options["user"] = ["keepalived_script", "root"]


LINKED = script("/bin/x", linked="/bin")
ECHO = "#!/bin/sh\n# says it\nif pidof haproxy; then echo 0; fi\necho 1\n"


CASES: list[Case] = [
    ("KH020", "warning", "timeout 2 s is not below its interval of 2 s", slow_script),
    ("KH022", "warning", "vrrp_script idle is tracked by nothing", unused),
    ("KH023", "error", "two vrrp_script of the name chk", second_script),
    ("KH026", "error", "chk runs a script", globally("ka1", enable_script_security=False)),
    ("KH026", "error", "WEB_VIP runs a script", only_notify),
    ("KH027", "warning", "all scripts run as root", globally("ka1", script_user=["root"])),
    ("KH027", "warning", "vrrp_script chk runs as root", script_of_root),
    ("KH024", "warning", "uses '&&' without a shell", script("/usr/bin/pidof haproxy && true")),
    ("KH024", "warning", "only prints", script("/usr/bin/echo 0")),
    ("KH024", "warning", "ends with echo, and always", script("/usr/bin/sh -c 'pidof haproxy || echo 1'")),
    ("KH024", "warning", "runs /etc/check.sh, which ends with echo", script("/etc/check.sh", ECHO)),
    ("KH024", "warning", "runs /etc/check.sh, which ends with echo", script("/usr/bin/bash /etc/check.sh", ECHO)),
    ("KH025", "error", "killall does not exist here", script("killall -0 haproxy", exists=False)),
    (
        "KH025",
        "error",
        "runs /etc/check.py, which does not exist",
        script("/usr/bin/python3 /etc/check.py", exists=False),
    ),
    ("KH025", "error", "is no file", script("/etc", is_file=False)),
    ("KH025", "error", "is not executable (mode 0644)", script("/etc/check.sh", mode=0o644)),
    ("KH025", "error", "is executable for root alone, and runs as keepalived_script", script("/etc/c.sh", mode=0o700)),
    ("KH025", "error", "by a relative path", script("scripts/check.sh")),
    ("KH025", "warning", "is named without a path", script("killall -0 haproxy")),
    ("KH027", "error", "the user keepalived_script does not exist", around(users={"keepalived_script": False})),
    ("KH027", "error", "the user nobody-here does not exist", misc_check_of_nobody),
    ("KH051", "error", "/bin is a symbolic link, and keepalived since 2.3.0", with_root(LINKED)),
    ("KH051", "error", "does not run /bin/x", script("/bin/x", linked="/bin", mode=0o4755)),
    ("KH051", "error", "does not run /bin/x", both(globally("ka1", script_user=["keepalived_script", "root"]), LINKED)),
    ("KH027", "error", "others than root can write it", with_root(script("/etc/c.sh", writable_by_others="/etc/c.sh"))),
    ("KH027", "warning", "others than root can write /srv", script("/srv/c.sh", writable_by_others="/srv")),
    ("KH028", "error", "/etc/keepalived/mail.sh does not exist", notify(exists=False)),
    ("KH028", "error", "is not executable", notify(mode=0o644)),
    (
        "KH028",
        "error",
        "(mode 0644), and so for 1 more",
        both(notify(mode=0o644), notify("notify_stop", mode=0o644)),
    ),
    ("KH029", "warning", "notify and notify_master both run", both(notify("notify"), notify("notify_master"))),
    ("KH029", "warning", "notify_backup without notify_fault and notify_stop", notify("notify_backup")),
]


@pytest.mark.parametrize("case", CASES, ids=["%s-%s" % case[:2] for case in CASES])
def test_found(case: Case) -> None:
    find(case)


def test_every_rule_has_a_case() -> None:
    complete(_scripts, CASES)


ACCEPTED: list[tuple[str, Change]] = [
    ("a link above a script of another user", LINKED),
    ("a link above a script of root's, before 2.3.0", both(LINKED, before_links)),
    ("a script user of its own", globally("ka1 ka2", script_user=["keepalived_script"])),
    ("a shell around its syntax", script("/usr/bin/sh -c 'pidof haproxy && ! test -e /run/down'")),
    ("echo before an exit status", script("/usr/bin/sh -c 'pidof haproxy || { echo down; exit 1; }'")),
    ("a script that says and exits", script("/etc/check.sh", ECHO + "exit 1\n")),
    ("a script that goes on further than was read", script("/etc/check.sh", "#!/bin/sh\n" + "echo 1\n" * 400)),
    ("a program that no shell runs", script("/etc/check", "#!/usr/bin/python3\necho = 1\necho\n")),
    ("a file to open instead of a program", script("</run/haproxy.pid")),
    (
        "a file that its own user may write",
        script("/etc/c.sh", owner="keepalived_script", writable_by_others="/etc/c.sh"),
    ),
    ("notify_master alone", notify()),
    ("notify alone", notify("notify")),
    ("a fifo beside them", both(globally("ka1", notify_fifo=["/run/fifo"]), notify("notify"), notify("notify_master"))),
    ("nothing known", both(around(paths={}, users={}), script("/gone"), around(paths={}))),
]


@pytest.mark.parametrize(("name", "change"), ACCEPTED, ids=[name for name, _change in ACCEPTED])
def test_accepted(name: str, change: Change) -> None:
    silent(change)
