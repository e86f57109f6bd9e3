# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about the checks of real servers, and about BFD (KL…).

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Optional

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, WARNING
from ansible_collections.failover.vip.plugins.module_utils._model import Block, Director, Origin, RealServer
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, host_rule
from ansible_collections.failover.vip.plugins.module_utils._rules._scripts import why_not_run
from ansible_collections.failover.vip.plugins.module_utils._rules._service import Service, number, services

_HTTP = ("HTTP_GET", "SSL_GET")


class _Check(NamedTuple):
    """A check with what is around it."""

    service: Service
    server: RealServer
    block: Block

    def fault(self, message: str, keyword: str = "", hint: str = "", severity: str = "") -> Fault:
        """A fault of the check at a keyword's place."""
        message = "%s of real_server %s %s" % (self.block.name, self.server.name, message)
        return self.service.fault(message, keyword, self.block, hint, severity)

    def seconds(self, keyword: str) -> Optional[float]:
        """A time as it counts for the check: its own, else of the real server, else of the virtual server."""
        for block in (self.block, self.server, self.service.server):
            if keyword in block.options:
                return float(block.options[keyword])
        return None


def _checks(director: Director) -> Iterator[_Check]:
    for service in services(director):
        for server in service.server.real_servers:
            for block in server.checks:
                yield _Check(service, server, block)


@host_rule(
    "KL008",
    ERROR,
    "check that cannot tell whether the service works",
    "Give HTTP_GET and SSL_GET a url with a path; ask a UDP service by UDP_CHECK, DNS_CHECK or MISC_CHECK.",
    "measured",
)
def check_of_nothing(director: Director) -> Iterator[Fault]:
    """HTTP_GET without a url that has a path makes keepalived before 2.2.8 crash as it reads the file.

    Later versions drop the check. A TCP_CHECK of a UDP service asks another program, or a port that is closed for TCP;
    it is fine where one daemon serves both and falls with both, as most name servers do.
    """
    for check in _checks(director):
        if check.block.name in _HTTP:
            urls = check.block.options.get("url") or []
            if not any("path" in url for url in urls):
                release = director.machine.release
                fate = "drops it" if release and release >= (2, 2, 8) else "before 2.2.8 crashes"
                message = "has no url%s: keepalived %s" % (" with a path" if urls else "", fate)
                yield check.fault(message, "url")
        elif check.block.name == "TCP_CHECK" and check.service.server.protocol == "UDP":
            yield check.fault("asks by TCP for a service of UDP", severity=WARNING)


@host_rule(
    "KL009",
    ERROR,
    "check that never runs, or outlasts its interval",
    "Install the program under the path that is written; keep time-outs below delay_loop.",
    "measured",
)
def check_that_cannot_run(director: Director) -> Iterator[Fault]:
    """A MISC_CHECK whose program is missing or not executable is removed at start, and its server counts as healthy.

    A time-out above delay_loop makes the interval longer than what is written, just when a server has died and every
    check of it runs into the time-out.
    """
    commands = {id(command.block): command for command in director.commands() if command.keyword == "misc_path"}
    for check in _checks(director):
        command = commands.get(id(check.block))
        why = why_not_run(director, command) if command else ""
        if command and why:
            yield check.fault("has the program %s, which %s" % (command.words[0], why), "misc_path")
        delay = check.seconds("delay_loop") or 60
        keyword = "misc_timeout" if check.block.name == "MISC_CHECK" else "connect_timeout"
        timeout = check.seconds(keyword)
        if timeout is not None and timeout > delay and check.block.name not in ("BFD_CHECK", "FILE_CHECK"):
            message = "has %s %g, more than its delay_loop %g" % (keyword, timeout, delay)
            yield check.fault(message, keyword, severity=WARNING)


def _families(check: _Check) -> Iterator[str]:
    """What is wrong with the addresses of a check."""
    for block in (check.block.options, *check.block.options.get("host", [])):
        target = str(block.get("connect_ip", check.server.address))
        source = str(block.get("bindto", target))
        if number(target)[0] != number(source)[0]:
            yield "cannot reach %s from %s, an address of the other family" % (target, source)
        if target.startswith("fe80:") and "bind_if" not in block:
            yield "asks the link-local address %s without bind_if" % target


