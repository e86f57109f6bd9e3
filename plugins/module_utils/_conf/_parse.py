# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""keepalived.conf: text to tree, as keepalived itself reads it (keepalived.conf(5), "Configuration parser"; 2.2.7).

keepalived reads logical lines: comments go, conditional lines and definitions are settled, ``include`` puts the
lines of other files in place (a block may begin in one file and end in another), and each brace outside double quotes
is a line of its own. A block is a line that a ``{`` follows, so it does not matter how braces and line breaks mix.

Nothing here raises: what is wrong becomes a finding, and reading goes on. Time grows linearly with the text, since
lines, depth, files and expansions are bounded.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import fnmatch
import io
import os.path
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Callable, NamedTuple, Optional

from ansible_collections.failover.vip.plugins.module_utils._conf._tree import Node, Raw
from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, WARNING, Finding
from ansible_collections.failover.vip.plugins.module_utils._model import Origin

#: keepalived's buffer for a line (MAXBUF in lib/parser.h), less the final zero: it cuts longer lines in two.
MAX_LINE = 1023
#: Deeper blocks mean nothing to keepalived, whose deepest keyword stands in four.
MAX_DEPTH = 32
#: Files in files; keepalived itself has no bound and dies of a file that includes itself.
MAX_INCLUDES = 16
MAX_FILES = 10000
#: Logical lines; a file of 10,000 virtual servers has about 150,000.
MAX_LINES = 1000000
#: Characters of all files together.
MAX_TEXT = 64 * 1024 * 1024
#: Definitions and sequences in each other.
MAX_NESTING = 1000
#: Replacements in one line; a definition that contains itself would never end.
MAX_REPLACEMENTS = 200
MAX_FINDINGS = 1000

_BLANK = " \t"
_INCLUDE = re.compile(r"include([rmwba]?)[ \t\f\v\r\n](.*)", re.DOTALL)
_COMMENT = re.compile(r'[!#"\\]')
_BRACE = re.compile(r'[{}"]')
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^ \t\f\n\r\v"]+|"', re.DOTALL)
_DEFINITION = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)=[ \t]*(.*)", re.DOTALL)
_PARAMETER = re.compile(
    r"\$(?:\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)(?P<arguments>(?: +[0-9]+)*)\}"
    r"|(?P<bare>[A-Za-z_][A-Za-z0-9_]*)(?=[ \t,)]|$))"
)
_NUMBER = re.compile(r"[ \t]*([+-]?(?:0[xX][0-9A-Fa-f]+|[0-9]+))[ \t]*")
_SYNTAX = "KH049"
_INCLUDED = "KH032"


class Source(NamedTuple):
    """One file. ``text`` None: it could not be read, for ``reason``."""

    path: str
    text: Optional[str]
    reason: str = ""


#: The only way to the outside: takes a path, which may be a glob pattern, and gives the files it stands for, in order.
Load = Callable[[str], Sequence[Source]]


class Parsed(NamedTuple):
    """The tree of all files, what is wrong with their syntax, and which files were read."""

    nodes: tuple[Node, ...]
    findings: tuple[Finding, ...]
    paths: tuple[str, ...]


class _Line(NamedTuple):
    """A line to be processed; ``raw``: as it stands in a file, comments and all."""

    text: str
    origin: Origin
    raw: bool = False


class _Open(NamedTuple):
    """A block that was not closed yet. ``words`` None: a brace that opens nothing, whose content is its parent's."""

    words: Optional[tuple[str, ...]]
    origin: Origin
    children: list[Node]


def words_of(line: str) -> tuple[tuple[str, ...], bool]:
    """The words of a line as they stand there, quotes and all, and whether every quote is closed."""
    found: list[str] = []
    for match in _TOKEN.finditer(line):
        if match.group() == '"':
            found.append(Raw(line[match.start() :]))
            return tuple(found), False
        found.append(Raw(match.group()))
    return tuple(found), True


