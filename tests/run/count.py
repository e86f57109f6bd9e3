# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Adds up what the parts of ``make test`` wrote into ``$RESULTS`` and prints it, at last as one plain line.

usage: python tests/run/count.py [PART THAT FAILED]...

Before that line stand the tests that failed, with the first words of why: a long log is often kept by its end only.

A part's tests are in ``PART*.xml`` (JUnit) and ``PART*.txt`` (lines ``passed NAME`` and ``failed NAME``). A part that
was to test and shows no test has failed, whatever it said itself; so has one that ended badly without a failed test to
show. Exit status 1 if anything failed.
"""

from __future__ import annotations

import os
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import NamedTuple

# The linters are no tests: they count only when they fail.
TESTED = ("sanity", "unit", "install", "oracle", "short-soak", "molecule")
LINTED = ("lint",)
#: Of a failed test, characters of its reason; and of how many tests.
SHOWN_CHARACTERS = 240
SHOWN_TESTS = 10


class Count(NamedTuple):
    """Numbers of tests."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: tuple[int, ...]) -> Count:  # type: ignore[override]
        return Count(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def failures(text: str) -> list[str]:
    """A line for each failed test of a JUnit file: its suite, its name and what pytest says first of why."""
    found = []
    for suite in ET.fromstring(text).iter("testsuite"):
        for case in suite.iter("testcase"):
            for outcome in [child for child in case if child.tag in ("failure", "error")]:
                why = " ".join((outcome.get("message") or outcome.text or "").split())
                found.append(f"{suite.get('name')}: {case.get('name')}: {why[:SHOWN_CHARACTERS]}")
    return found


def count_junit(text: str) -> Count:
    """The test cases of a JUnit file; an error in set-up or tear-down makes its test a failed one."""
    total = Count()
    for case in ET.fromstring(text).iter("testcase"):
        outcomes = {child.tag for child in case}
        if outcomes & {"failure", "error"}:
            total += Count(failed=1)
        elif "skipped" in outcomes:
            total += Count(skipped=1)
        else:
            total += Count(passed=1)
    return total


def count_verdicts(text: str) -> Count:
    """The lines that steps.sh writes."""
    verdicts = [line.split(" ", 1)[0] for line in text.splitlines()]
    return Count(passed=verdicts.count("passed"), failed=verdicts.count("failed"))


def count_part(directory: Path, part: str) -> Count:
    """All tests of one part; a file that is no JUnit, as from a run that was cut off, is one failed test."""
    total = Count()
    for path in sorted(directory.glob(f"{part}*.xml")):
        try:
            total += count_junit(path.read_text(encoding="utf-8"))
        except ET.ParseError as error:
            print(f"** {path.name}: {error}")
            total += Count(failed=1)
    for path in sorted(directory.glob(f"{part}*.txt")):
        total += count_verdicts(path.read_text(encoding="utf-8"))
    return total


def show_failures(directory: Path) -> None:
    """Prints what failed, shortly."""
    found = []
    for path in sorted(directory.glob("*.xml")):
        try:
            found += failures(path.read_text(encoding="utf-8"))
        except ET.ParseError:
            continue  # count_part says so
    for path in sorted(directory.glob("*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        found += [f"{path.stem}: {line.split(' ', 1)[1]}" for line in lines if line.startswith("failed ")]
    for line in found[:SHOWN_TESTS]:
        print(f"** {line}")
    if len(found) > SHOWN_TESTS:
        print(f"** and {len(found) - SHOWN_TESTS} more")


def judge(directory: Path, failed_parts: set[str]) -> Count:
    """Sums up all parts and prints a line for each."""
    total = Count()
    for part in TESTED:
        count = count_part(directory, part)
        if count.passed + count.failed == 0:
            print(f"** {part}: no test was run")
            count += Count(failed=1)
        elif part in failed_parts and count.failed == 0:
            print(f"** {part}: failed outside its tests (see above)")
            count += Count(failed=1)
        print(f"   {part:<9} {count.passed:>5} passed {count.failed:>5} failed {count.skipped:>5} skipped")
        total += count
    for part in LINTED:
        failed = max(count_part(directory, part).failed, int(part in failed_parts))
        print(f"   {part:<9} {'clean' if failed == 0 else f'{failed} failed'}")
        total += Count(failed=failed)
    return total


def main() -> int:
    """Exit status 0 if all is well."""
    directory = Path(os.environ["RESULTS"])
    total = judge(directory, set(sys.argv[1:]))
    show_failures(directory)
    skipped = f", {total.skipped} skipped" if total.skipped else ""
    print(f"\n{total.passed} passed, {total.failed} failed{skipped}")
    return int(total.failed > 0)


if __name__ == "__main__":
    sys.exit(main())
