# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Files that nobody writes on purpose are read to an end: in bounded time, with findings, without an exception."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.failover.vip.plugins.module_utils._conf import _parse
from ansible_collections.failover.vip.plugins.module_utils._conf._load import from_disk
from ansible_collections.failover.vip.plugins.module_utils._conf._parse import MAX_FINDINGS, MAX_TEXT, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, Finding

#: Seconds of the processor, which a busy machine does not make more of. What grows with the square of a size, or with
#: the number of paths through the includes, takes hours for these files.
LIMIT = 60


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < LIMIT


def findings(main: Path) -> list[Finding]:
    """All that is said while a configuration on the disk is parsed and read."""
    parsed = parse(str(main), from_disk)
    _director, said = read(parsed.nodes)
    assert len(parsed.findings) <= MAX_FINDINGS
    return [*parsed.findings, *said]


def test_a_file_of_100_megabytes_is_refused_unread(tmp_path: Path) -> None:
    main, included = tmp_path / "keepalived.conf", tmp_path / "large.conf"
    main.write_text("include large.conf\nvrrp_instance A {\n}\n", encoding="utf-8")
    with included.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)
    (found,) = (one for one in findings(main) if one.rule == "KH032")
    assert (found.path, found.line) == (str(main), 1)
    assert "large.conf is larger than %d bytes" % MAX_TEXT in found.message
    (alone,) = findings(included)
    assert (alone.rule, alone.severity, alone.path) == ("KH032", ERROR, str(included))


def test_files_that_are_too_much_together_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_parse, "MAX_TEXT", 100000)
    main = tmp_path / "keepalived.conf"
    main.write_text("include part*.conf\n", encoding="utf-8")
    for number in range(30):
        (tmp_path / ("part%02d.conf" % number)).write_text("! %s\n" % ("x" * 9997), encoding="utf-8")
    refused = [one for one in findings(main) if "more than 100000 characters in all files" in one.message]
    assert len(refused) == 21


def test_files_that_include_each_other_all(tmp_path: Path) -> None:
    """Every file includes all of them: there are more paths through eight files than anybody waits for."""
    for number in range(8):
        (tmp_path / ("part%d.conf" % number)).write_text("include part*.conf\n", encoding="utf-8")
    found = findings(tmp_path / "part0.conf")
    assert {one.rule for one in found} == {"KH032"}
    assert "includes itself" in found[0].message


def test_files_that_include_the_next_twice(tmp_path: Path) -> None:
    for number in range(15):
        text = ("include part%d.conf\n" % (number + 1)) * 2
        (tmp_path / ("part%d.conf" % number)).write_text(text if number < 14 else "", encoding="utf-8")
    assert "more than %d files" % _parse.MAX_FILES in findings(tmp_path / "part0.conf")[0].message


@pytest.mark.parametrize("size", [1, 4096, 4 * 1024 * 1024])
def test_nothing_but_nul_bytes(tmp_path: Path, size: int) -> None:
    main = tmp_path / "keepalived.conf"
    main.write_bytes(b"\0" * size)
    assert ["a NUL byte" in one.message for one in findings(main)][:1] == [True]


def test_nul_bytes_in_every_line(tmp_path: Path) -> None:
    main = tmp_path / "keepalived.conf"
    main.write_bytes(b"vrrp_instance A {\n" + b"priority\x00 100\n" * 100000 + b"}\n")
    found = findings(main)
    assert "a NUL byte" in found[0].message
    assert "'priority' has no value" in found[1].message


@pytest.mark.parametrize("text", ["a {" * 100000, "a {\n" * 100000, "{" * 100000, "}" * 100000, "a { }\n" * 50000])
def test_deep_nesting(tmp_path: Path, text: str) -> None:
    main = tmp_path / "keepalived.conf"
    main.write_text(text, encoding="utf-8")
    assert {one.rule for one in findings(main)} <= {"KH034", "KH049"}
    assert findings(main)


def test_blocks_of_the_right_name_in_each_other(tmp_path: Path) -> None:
    main = tmp_path / "keepalived.conf"
    main.write_text("vrrp_instance A {\n" * 20000 + "}\n" * 20000, encoding="utf-8")
    said = [one.message for one in findings(main)]
    assert any("blocks more than" in message for message in said)
    assert any("'vrrp_instance' stands inside vrrp_instance" in message for message in said)