def uncommented(line: str) -> tuple[str, bool]:
    """A line without comment and outer blanks, and whether every quote is closed.

    ``\\#`` and ``\\!`` outside quotes are no comments; a backslash at the very end stays even after a comment.
    """
    line = line.strip(_BLANK)
    position, quoted, end, continued = 0, False, -1, False
    while True:
        match = _COMMENT.search(line, position)
        if match is None:
            break
        character, position = match.group(), match.end()
        if character == '"':
            quoted = quoted if end >= 0 else not quoted
        elif character == "\\":
            if position == len(line):
                continued = True
                break
            position += 1
        elif not quoted and end < 0:
            end = match.start()
    text = line[:end] if end >= 0 else (line[:-1] if continued else line)
    text = text.rstrip(_BLANK)
    return (text + "\\" if continued else text), not quoted


class _Parser:
    """One run of :func:`parse`."""

    def __init__(self, load: Load, config_id: str) -> None:
        self.load = load
        self.config_id = config_id
        self.findings: list[Finding] = []
        self.paths: list[str] = []
        #: What is to be read next stands last. The second part is the file's path, for the depth and loops of includes.
        self.input: list[tuple[Iterator[_Line], str]] = []
        self.size = 0
        self.files = 0
        #: Definitions: the lines of each, one for most.
        self.definitions: dict[str, list[str]] = {}
        #: The definition that goes on in the next line of the file.
        self.growing: Optional[list[str]] = None
        self.lines = 0

    def bad(self, severity: str, message: str, origin: Origin, hint: str = "", rule: str = _SYNTAX) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(rule, severity, message, hint, path=origin.path, line=origin.line))

    # Input: files, includes, definitions, sequences.

    def open(self, pattern: str, origin: Origin, kind: str = "") -> None:
        """Puts the lines of all files that a pattern stands for before what is still to be read."""
        path = os.path.join(os.path.dirname(origin.path), pattern)
        if sum(1 for _lines, name in self.input if name) >= MAX_INCLUDES:
            self.bad(ERROR, "files include each other more than %d deep" % MAX_INCLUDES, origin, rule=_INCLUDED)
            return
        sources = list(self.load(path))
        if not sources:
            self.bad(
                WARNING if origin.path else ERROR,
                "'%s' matches no file%s" % (pattern, "" if origin.path else ": there is no configuration"),
                origin if origin.path else Origin(path),
                "Correct the path%s." % (", or drop the line" if origin.path else ""),
                _INCLUDED,
            )
        opened = {name for _lines, name in self.input if name}
        for source in reversed(sources):
            if source.path in opened:
                self.bad(ERROR, "%s includes itself" % source.path, origin, "Drop the line.", _INCLUDED)
            elif self.files >= MAX_FILES:
                self.bad(ERROR, "more than %d files" % MAX_FILES, origin, rule=_INCLUDED)
            elif source.text is None:
                where = origin if origin.path else Origin(source.path)
                severity = WARNING if origin.path and not kind else ERROR
                self.bad(severity, "%s %s" % (source.path, source.reason), where, rule=_INCLUDED)
            elif self.size + len(source.text) > MAX_TEXT:
                self.bad(
                    ERROR, "%s: more than %d characters in all files" % (source.path, MAX_TEXT), origin, rule=_INCLUDED
                )
            else:
                self.size += len(source.text)
                self.files += 1
                self.input.append((self.file(source.path, source.text), source.path))

    def file(self, path: str, text: str) -> Iterator[_Line]:
        """The lines of a file, without line ends, cut where keepalived cuts them."""
        self.paths.append(path)
        binary = long = False
        for number, line in enumerate(io.StringIO(text, newline="\n"), 1):
            content = line.rstrip("\r\n")
            if "\0" in content:
                if not binary:
                    self.bad(
                        ERROR,
                        "a NUL byte: this is no text",
                        Origin(path, number),
                        "keepalived drops the rest of such lines.",
                    )
                binary = True
                content = content.partition("\0")[0]
            if len(content) > MAX_LINE:
                if not long:
                    self.bad(
                        ERROR,
                        "a line of %d characters, keepalived reads %d at once" % (len(content), MAX_LINE),
                        Origin(path, number),
                        "Break the line.",
                    )
                long = True
                content = content[:MAX_LINE]
            yield _Line(content, Origin(path, number), True)

    def define(self, name: str, value: str) -> None:
        """``$NAME=value``; a backslash at the end continues it in the next line."""
        if value.endswith("\\"):
            first = value[:-1].rstrip(_BLANK)
            self.growing = [first] if first else []
            self.definitions[name] = self.growing
        else:
            self.definitions[name] = [value]

    def grow(self, text: str) -> None:
        """One more line of a definition of several lines."""
        if self.growing is None:
            return
        if text.endswith("\\"):
            text = text[:-1].rstrip(_BLANK)
            if text:
                self.growing.append(text)
        else:
            self.growing.append(text)
            self.growing = None

    def standard(self, name: str, arguments: str, origin: Origin) -> Optional[list[str]]:
        """The definitions that keepalived makes itself (keepalived.conf(5), "Pre-defined definitions")."""
        if name == "_PWD":
            return [os.path.dirname(origin.path) or "."]
        if name == "_INSTANCE":
            return [self.config_id]
        if name == "_RANDOM":
            # Any number of the range is as good as another here, and the same in every run the best.
            return [arguments.split(maxsplit=1)[0] if arguments else "0"]
        return {"_HASH": ["#"], "_BANG": ["!"]}.get(name)

    def expanded(self, text: str, origin: Origin) -> str:
        """The line with its parameters replaced; further lines of a definition of several lines come next as input."""
        position = 0
        rest: list[list[str]] = []
        for _count in range(MAX_REPLACEMENTS):
            match = _PARAMETER.search(text, position)
            if match is None:
                break
            name = match.group("braced") or match.group("bare")
            lines = self.definitions.get(name) or self.standard(name, match.group("arguments") or "", origin)
            if name in self.definitions and not lines:
                lines = [""]
            # A definition of several lines is replaced only where nothing follows it.
            if lines is None or (len(lines) > 1 and match.end() != len(text)):
                position = match.start() + 1
                continue
            position = match.start()
            text = text[:position] + lines[0] + text[match.end() :]
            if len(lines) > 1:
                rest.append(lines[1:])
            if len(text) > MAX_LINE:
                self.bad(ERROR, "a line grows beyond %d characters" % MAX_LINE, origin, "Shorten the definitions.")
                text = text[:MAX_LINE]
                break
            if lines[0].startswith("~"):
                break
        else:
            self.bad(ERROR, "a definition contains itself", origin, "Rename one of them.")
            text = ""
        for lines in rest:
            self.push(lines, origin)
        return text

    def push(self, lines: Iterable[str], origin: Origin) -> None:
        self.put(iter([_Line(line, origin) for line in lines]), origin)

    def put(self, lines: Iterator[_Line], origin: Origin) -> None:
        """Lines that are to be read next."""
        if len(self.input) > MAX_NESTING:
            self.bad(ERROR, "definitions stand in each other without end: the rest was not read", origin)
            self.input.clear()
        else:
            self.input.append((lines, ""))

    def sequence(self, text: str, origin: Origin) -> None:
        """``~SEQ(var, start, step, end) rest``: the rest once for every value."""
        match = re.match(r"~SEQ(x?)[ \t]*\([ \t]*([^ \t,)]+)[ \t]*,([^)]*)\)[ \t]*(.*)", text, re.DOTALL)
        # A line of the file grows by what its numbers expand to.
        numbers = []
        for part in self.expanded(match.group(3), origin).split(",") if match else []:
            number = _NUMBER.fullmatch(part)
            numbers.append(_strtol(number.group(1)) if number else None)
        known = [number for number in numbers if number is not None]
        if match is None or len(known) != len(numbers) or not 1 <= len(known) <= 3:
            self.bad(
                ERROR,
                "~SEQ that keepalived does not understand",
                origin,
                "Write ~SEQ(VARIABLE, start, step, end) rest.",
            )
            return
        end = known[-1]
        start = known[0] if len(known) > 1 else (-1 if end < 0 else 1)
        step = known[1] if len(known) == 3 else (1 if start <= end else -1)
        if not step or (end - start) * step < 0 or (match.group(1) and min(start, end) < 0):
            self.bad(ERROR, "~SEQ from %d to %d in steps of %d has no end" % (start, end, step), origin)
            return
        shown = "%x" if match.group(1) else "%d"
        values = range(start, end + (1 if step > 0 else -1), step)
        name, rest = match.group(2), match.group(4)

        def lines() -> Iterator[_Line]:
            for value in values:
                self.definitions[name] = [shown % value]
                yield _Line(rest, origin)

        self.put(lines(), origin)

    def listed(self, text: str, origin: Origin) -> None:
        """``~LST({a, b}, {1, 2}, {3, 4}) rest``: the rest once for every set of values."""
        match = re.match(r"~LST[ \t]*\(([^)]*)\)[ \t]*(.*)", text, re.DOTALL)
        inner = re.sub(r"[ \t]", "", match.group(1)) if match else ""
        items = re.findall(r"(?:^|,)(\{[^{}]*\}|[^,{}]*)", inner)
        sets = [item.strip("{}").split(",") for item in items]
        names = sets[0] if sets else []
        if (
            match is None
            or ",".join(items) != inner
            or not all(names)
            or len(sets) < 2
            or len(max(sets, key=len)) > len(names)
        ):
            self.bad(
                ERROR, "~LST that keepalived does not understand", origin, "Write ~LST(VARIABLE, value, value) rest."
            )
            return
        rest = match.group(2)

        def lines() -> Iterator[_Line]:
            for one in sets[1:]:
                for name, value in zip(names, [*one, *[""] * len(names)]):
                    self.definitions[name] = [value]
                yield _Line(rest, origin)

        self.put(lines(), origin)

    def next_line(self) -> Optional[_Line]:
        """The next line of all input."""
        while self.input:
            line = next(self.input[-1][0], None)
            if line is None:
                self.input.pop()
                continue
            self.lines += 1
            if self.lines > MAX_LINES:
                self.bad(ERROR, "more than %d lines: the rest was not read" % MAX_LINES, line.origin)
                self.input.clear()
                return None
            return line
        return None

    def settled(self, text: str, origin: Origin) -> str:
        """A line after conditions, definitions, sequences and parameters; empty if nothing is left of it."""
        for _count in range(MAX_REPLACEMENTS):
            if text.startswith("@"):
                condition, _blank, rest = text.replace("\t", " ").partition(" ")
                wanted = condition[1:].startswith("^")
                name = condition[2:] if wanted else condition[1:]
                if not rest or (name != self.config_id) != wanted:
                    return ""
                text = text[len(condition) :].lstrip(_BLANK)
            if text.startswith("$"):
                definition = _DEFINITION.fullmatch(text)
                if definition:
                    self.define(definition.group(1), definition.group(2))
                    return ""
            if text.startswith("~SEQ"):
                self.sequence(text, origin)
                return ""
            if text.startswith("~LST"):
                self.listed(text, origin)
                return ""
            if "$" not in text:
                return text
            before = text
            text = uncommented(self.expanded(text, origin))[0]
            if text == before:
                return text
        return text

    def logical(self) -> Iterator[tuple[str, Origin]]:
        """The logical lines: texts without braces, and braces."""
        while True:
            line = self.next_line()
            if line is None:
                return
            text, origin = line.text, line.origin
            if line.raw:
                if not text:
                    self.growing = None
                    continue
                text, closed = uncommented(text)
                if not text:
                    continue
                if not closed:
                    self.bad(ERROR, "a quote that is not closed", origin, 'Add the missing ".')
                if self.growing is not None:
                    self.grow(text)
                    continue
            text = self.settled(text, origin)
            if not text:
                continue
            include = _INCLUDE.fullmatch(text)
            if include:
                self.open(include.group(2).lstrip(_BLANK), origin, include.group(1))
                continue
            cut = _first_brace(text)
            if cut >= 0:
                cut = cut or 1
                rest = text[cut:].strip(_BLANK)
                text = text[:cut].rstrip(_BLANK)
                if rest:
                    self.push([rest], origin)
            yield text, origin

    # Output: the tree.

    def tree(self) -> tuple[Node, ...]:
        root = _Open(None, Origin(), [])
        blocks = [root]
        header = False
        for text, origin in self.logical():
            if text == "{":
                self.begin(blocks, header, origin)
                header = False
            elif text == "}":
                header = False
                if len(blocks) == 1:
                    self.bad(ERROR, "a '}' too many", origin, "Drop it, or find the '{' that is missing above it.")
                else:
                    _close(blocks)
            else:
                words, _closed = words_of(text)
                if words:
                    if text.endswith("\\"):
                        self.bad(
                            WARNING,
                            "a backslash at the end of a line that is no definition",
                            origin,
                            "keepalived takes it for a part of the last word; write it all in one line.",
                        )
                    blocks[-1].children.append(Node(words, None, origin))
                    header = True
        for block in reversed(blocks[1:]):
            if block.words:
                self.bad(ERROR, "the block '%s' is never closed" % block.words[0], block.origin, "Add its '}'.")
            _close(blocks)
        return tuple(root.children)

    def begin(self, blocks: list[_Open], header: bool, origin: Origin) -> None:
        """A ``{``: the line before it is the block's header."""
        children = blocks[-1].children
        if not header:
            self.bad(ERROR, "a '{' that no keyword stands before", origin, "Drop it, or add the keyword.")
            blocks.append(_Open(None, origin, children))
        elif len(blocks) > MAX_DEPTH:
            if len(blocks) == MAX_DEPTH + 1:
                self.bad(ERROR, "blocks more than %d deep" % MAX_DEPTH, origin)
            blocks.append(_Open(None, origin, children))
        else:
            node = children.pop()
            blocks.append(_Open(node.words, node.origin, []))


