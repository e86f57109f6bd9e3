# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""keepalived.conf to tree: the language by tables, and anything at all by properties."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.failover.vip.plugins.module_utils._conf import _parse
from ansible_collections.failover.vip.plugins.module_utils._conf._load import from_disk
from ansible_collections.failover.vip.plugins.module_utils._conf._parse import Parsed, braces, from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._conf._tree import text

MAIN = "/etc/keepalived/keepalived.conf"
#: A file with a bit of everything, for the mutations.
SAMPLE = (Path(__file__).parents[3] / "data" / "sample.conf").read_text(encoding="utf-8")


def parsed(content: str, config_id: str = "ka1", **others: str) -> Parsed:
    """The tree of a main file and of others, by their paths below its directory ('/' written as '__')."""
    files = {MAIN: content}
    files.update({"/etc/keepalived/" + path.replace("__", "/") + ".conf": other for path, other in others.items()})
    return parse(MAIN, from_texts(files), config_id)


def lines(result: Parsed) -> list[str]:
    return [line.strip() for line in text(result.nodes).splitlines()]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a b # c\n  ! d\ne ! f", ["a b", "e"]),
        ('a "b # c ! d" # e', ['a "b # c ! d"']),
        ("a \\# b # c", ["a \\# b"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("a {\nb\n}", ["a {", "b", "}"]),
        ("a{\nb\n}", ["a {", "b", "}"]),
        ("a\n{\nb\n}", ["a {", "b", "}"]),
        ("a { b }", ["a {", "b", "}"]),
        ("a { b { c d } }", ["a {", "b {", "c d", "}", "}"]),
        ("a { } b", ["a {", "}", "b"]),
        ('a "x { y" { b }', ['a "x { y" {', "b", "}"]),
        ("@ka1 a b\n@ka2 c d\n@^ka1 e\n@^ka2 f", ["a b", "f"]),
        ("@ka1", []),
        ("$A=x y\nb $A", ["b x y"]),
        ("$A=x\nb ${A}z $A, $Az", ["b xz x, $Az"]),
        ("$A=${B}1\n$B=0\n${A}\n$B=2\n${A}", ["01", "21"]),
        ("b ${UNKNOWN", ["b $ {", "UNKNOWN", "}"]),
        ("$A=@ka1 x\n$A\n$B=@ka2 x\n$B", ["x"]),
        (
            "$I= \\\nblock ${N} { \\\n  # a comment\n  @ka1 x ${N} \\\n  @ka2 y \\\n}\n$N=7\n$I",
            ["block 7 {", "x 7", "}"],
        ),
        (
            "$R= \\\nr ${N} \\\ns\n$V= \\\nv { \\\n$N=1 \\\n$R \\\n$N=2 \\\n$R \\\n}\n$V",
            ["v {", "r 1", "s", "r 2", "s", "}"],
        ),
        ("~SEQ(N, 0, 2) a ${N}", ["a 0", "a 1", "a 2"]),
        ("~SEQ(N, 2) a ${N}", ["a 1", "a 2"]),
        ("~SEQ(N, 5, -2, 0) a ${N}", ["a 5", "a 3", "a 1"]),
        ("~SEQx(N, 0x90, 0x10, 0xb0) a ${N}", ["a 90", "a a0", "a b0"]),
        ("~SEQ(N, 0, 1) ~SEQ(M, 0, 1) a ${N}${M}", ["a 00", "a 01", "a 10", "a 11"]),
        ("$E=1\n~SEQ(N, 0, $E) a ${N}", ["a 0", "a 1"]),
        ("~LST(N, x, y) a ${N}", ["a x", "a y"]),
        ("~LST({N, M}, {1, 2}, {3}) a ${N} b${M}", ["a 1 b2", "a 3 b"]),
        ("$I= \\\na { \\\nb ${N} \\\n}\n~SEQ(N, 1, 2) $I", ["a {", "b 1", "}", "a {", "b 2", "}"]),
        ("include conf.d/*.conf", ["b", "a"]),
        ("include conf.d/{a,10-b}.conf", ["a", "b"]),
        ("x {\ninclude conf.d/a.conf\n}", ["x {", "a", "}"]),
        ("includea conf.d/a.conf\nincluded", ["a", "included"]),
        ("d ${_PWD} ${_INSTANCE}", ["d /etc/keepalived ka1"]),
        ("", []),
    ],
)
def test_language(content: str, expected: list[str]) -> None:
    result = parsed(content, **{"conf.d__10-b": "b", "conf.d__a": "a", "conf.d__.hidden": "no"})
    assert lines(result) == expected
    assert result.findings == () or "UNKNOWN" in content or "~" in content


