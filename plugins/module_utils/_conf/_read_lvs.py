# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The LVS half of keepalived.conf, read into the model.

What keepalived skips because of its head (a bad address, a bad port) is a finding and left out of the model; the
keywords inside are checked all the same.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Callable, Optional, Protocol

from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import BadValue, Keyword
from ansible_collections.failover.vip.plugins.module_utils._conf._keywords_lvs import CHECKS
from ansible_collections.failover.vip.plugins.module_utils._conf._tree import Node, plain
from ansible_collections.failover.vip.plugins.module_utils._conf._words_lvs import (
    entry_from_words,
    fwmark,
    server_from_words,
    server_words,
)
from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, INFO, WARNING
from ansible_collections.failover.vip.plugins.module_utils._model import (
    AddressRange,
    Block,
    Director,
    Origin,
    RealServer,
    VirtualServer,
    VirtualServerGroup,
)

#: Seconds that keepalived takes where the keyword stands alone.
PERSISTENCE_TIMEOUT = "360"


class Reader(Protocol):
    """What the reader of the whole file does for this half of it."""

    director: Director
    #: The name of the block at hand, for the findings.
    instance: str

    def bad(self, rule: str, severity: str, message: str, origin: Origin, hint: str = "") -> None:
        """Report a finding."""

    def keyword_of(self, block: str, node: Node) -> Optional[Keyword]:
        """The keyword of a line, None if it is unknown."""

    def block(self, block: str, children: Iterable[Node]) -> tuple[dict[str, Any], dict[str, Origin]]:
        """The keywords of a block with their places."""

    def surplus(self, block: str, keyword: Keyword, node: Node) -> None:
        """Report words that keepalived drops."""


def service_from_words(words: Sequence[str]) -> VirtualServer:
    """What stands between ``virtual_server`` and its brace: ``ADDRESS [PORT]``, ``fwmark NUMBER`` or ``group NAME``.

    :raises BadValue: with what is wrong.
    """
    if not words:
        raise BadValue("has no address, 'fwmark NUMBER' or 'group NAME'")
    if words[0] in ("fwmark", "group"):
        if len(words) < 2:
            raise BadValue("has nothing after '%s'" % words[0])
        if words[0] == "group":
            return VirtualServer("group " + words[1], group=words[1])
        mark = fwmark(words[1])
        return VirtualServer("fwmark %d" % mark, fwmark=mark)
    address, port = server_from_words(words)
    return VirtualServer(" ".join(server_words(address, port)), address=address, port=port)


def _head(reader: Reader, node: Node) -> list[str]:
    """The words before the brace. keepalived drops what follows an address in its word, and all after the second."""
    words = [plain(word) for word in node.words[1:]]
    if words and words[0] not in ("fwmark", "group"):
        for mark in "/-":
            address, found, dropped = words[0].partition(mark)
            if found:
                message = "'%s' takes no prefix and no range: keepalived drops '%s'" % (node.words[0], found + dropped)
                reader.bad("KH042", WARNING, message, node.origin, "A range belongs into a virtual_server_group.")
                words[0] = address
    if len(words) > 2:
        reader.bad(
            "KH042", WARNING, "'%s' is followed by more words than it takes" % node.words[0], node.origin, "Drop them."
        )
    return words[:2]


def _split(children: Optional[Iterable[Node]], names: Iterable[str]) -> tuple[list[Node], list[Node]]:
    """The blocks of those names, and all else."""
    found: list[Node] = []
    rest: list[Node] = []
    for child in children or ():
        (found if child.children is not None and plain(child.words[0]) in names else rest).append(child)
    return found, rest


def _real_server(reader: Reader, node: Node) -> Optional[RealServer]:
    """One ``real_server``; None if keepalived skips it."""
    checks, rest = _split(node.children, CHECKS)
    options, places = reader.block("real_server", rest)
    server = RealServer("", options, node.origin, places)
    for check in checks:
        keyword = reader.keyword_of("real_server", check)
        if keyword is None:
            continue
        reader.surplus("real_server", keyword, check)
        inner, inner_places = reader.block(keyword.block, check.children or ())
        server.checks.append(Block(keyword.name, inner, check.origin, inner_places))
    server.checks.sort(key=lambda check: CHECKS.index(check.name))
    try:
        server.address, server.port = server_from_words(_head(reader, node))
    except BadValue as reason:
        reader.bad("KH042", ERROR, "'real_server' %s: keepalived skips it" % reason, node.origin)
        return None
    server.name = " ".join(server_words(server.address, server.port))
    return server


def _virtual_server(reader: Reader, node: Node) -> None:
    """One ``virtual_server`` with its real servers."""
    reader.instance = " ".join(plain(word) for word in node.words[1:3])
    if node.children is None:
        reader.bad("KH042", ERROR, "'virtual_server' needs a block in braces", node.origin)
    service: Optional[VirtualServer] = None
    try:
        service = service_from_words(_head(reader, node))
        reader.instance = service.name
    except BadValue as reason:
        reader.bad("KH042", ERROR, "'virtual_server' %s: keepalived skips it" % reason, node.origin)
    servers, rest = _split(node.children, ("real_server",))
    for index, line in enumerate(rest):
        if line.words == ("persistence_timeout",):
            message = "'persistence_timeout' has no value: keepalived takes %s seconds" % PERSISTENCE_TIMEOUT
            reader.bad("KL010", INFO, message, line.origin, "Write the seconds that you want.")
            rest[index] = line._replace(words=(*line.words, PERSISTENCE_TIMEOUT))
    options, places = reader.block("virtual_server", rest)
    real_servers = [_real_server(reader, child) for child in servers]
    if service:
        service.origin, service.places = node.origin, places
        service.real_servers = [server for server in real_servers if server]
        place_sorry_server(service, options)
        reader.director.virtual_servers.append(service)
    reader.instance = ""


def place_sorry_server(service: VirtualServer, options: dict[str, Any]) -> None:
    """Give a virtual server its options, of which the sorry server becomes an object."""
    sorry = str(options.pop("sorry_server", ""))
    service.options = options
    if sorry:
        place = service.place("sorry_server")
        service.sorry_server = RealServer(sorry, {}, place, {}, *server_from_words(sorry.split()))


def _virtual_server_group(reader: Reader, node: Node) -> None:
    """One ``virtual_server_group``; a line that keepalived skips is a finding."""
    name = plain(node.words[1]) if len(node.words) > 1 else ""
    reader.instance = "group " + name
    if not name:
        hint = "Write 'virtual_server_group NAME {'."
        reader.bad("KH042", ERROR, "'virtual_server_group' has no name", node.origin, hint)
    if node.children is None:
        reader.bad("KH042", ERROR, "'virtual_server_group' needs a block in braces", node.origin)
    group = VirtualServerGroup(name, {}, node.origin)
    for line in node.children or ():
        try:
            entry = entry_from_words([plain(word) for word in line.words])
            if line.children is not None:
                raise BadValue("holds a block, '%s'" % plain(line.words[0]))
        except BadValue as reason:
            reader.bad("KH042", ERROR, "'virtual_server_group' %s: keepalived skips the line" % reason, line.origin)
            continue
        if isinstance(entry, AddressRange):
            group.addresses.append(entry)
        else:
            group.fwmarks.append(entry)
    if name:
        reader.director.virtual_server_groups.append(group)
    reader.instance = ""


#: Keyword outside all blocks -> what reads it.
LVS_READERS: dict[str, Callable[[Reader, Node], None]] = {
    "virtual_server": _virtual_server,
    "virtual_server_group": _virtual_server_group,
}