def _close(blocks: list[_Open]) -> None:
    block = blocks.pop()
    if block.words is not None:
        blocks[-1].children.append(Node(block.words, tuple(block.children), block.origin))


def _first_brace(text: str) -> int:
    """Where the first brace outside double quotes stands, -1 if nowhere. keepalived knows no escaped quote here."""
    if "{" not in text and "}" not in text:
        return -1
    position = 0
    while True:
        match = _BRACE.search(text, position)
        if match is None:
            return -1
        if match.group() != '"':
            return match.start()
        position = text.find('"', match.end()) + 1
        if not position:
            return -1


def _strtol(word: str) -> int:
    """A C number: decimal, 0x hexadecimal or 0 octal; bounded, so that no sequence of it is endless."""
    digits = word.lstrip("+-").lower()[:18]
    base = 16 if digits.startswith("0x") else (8 if digits.startswith("0") and digits.strip("01234567") == "" else 10)
    return int(digits, base) * (-1 if word.startswith("-") else 1)


def parse(path: str, load: Load, config_id: str = "") -> Parsed:
    """The tree of a configuration with all it includes.

    :param path: the main file, as *load* knows it.
    :param load: gives the files of a path or pattern, see :data:`Load`.
    :param config_id: what ``@`` lines are compared with (keepalived's ``-i``; it takes the host's name by default).
    :returns: the tree, findings (KH049 syntax, KH032 includes), and the paths of all files read.
    """
    parser = _Parser(load, config_id)
    parser.open(path, Origin())
    nodes = parser.tree()
    return Parsed(nodes, tuple(parser.findings), tuple(parser.paths))


