# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Our reader against the real ``keepalived -t`` of each Debian release.

What keepalived rejects, we report, at the same line or in the same block; what it accepts, we accept, but for the
faults that it is known not to see. Where the two still disagree, ``disagreements.yml`` says why. What the plan writes,
keepalived accepts.
"""

from __future__ import annotations

import fnmatch
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings

from ansible_collections.failover.vip.plugins.action.vrrp_plan import planned
from ansible_collections.failover.vip.tests.oracle import generated
from ansible_collections.failover.vip.tests.oracle.generated import PATH, Case
from ansible_collections.failover.vip.tests.oracle.judge import ask, findings_of, objections, says_why
from ansible_collections.failover.vip.tests.oracle.machines import ROOT, Machine, tables
from ansible_collections.failover.vip.tests.unit.plugins.action.test_plan import DEFAULTS, topologies
from ansible_collections.failover.vip.tests.unit.plugins.module_utils._conf import test_parse, test_read

DISAGREEMENTS: list[dict[str, str]] = yaml.safe_load(
    (Path(__file__).parent / "disagreements.yml").read_text(encoding="utf-8")
)

_SAMPLES = """
import os
top = "/tmp/package/usr/share/doc/keepalived/samples"
names = [name for name in sorted(os.listdir(top)) if name.startswith("keepalived.conf")]
result = {name: open(os.path.join(top, name), encoding="utf-8").read() for name in names}
"""


def samples(machine: Machine) -> list[Case]:
    """What Debian's package brings."""
    return [
        Case("sample", "sample " + name.partition("conf.")[2], {PATH: text})
        for name, text in machine.python(_SAMPLES).items()
    ]


def examples() -> list[Case]:
    """Every configuration among the unit tests."""
    data = ROOT / "tests/unit/data"
    found = [
        Case("example", "example %s" % path.relative_to(data), {PATH: path.read_text(encoding="utf-8")})
        for path in sorted(data.rglob("*.conf"))
    ]
    for module, function in ((test_read, "test_faults"), (test_parse, "test_faults")):
        (mark,) = (mark for mark in getattr(module, function).pytestmark if mark.name == "parametrize")
        found += [
            Case("example", "example %s %d" % (module.__name__.rpartition(".")[2], number), {PATH: parameters[0]})
            for number, parameters in enumerate(mark.args[1])
        ]
    return found


def plans() -> list[Case]:
    """What the plan writes for topologies of all kinds."""
    found: list[Case] = []

    @settings(max_examples=25, derandomize=True, database=None, phases=[Phase.generate], deadline=None)
    @given(topologies())
    def collect(drawn: Any) -> None:
        hosts, instances, _scripts, arguments = drawn
        members = {
            host: {"interfaces": {"eth0": ["172.25.254.%d/24" % (50 + number)]}} for number, host in enumerate(hosts)
        }
        options = {**DEFAULTS, "notify": "/etc/keepalived/mail.sh", "vrrp_instances": instances, **arguments}
        options["global_defs"] = {**options["global_defs"], "enable_script_security": True, "script_user": "root"}
        files = planned(options, members, {})["files"][hosts[0]]
        texts = {file["path"]: file["content"].replace("/etc/keepalived/conf.d", "conf.d") for file in files}
        found.append(Case("plan", "plan %d" % len(found), texts))

    collect()
    return found


def entry(case: Case, keepalived: str, machine: Machine) -> dict[str, str] | None:
    """The explanation of a disagreement."""
    for one in DISAGREEMENTS:
        if (
            fnmatch.fnmatchcase(case.name, one["case"])
            and one["keepalived"] == keepalived
            and machine.release in one.get("release", machine.release)
        ):
            return one
    return None


def test_we_say_what_keepalived_says(machines: list[Machine], capsys: pytest.CaptureFixture[str]) -> None:
    used: list[dict[str, str]] = []
    open_: list[str] = []
    rows: dict[tuple[str, str], Counter[str]] = {}
    for machine in machines:
        cases = [*samples(machine), *examples(), *plans(), *generated.cases()]
        for case, verdict in zip(cases, ask(machine, cases), strict=True):
            findings = findings_of(case, machine.version)
            said = objections(verdict, findings)
            reported = says_why(case, verdict, findings) and case.kind != "plan"
            agree = not said if verdict.accepts else reported
            keepalived = "accepts" if verdict.accepts else "rejects"
            we = ("accept" if agree else "reject") if verdict.accepts else ("report" if agree else "are silent")
            for kind in (case.kind, "all"):
                rows.setdefault((machine.release, kind), Counter())["%s, we %s" % (keepalived, we)] += 1
            if agree:
                continue
            known = entry(case, keepalived, machine)
            if known is None:
                ours = "; ".join(one.text() for one in said or findings)
                open_.append("%s: %s: keepalived %s (%d: %s), we: %s" % (
                    machine.release, case.name, keepalived, verdict.code, verdict.output.strip()[:300], ours[:300],
                ))  # fmt: skip
            elif known not in used:
                used.append(known)
    columns = ("accepts, we accept", "accepts, we reject", "rejects, we report", "rejects, we are silent")
    table = [("release", "what", *columns)] + [
        (*key, *(count[name] for name in columns)) for key, count in rows.items()
    ]
    with capsys.disabled():
        print("\nkeepalived -t … and we …\n" + tables(table))
    assert not open_, "%d disagreements that nothing explains:\n%s" % (len(open_), "\n".join(open_))
    if generated.SHARE >= 1:
        stale = [one for one in DISAGREEMENTS if one not in used]
        assert not stale, "no longer needed: %s" % stale