@pytest.mark.parametrize(
    ("content", "rule", "severity", "line", "words"),
    [
        ("a {\nb", "KH049", "error", 1, "'a' is never closed"),
        ("a\n}\nb", "KH049", "error", 2, "a '}' too many"),
        ("a {\n}\n{\nb\n}", "KH049", "error", 3, "a '{' that no keyword stands before"),
        ('a "b\nc', "KH049", "error", 1, "a quote that is not closed"),
        ("a\0b", "KH049", "error", 1, "a NUL byte"),
        ("a\nb " + "c" * 1100, "KH049", "error", 2, "keepalived reads 1023 at once"),
        ("a \\\nb", "KH049", "warning", 1, "a backslash at the end of a line"),
        ("include gone/*.conf", "KH032", "warning", 1, "'gone/*.conf' matches no file"),
        ("include keepalived.conf", "KH032", "error", 1, "includes itself"),
        ("\ninclude loop.conf", "KH032", "error", 1, "includes itself"),
        ("$A=${A}x\nb ${A}", "KH049", "error", 2, "a definition contains itself"),
        ("$A=xx${B}${B}${B}${B}\n$B=" + "y" * 400 + "\nb ${A}", "KH049", "error", 3, "a line grows beyond"),
        ("$A= \\\nx \\\n$A\n$A", "KH049", "error", 4, "definitions stand in each other without end"),
        ("~SEQ(N, 1, 0, 2) a", "KH049", "error", 1, "has no end"),
        ("~SEQ(N, 1, -1, 2) a", "KH049", "error", 1, "has no end"),
        ("~SEQ(N) a", "KH049", "error", 1, "does not understand"),
        ("~SEQ(N, one) a", "KH049", "error", 1, "does not understand"),
        ("~LST(N) a", "KH049", "error", 1, "does not understand"),
        ("~LST(N, {1, 2}) a", "KH049", "error", 1, "does not understand"),
        ("a {" * 40, "KH049", "error", 1, "blocks more than 32 deep"),
    ],
)
def test_faults(content: str, rule: str, severity: str, line: int, words: str) -> None:
    result = parsed(content, loop="include loop.conf")
    found = [finding for finding in result.findings if words in finding.message]
    assert found, result.findings
    assert (found[0].rule, found[0].severity, found[0].line) == (rule, severity, line)


def test_what_follows_a_fault_is_read() -> None:
    result = parsed('a "b\n}\n{\nc\n}\ninclude nothing\nd {\ne\n}')
    assert lines(result) == ['a "b', "c", "d {", "e", "}"]


def test_origins() -> None:
    result = parsed("\na {\n  b\n}\ninclude x.conf", x="c\n$D= \\\nd \\\ne\n$D")
    assert [(*node.origin, node.words[0]) for node in result.nodes] == [
        (MAIN, 2, "a"),
        ("/etc/keepalived/x.conf", 1, "c"),
        ("/etc/keepalived/x.conf", 5, "d"),
        ("/etc/keepalived/x.conf", 5, "e"),
    ]
    assert result.nodes[0].children is not None
    assert result.nodes[0].children[0].origin.line == 3
    assert result.paths == (MAIN, "/etc/keepalived/x.conf")


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_parse, "MAX_LINES", 100)
    result = parsed("$A= \\\na \\\na\n$B= \\\n$A \\\n$A\n$C= \\\n$B \\\n$B\n~SEQ(N, 1, 1000000) $C")
    assert "more than 100 lines" in result.findings[-1].message
    chain = {"c%d" % number: "include c%d.conf" % (number + 1) for number in range(40)}
    assert "include each other more than 16 deep" in parsed("include c0.conf", **chain).findings[0].message
    monkeypatch.setattr(_parse, "MAX_TEXT", 10)
    assert "more than 10 characters in all files" in parsed("a" * 11).findings[0].message


