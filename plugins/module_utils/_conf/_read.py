# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""keepalived.conf as a tree, read into the model through the keyword table.

Findings: KH028 (arguments of a script outside its quotes), KH033 (more than one global_defs), KH034 (unknown keyword,
in the wrong block, or newer than the host's keepalived), KH041 (deprecated), KH042 (bad value), KH050 (a keyword
twice). Values of a block that holds a password are never shown.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import BadValue, Keyword
from ansible_collections.failover.vip.plugins.module_utils._conf._keywords import (
    BLOCKS,
    DEPRECATED,
    READ_ONLY_BLOCKS,
    ROOT,
)
from ansible_collections.failover.vip.plugins.module_utils._conf._parse import MAX_FINDINGS
from ansible_collections.failover.vip.plugins.module_utils._conf._read_lvs import LVS_READERS
from ansible_collections.failover.vip.plugins.module_utils._conf._tree import Node, plain
from ansible_collections.failover.vip.plugins.module_utils._conf._values import (
    choice,
    number_from_word,
    shaped,
    track_from_words,
    vip_from_words,
)
from ansible_collections.failover.vip.plugins.module_utils._conf._words_lvs import (
    address,
    method_from_words,
    server_from_words,
    server_words,
)
from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, WARNING, Finding, did_you_mean
from ansible_collections.failover.vip.plugins.module_utils._model import (
    Block,
    Director,
    Interface,
    Origin,
    SyncGroup,
    Tracked,
    VrrpInstance,
)

