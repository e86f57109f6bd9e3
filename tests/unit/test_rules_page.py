# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""docs/rules.md: every rule has an example that it finds and one that it does not, and the page is up to date."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import RULES
from ansible_collections.failover.vip.plugins.module_utils._rules._elsewhere import ELSEWHERE

SCRIPT = Path(__file__).resolve().parents[1] / "run" / "rules_page.py"


def _load() -> Any:
    spec = importlib.util.spec_from_file_location("rules_page", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGE = _load()
EXAMPLES: dict[str, dict[str, Any]] = PAGE.examples()


def test_every_rule_has_an_example() -> None:
    assert sorted({rule.id for rule in RULES} - set(EXAMPLES)) == []


def test_no_example_is_of_an_unknown_rule() -> None:
    assert sorted(set(EXAMPLES) - {rule.id for rule in RULES} - set(ELSEWHERE)) == []


def test_what_has_no_example_is_tested_where_the_page_says() -> None:
    assert set(PAGE.TESTS) == set(ELSEWHERE) - set(EXAMPLES)
    for rule, path in PAGE.TESTS.items():
        assert rule in (PAGE.ROOT / path).read_text(encoding="utf-8"), rule


@pytest.mark.parametrize("rule", sorted(EXAMPLES))
def test_example(rule: str) -> None:
    bad, good = EXAMPLES[rule]["bad"], EXAMPLES[rule]["good"]
    assert rule in {finding.rule for finding in PAGE.findings(bad)}
    said = [finding.text() for finding in PAGE.findings(good) if finding.rule == rule]
    assert said == []


def test_a_rule_of_two_explanations_is_told_once() -> None:
    titles = [line for line in PAGE.page().splitlines() if line.startswith("### ")]
    assert len(titles) == len(set(titles)) == len({rule.id for rule in RULES} | set(ELSEWHERE))


def test_every_rule_is_explained() -> None:
    """A docstring that is only the id, or nothing, explains nothing."""
    for rule in RULES:
        text = (rule.check.__doc__ or "").strip()
        assert len(text) > 40, rule.id


def test_the_page_is_what_the_rules_say() -> None:
    written = PAGE.PAGE.read_text(encoding="utf-8")
    assert written == PAGE.page(), "run: python tests/run/rules_page.py"