def from_texts(texts: dict[str, str]) -> Load:
    """A way to files that are given as texts; patterns are matched as the shell matches paths."""

    def load(pattern: str) -> list[Source]:
        return [Source(path, texts[path]) for one in braces(pattern) for path in sorted(texts) if _matches(path, one)]

    return load


def _matches(path: str, pattern: str) -> bool:
    """Whether a glob pattern stands for a path: no wildcard matches a slash, or a leading dot."""
    parts, wanted = os.path.normpath(path).split("/"), os.path.normpath(pattern).split("/")
    return len(parts) == len(wanted) and all(
        fnmatch.fnmatchcase(part, one) and (not part.startswith(".") or one.startswith("."))
        for part, one in zip(parts, wanted)
    )


def braces(pattern: str, limit: int = 256) -> list[str]:
    """The patterns that ``{a,b}`` in a pattern stands for, innermost first, as csh expands them; at most *limit*."""
    done: list[str] = []
    todo = [pattern]
    while todo and len(done) < limit:
        one = todo.pop(0)
        match = re.search(r"\{([^{}]*)\}", one)
        if match is None or len(todo) > limit:
            done.append(one)
        else:
            todo[:0] = [one[: match.start()] + item + one[match.end() :] for item in match.group(1).split(",")]
    return done