TABLES: Mapping[str, Mapping[str, Keyword]] = {**BLOCKS, **READ_ONLY_BLOCKS, "": ROOT}
_COMMAND = re.compile(r"""[ \t\f\n\r\v]+|\\(x[0-9A-Fa-f]+|c.|[0-7]{1,3}|.)|(["'])|[^ \t\f\n\r\v"'\\]+""", re.DOTALL)
_ESCAPES = {"a": "\a", "b": "\b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
#: Kinds of keywords that are blocks.
_BLOCK_KINDS = ("items", "vips", "tracks", "lines", "block")
_TRUE, _FALSE = ("true", "on", "yes"), ("false", "off", "no")
#: Blocks that hold a password.
_SECRET = ("authentication", "SSL")
#: Commands after which keepalived takes no user and group.
_ALONE = ("script", "misc_path", "regex")


def command_words(words: Iterable[str]) -> list[str]:
    """The words of a command line from those of its line in the file (keepalived.conf(5), "Quoted strings").

    Both kinds of quotes join words, and a backslash escapes.
    """
    found: list[str] = []
    current: Optional[list[str]] = None
    quote = ""
    for match in _COMMAND.finditer(" ".join(words)):
        piece, escape, mark = match.group(), match.group(1), match.group(2)
        if not quote and piece.isspace():
            if current is not None:
                found.append("".join(current))
            current = None
            continue
        current = [] if current is None else current
        if escape:
            current.append(_unescaped(escape))
        elif mark and quote in ("", mark):
            quote = "" if quote else mark
        else:
            current.append(piece)
    return found if current is None else [*found, "".join(current)]


def _unescaped(escape: str) -> str:
    """What stands for the characters after a backslash."""
    if escape[0] == "x" and len(escape) > 1:
        return chr(int(escape[1:], 16) & 0xFF)
    if escape[0] == "c" and len(escape) > 1:
        return chr(ord(escape[1]) & 0x1F)
    if escape[0] in "01234567":
        return chr(int(escape, 8) & 0xFF)
    return _ESCAPES.get(escape, escape)


def _dotted(version: Iterable[int]) -> str:
    return ".".join(map(str, version))


def _one(words: Sequence[str]) -> str:
    if not words:
        raise BadValue("has no value")
    return words[0]


def _switch(words: Sequence[str]) -> bool:
    if not words or words[0] in _TRUE:
        return True
    if words[0] in _FALSE:
        return False
    raise BadValue("is '%s', but must be one of %s" % (words[0], ", ".join((*_TRUE, *_FALSE))))


def _joined(nodes: Iterable[Node]) -> list[str]:
    """The lines of a block as they are, those of blocks in it after them."""
    lines: list[str] = []
    for node in nodes:
        lines.append(" ".join(plain(word) for word in node.words))
        lines += _joined(node.children or ())
    return lines


class _Reader:
    """One run of :func:`read`."""

    def __init__(self, host: str, release: Optional[tuple[int, ...]] = None) -> None:
        self.host = host
        self.release = release
        self.findings: list[Finding] = []
        self.director = Director(host)
        self.instance = ""

    def bad(self, rule: str, severity: str, message: str, origin: Origin, hint: str = "") -> None:
        if len(self.findings) >= MAX_FINDINGS:
            return
        self.findings.append(
            Finding(rule, severity, message, hint, self.host, origin.path, origin.line, instance=self.instance)
        )

    def keyword_of(self, block: str, node: Node) -> Optional[Keyword]:
        """The keyword of a line, None if its block has none of that name (and then a finding)."""
        name, table = plain(node.words[0]), TABLES[block]
        if name in table:
            return self.known_here(table[name], node)
        if name in DEPRECATED.get(block, {}):
            instead = DEPRECATED[block][name]
            hint = "Write '%s'." % instead if instead else "Drop it."
            self.bad("KH041", WARNING, "'%s' is deprecated" % name, node.origin, hint)
            return table.get(instead)
        if len(self.findings) >= MAX_FINDINGS:
            return None
        homes = [other for other in TABLES if name in TABLES[other]]
        # A word before a brace was meant to be a block.
        blocks = [key for key, keyword in table.items() if keyword.kind in _BLOCK_KINDS]
        near = did_you_mean(name, blocks) if node.children is not None else ""
        near = near if near.startswith("Did") else did_you_mean(name, table)
        # A password that lost its keyword is not repeated.
        shown = "a word" if block in _SECRET and not homes and not near.startswith("Did") else "'%s'" % name
        message = "%s is no keyword %s" % (shown, "of " + block if block else "outside all blocks")
        if node.children is not None:
            message += "; keepalived skips the word and not its braces, so the first '}' there ends %s" % (
                "the block around it" if block else "nothing, and what stands between is misread"
            )
        if not near.startswith("Did") and homes:
            near = "It belongs %s." % ("outside all blocks" if "" in homes else "into " + " or ".join(homes[:4]))
        self.bad("KH034", ERROR, message, node.origin, near)
        return None

    def lacks(self, version: tuple[int, ...]) -> bool:
        """Whether the host's keepalived is known to be older than a version."""
        return self.release is not None and self.release < version[: len(self.release)]

    def known_here(self, keyword: Keyword, node: Node) -> Optional[Keyword]:
        """The keyword, None if the host's keepalived does not know it, which then skips it (and then a finding)."""
        if not self.lacks(keyword.since):
            return keyword
        self.bad(
            "KH034",
            ERROR,
            "'%s' exists since keepalived %s, and this host has %s"
            % (keyword.name, _dotted(keyword.since), _dotted(self.release or ())),
            node.origin,
            "Drop it here, or install a newer keepalived.",
        )
        return None

    def value(self, keyword: Keyword, node: Node) -> Any:
        """A keyword's value as the model holds it.

        :raises BadValue: with what the keyword takes instead.
        """
        kind = keyword.kind
        words = [plain(word) for word in node.words[1:]]
        if kind == "flag":
            return True
        if kind == "switch":
            return _switch(words)
        if kind in ("int", "number"):
            number = number_from_word(keyword, _one(words))
            if number != int(number) and self.lacks(keyword.decimals):
                raise BadValue(
                    "must be a whole number before keepalived %s, not %s" % (_dotted(keyword.decimals), words[0])
                )
            return number
        if kind == "choice":
            return choice(keyword, _one(words))
        if kind == "word":
            return shaped(keyword, _one(words))
        if kind == "words":
            return [shaped(keyword, word) for word in words]
        if kind == "address":
            return address(_one(words))
        if kind == "server":
            return " ".join(server_words(*server_from_words(words)))
        if kind == "method":
            return method_from_words(words)
        if kind == "weight":
            _one(words)
            return track_from_words(keyword, ["", "weight", *words])
        if kind == "command":
            return self.command(keyword, node)
        raise AssertionError("kind %s of %s is a block" % (kind, keyword.name))

    def command(self, keyword: Keyword, node: Node) -> str:
        words = command_words(node.words[1:])
        command, extra = _one(words), words[1:]
        if keyword.name == "process":
            return " ".join(words)
        allowed = 0 if keyword.name in _ALONE else 2
        if len(extra) > allowed or any(word.startswith(("-", "/")) for word in extra):
            taken = "takes them for a user and a group" if allowed else "drops them"
            self.bad(
                "KH028",
                ERROR,
                "'%s' has arguments outside the quotes: keepalived %s" % (keyword.name, taken),
                node.origin,
                "Put the whole command line into one pair of double quotes.",
            )
        return command

    def list_of(self, keyword: Keyword, children: Iterable[Node]) -> list[Any]:
        """The lines of a block that is a list; each bad one is a finding and left out."""
        found: list[Any] = []
        for child in children:
            words = [plain(word) for word in child.words]
            try:
                if child.children is not None and keyword.kind != "lines":
                    raise BadValue("holds a block, '%s'" % words[0])
                if keyword.kind == "vips":
                    found.append(vip_from_words(words))
                elif keyword.kind == "tracks":
                    found.append(track_from_words(keyword, words))
                elif keyword.kind == "lines":
                    found += _joined([child])
                elif keyword.name == "unicast_peer":
                    found.append(" ".join(words))
                else:
                    found += words
            except BadValue as reason:
                self.bad("KH042", ERROR, "'%s' %s" % (keyword.name, reason), child.origin)
        return found

    def block(self, block: str, children: Iterable[Node]) -> tuple[dict[str, Any], dict[str, Origin]]:
        """The keywords of a block with their places; lists that stand twice are joined, of all else the last counts."""
        options: dict[str, Any] = {}
        places: dict[str, Origin] = {}
        for node in children:
            if block and plain(node.words[0]) in ROOT and plain(node.words[0]) not in TABLES[block]:
                self.misplaced(block, node)
                continue
            keyword = self.keyword_of(block, node)
            if keyword is None:
                continue
            name = keyword.name
            if (keyword.kind in _BLOCK_KINDS) != (node.children is not None):
                wanted = "needs a block in braces" if keyword.kind in _BLOCK_KINDS else "takes no block"
                self.bad("KH042", ERROR, "'%s' %s" % (name, wanted), node.origin)
                if node.children is None:
                    continue
            self.surplus(block, keyword, node)
            before = places.get(name)
            if keyword.kind == "block":
                inner, _places = self.block(keyword.block, node.children or ())
                if keyword.many:
                    options.setdefault(name, []).append(inner)
                else:
                    options[name] = {**options.get(name, {}), **inner}
            elif keyword.kind in _BLOCK_KINDS:
                options[name] = options.get(name, []) + self.list_of(keyword, node.children or ())
            else:
                try:
                    options[name] = self.value(keyword, node)
                except BadValue as reason:
                    self.bad("KH042", ERROR, "'%s' %s" % (name, reason), node.origin)
                    continue
                if before and not keyword.many:
                    where = "line %d" % before.line if before.path == node.origin.path else "%s:%d" % before
                    self.bad(
                        "KH050", WARNING, "'%s' stands twice, also in %s" % (name, where), node.origin, "Drop one."
                    )
            places.setdefault(name, node.origin)
            if keyword.kind not in _BLOCK_KINDS:
                places[name] = node.origin
        return {name: options[name] for name in TABLES[block] if name in options}, places

    def surplus(self, block: str, keyword: Keyword, node: Node) -> None:
        """Words that keepalived drops without a word."""
        taken = 0 if keyword.kind == "flag" else 2 if keyword.kind == "server" else 1
        if keyword.kind in ("words", "command", "weight", "method") or keyword.header == "words":
            return
        if keyword.kind in _BLOCK_KINDS:
            taken = 1 if keyword.header else 0
        extra = [plain(word) for word in node.words[1 + taken :]]
        if extra:
            lost = [word for word in extra if word in TABLES[block]]
            why, hint = "", "Drop them."
            if lost:
                why, hint = "; '%s' among them is lost" % lost[0], "Write each keyword on a line of its own."
            elif keyword.kind == "flag" and extra[0] in _FALSE:
                why, hint = ": it is on, whatever follows", "Drop the whole line."
            message = "'%s' is followed by more words than it takes%s" % (keyword.name, why)
            self.bad("KH042", WARNING, message, node.origin, hint)

    def misplaced(self, block: str, node: Node) -> None:
        """A keyword of the outermost level inside a block: a brace is missing, and the rest is read as it was meant."""
        self.bad(
            "KH034",
            ERROR,
            "'%s' stands inside %s, where keepalived does not know it" % (plain(node.words[0]), block),
            node.origin,
            "Close the block before it: a '}' is missing above.",
        )
        instance, self.instance = self.instance, ""
        self.root([node])
        self.instance = instance

    def root(self, nodes: Iterable[Node]) -> None:
        """What stands outside all blocks."""
        director = self.director
        for node in nodes:
            keyword = self.keyword_of("", node)
            if keyword is None:
                continue
            if keyword.name in LVS_READERS:
                LVS_READERS[keyword.name](self, node)
                continue
            if keyword.kind != "block":
                options, places = self.block("", [node._replace(words=(keyword.name, *node.words[1:]))])
                if keyword.name == "static_ipaddress" and options:
                    self.joined(director.static, options, places, node.origin)
                continue
            block, name = keyword.name, plain(node.words[1]) if len(node.words) > 1 else ""
            self.instance = name if block == "vrrp_instance" else ""
            if node.children is None:
                self.bad("KH042", ERROR, "'%s' needs a block in braces" % block, node.origin)
            if keyword.header and not name:
                self.bad("KH042", ERROR, "'%s' has no name" % block, node.origin, "Write '%s NAME {'." % block)
            self.surplus("", keyword, node)
            options, places = self.block(block, node.children or ())
            if block == "vrrp_instance":
                director.instances.append(VrrpInstance(name, options, node.origin, places))
            elif block == "vrrp_sync_group":
                director.sync_groups.append(SyncGroup(name, options, node.origin, places))
            elif block in ("vrrp_script", "track_file", "vrrp_track_process"):
                {
                    "vrrp_script": director.scripts,
                    "track_file": director.files,
                    "vrrp_track_process": director.processes,
                }[block].append(Tracked(name, options, node.origin, places))
            elif block == "bfd_instance":
                director.bfd_instances.append(Block(name, options, node.origin, places))
            elif block == "SSL":
                self.joined(director.ssl, options, places, node.origin)
            elif block == "global_defs":
                self.globals(Block("", options, node.origin, places))
            self.instance = ""

    def joined(self, block: Block, options: dict[str, Any], places: dict[str, Origin], origin: Origin) -> None:
        """A block that may stand more than once: its lists are joined, of all else the last counts."""
        if not block.options:
            block.origin = origin
        for name, value in options.items():
            block.options[name] = block.options.get(name, []) + value if isinstance(value, list) else value
            block.places.setdefault(name, places[name])

    def globals(self, block: Block) -> None:
        first = self.director.global_defs
        if not first.origin.path:
            self.director.global_defs = block
            return
        self.bad(
            "KH033",
            WARNING,
            "a second global_defs, the first is in %s:%d" % first.origin,
            block.origin,
            "Join them: keepalived does, and the last value counts.",
        )
        first.options.update(block.options)
        first.places.update(block.places)


def read(
    nodes: Iterable[Node],
    host: str = "",
    interfaces: Optional[dict[str, Interface]] = None,
    release: Optional[tuple[int, ...]] = None,
) -> tuple[Director, list[Finding]]:
    """One host's part as its files say it, with places, and what is wrong with single keywords.

    What stands twice is kept twice, so that the rules see it. Blocks that the model does not hold (static routes
    and rules, groups of gratuitous ARP) are checked word by word and left out.

    :param interfaces: of the host, None if not known; kept for the rules.
    :param release: of the host's keepalived, as (2, 2, 7): what it does not know is a finding and left out, as it is
        there. None if not known.
    """
    reader = _Reader(host, release)
    reader.root(nodes)
    reader.director.interfaces = interfaces
    return reader.director, reader.findings