def _undefined(block: Optional[Block], check: Block) -> str:
    """What is wrong with what a check names; keepalived knows only what is defined above."""
    if block is None:
        return "which is not defined"
    if "vrrp" in block.options and "checker" not in block.options:
        return "which is for VRRP alone; add 'checker' to it"
    place = block.origin
    below = place.line and place.path == check.origin.path and place.line > check.origin.line
    return "which is defined below it, in line %d" % place.line if below else ""


@host_rule(
    "KL024",
    ERROR,
    "check that keepalived drops, or that always fails",
    "Add what it needs; define files and BFD instances above the virtual servers.",
    "keepalived/check/check_*.c",
)
def incomplete_check(director: Director) -> Iterator[Fault]:
    """keepalived drops a check that lacks its object, and the real server loses a check without anybody's notice.

    It reads the file once from top to bottom: a track_file or bfd_instance further below is unknown to a check. A URL
    without a path, and a length that no reply can have, are of the same kind.
    """
    objects: dict[str, tuple[str, dict[str, Block]]] = {
        "FILE_CHECK": ("track_file", {block.name: block for block in reversed(director.files)}),
        "BFD_CHECK": ("name", {block.name: block for block in reversed(director.bfd_instances)}),
    }
    for check in _checks(director):
        options, kind = check.block.options, check.block.name
        if kind == "MISC_CHECK" and "misc_path" not in options:
            yield check.fault("has no misc_path")
        if kind in objects:
            keyword, known = objects[kind]
            name = str(options.get(keyword, ""))
            why = _undefined(known.get(name), check.block)
            if not name:
                yield check.fault("has no %s" % keyword)
            elif why:
                yield check.fault("needs %s, %s" % (name, why), keyword)
        for url in options.get("url", []) if any("path" in url for url in options.get("url", [])) else []:
            if "path" not in url:
                yield check.fault("has a url without a path", "url")
            expects = sorted(key for key in url if key.startswith("regex_"))
            if expects and "regex" not in url:
                yield check.fault("has %s without regex" % expects[0], "url")
        shortest, longest = int(options.get("min_reply_length", 0)), int(options.get("max_reply_length", 255))
        if kind == "UDP_CHECK" and shortest > longest:
            yield check.fault(
                "wants replies of %d bytes at least and %d at most" % (shortest, longest), "min_reply_length"
            )
        for why in _families(check):
            yield check.fault(why, "connect_ip" if "connect_ip" in options else "bindto")


@host_rule(
    "KL025",
    ERROR,
    "BFD instance that keepalived disables",
    "Give each a neighbor_ip of its own, and a source_ip of the same family.",
    MAN + ", BFD CONFIGURATION",
)
def bfd_instance(director: Director) -> Iterator[Fault]:
    """keepalived disables a BFD instance that has no neighbour, or the same neighbour and source as one before it.

    Whatever tracks it then sees no failure at all.
    """
    seen: dict[tuple[str, str, bool], str] = {}
    names: dict[str, Origin] = {}
    for block in director.bfd_instances:
        options = block.options
        keyword = "neighbor_ip" if "neighbor_ip" in options else "neighbour_ip"
        neighbour, source = str(options.get(keyword, "")), str(options.get("source_ip", ""))
        key = (neighbour, source, bool(options.get("multihop")))
        hops = int(options.get("max_hops", 0))
        limit = int(options.get("ttl", options.get("hoplimit", 64 if ":" in neighbour else 255)))
        why = ""
        if block.name in names:
            why, keyword = "stands twice, also in line %d" % names[block.name].line, ""
        elif not neighbour:
            why = "has no neighbor_ip"
        elif source and number(neighbour)[0] != number(source)[0]:
            why, keyword = "has the source_ip %s of the other family" % source, "source_ip"
        elif key in seen:
            why = "has the neighbour%s of %s" % (" and the source" if source else "", seen[key])
        elif hops > limit:
            why, keyword = "has max_hops %d above the limit of hops, %d" % (hops, limit), "max_hops"
        if why:
            yield Fault("bfd_instance %s %s" % (block.name, why), director.host, origin=block.place(keyword))
        names.setdefault(block.name, block.origin)
        seen.setdefault(key, block.name)
