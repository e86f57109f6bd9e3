# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""tests/run/count.py: nothing that failed, or was not run, passes for well."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.failover.vip.tests.run import count

GOOD = """<testsuites><testsuite name="unit"><testcase name="one"/>
<testcase name="two"><skipped/></testcase></testsuite></testsuites>"""
BAD = """<testsuites><testsuite name="default-trixie"><testcase name="test_gap"><failure message="AssertionError: 400 ms
assert 400 &lt;= 300">the whole traceback</failure></testcase>
<testcase name="test_lab"><error message="failed on setup"/></testcase></testsuite></testsuites>"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """All parts well."""
    for part in count.TESTED:
        (tmp_path / f"{part}.xml").write_text(GOOD, encoding="utf-8")
    return tmp_path


def test_all_is_well(results: Path) -> None:
    assert count.judge(results, set()) == (6, 0, 6)


def test_failures_are_counted_and_named(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (results / "molecule-default-trixie.xml").write_text(BAD, encoding="utf-8")
    (results / "molecule.txt").write_text("passed audit-trixie\nfailed default-trixie\n", encoding="utf-8")
    assert count.judge(results, {"molecule"}) == (7, 3, 6)
    capsys.readouterr()
    count.show_failures(results)
    assert capsys.readouterr().out.splitlines() == [
        "** default-trixie: test_gap: AssertionError: 400 ms assert 400 <= 300",
        "** default-trixie: test_lab: failed on setup",
        "** molecule: default-trixie",
    ]


@pytest.mark.parametrize("text", ["", "<testsuites><testsu", "<testsuites/>"])
def test_a_part_without_a_test_has_failed(results: Path, text: str) -> None:
    (results / "oracle.xml").write_text(text, encoding="utf-8")
    assert count.judge(results, set()).failed == 1
    count.show_failures(results)


def test_a_part_that_ended_badly_with_only_good_tests_has_failed(results: Path) -> None:
    assert count.judge(results, {"unit"}).failed == 1
    assert count.judge(results, {"lint"}).failed == 1