def test_files_from_disk(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    for name, content in (("b.conf", b"b\n"), ("a.conf", b"a \xff\n"), (".c.conf", b"c\n"), ("run.conf", b"r\n")):
        (tmp_path / "conf.d" / name).write_bytes(content)
    (tmp_path / "conf.d" / "run.conf").chmod(0o755)
    os.mkfifo(tmp_path / "conf.d" / "pipe.conf")
    (tmp_path / "main.conf").write_text("include conf.d/*.conf\ninclude conf.d\n", encoding="utf-8")
    result = parse(str(tmp_path / "main.conf"), from_disk)
    assert lines(result) == ["a \ufffd", "b"]
    assert sorted(finding.message.split(" ", 1)[1] for finding in result.findings) == [
        "is executable, keepalived skips it",
        "is no regular file, keepalived skips it",
        "is no regular file, keepalived skips it",
    ]
    (missing,) = parse(str(tmp_path / "gone.conf"), from_disk).findings
    assert (missing.rule, missing.severity) == ("KH032", "error")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("a", ["a"]), ("{a,b}c", ["ac", "bc"]), ("{a,{b,}c}", ["a", "bc", "a", "c"]), ("{a", ["{a"])],
)
def test_braces(pattern: str, expected: list[str]) -> None:
    assert braces(pattern) == expected


def test_braces_are_bounded() -> None:
    assert len(braces("{a,b}" * 40)) <= 1024


_PIECES = st.sampled_from(
    [
        *"{}\"'\\#!$@~()=,*\0\t\r \n",
        "\n$A= \\\n",
        "\n$A=",
        "$A",
        "${A}",
        "${_RANDOM 1 2}",
        "~SEQ(A, 0, 3) ",
        "~SEQx(A, 9, -3, 1) ",
        "~LST({A, B}, {1, 2}, {3}) ",
        "@ka1 ",
        "@^ka1 ",
        "include *\n",
        "include keepalived.conf\n",
        "vrrp_instance A {\n",
        "virtual_ipaddress { 192.0.2.1/24 }\n",
        "authentication {",
        "auth_pass ",
        "priority 1\n",
        "track_script",
        "notify_master ",
        "\\x41",
        "ä",
    ]
)


@given(st.lists(_PIECES | st.text(max_size=6), max_size=40).map("".join))
def test_anything_is_read(content: str) -> None:
    result = parsed(content)
    read(result.nodes)
    assert all(finding.severity in ("error", "warning", "info") for finding in result.findings)
    # An unknown keyword '@ka1', which '@ka1 @ka1' leaves, is a condition when it is read again.
    if not result.findings and not any(line.startswith("@") for line in lines(result)):
        again = parsed(text(result.nodes), config_id="none")
        assert text(again.nodes) == text(result.nodes)


@given(st.lists(st.tuples(st.integers(0, len(SAMPLE)), st.integers(0, 8), st.binary(max_size=4)), max_size=6))
def test_any_mutation_of_a_file_is_read(mutations: list[tuple[int, int, bytes]]) -> None:
    content = SAMPLE.encode()
    for position, cut, put in mutations:
        content = content[:position] + put + content[position + cut :]
    result = parsed(content.decode("utf-8", "replace"))
    read(result.nodes)


def test_parse_text_parse_is_the_same_tree() -> None:
    result = parsed(SAMPLE)
    assert result.findings == ()
    again = parsed(text(result.nodes))
    # The place is another one; all else is equal.
    assert text(again.nodes) == text(result.nodes)
    assert repr(without_origins(again)) == repr(without_origins(result))


def without_origins(result: Parsed) -> object:
    def bare(nodes: object) -> object:
        return None if nodes is None else [(tuple(node.words), bare(node.children)) for node in nodes]  # type: ignore[attr-defined]

    return bare(result.nodes)
