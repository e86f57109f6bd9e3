# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""What a real ``keepalived -t`` says of configurations, what we say of them, and whether that is the same."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import NamedTuple

from ansible_collections.failover.vip.plugins.module_utils._apply._config_test import messages, with_root_as_script_user
from ansible_collections.failover.vip.plugins.module_utils._conf._keywords import DEPRECATED, ROOT
from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, WARNING, Finding
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster, Interface
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import RULES, check
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import HOST
from ansible_collections.failover.vip.tests.oracle.generated import PATH, Case
from ansible_collections.failover.vip.tests.oracle.machines import Machine

HOST_ID = "ka1"
DIRECTORY = "/run/oracle"
#: Of the machines; the same that the machines are made with.
INTERFACES = {
    "lo": ("127.0.0.1/8", "::1/128"),
    "eth0": ("172.25.254.50/24", "2001:db8::50/64"),
    **dict.fromkeys(("eth1", "eth2", "eth3", "far0", "far1", "far2", "far3"), ()),
}
#: What ``keepalived -t`` is there for: the language. Of all other rules it is known that it does not see what they see,
#: or not always; and of warnings about a value, that they are about words which it drops in silence.
SEEN = frozenset(((ERROR, "KH034"), (WARNING, "KH041"), (ERROR, "KH042"), (ERROR, "KH049")))

#: Tests configurations side by side: how each ended, and what was said.
_TEST = r"""
import concurrent.futures, os, re, subprocess

def put(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
        stream.write(text)

def stub(path):
    # A host on which what the configuration names exists.
    if not os.path.lexists(path):
        put(path, "#!/bin/sh\nexit 0\n")
        os.chmod(path, 0o755)

def test(item):
    number, files = item
    directory = os.path.join(given["directory"], str(number))
    for name, text in files.items():
        put(os.path.join(directory, name), text)
    main = os.path.join(directory, given["main"])
    command = ["timeout", "--kill-after", "1", "5", "keepalived", "-t", "-e", "-i", given["id"], "-f", main]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode("utf-8", "replace")

for path in given["stubs"]:
    stub(path)
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    result = list(pool.map(test, enumerate(given["files"], given["first"])))
"""
_COMMON = ("script_user root: all scripts run as root", "vrrp_script check is tracked by nothing")
_SCRIPT = re.compile(r"(?<![\w/])/(?:etc/keepalived|usr/local|opt|path|scripts?)/[\w./-]*\w")
_INSTANCE = re.compile(r"^\((?P<name>[^():]+)\) ")


class Verdict(NamedTuple):
    """What keepalived says. ``lines``: the lines of the main file that it names."""

    code: int
    output: str
    lines: tuple[int, ...]

    @property
    def accepts(self) -> bool:
        return self.code == 0


def ask(machine: Machine, cases: Sequence[Case]) -> list[Verdict]:
    """What a machine's keepalived says of each case."""
    found = _ask(machine, [case.files for case in cases], 0)
    # 2.2.5 to 2.2.7 end themselves over a script of another user than root, see _config_test.
    again = [number for number, (code, _output) in enumerate(found) if code in (143, -15)]
    changed = [
        {
            name: with_root_as_script_user(text) + "\nglobal_defs {\n    script_user root\n}\n" * (name == PATH)
            for name, text in cases[number].files.items()
        }
        for number in again
    ]
    for number, one in zip(again, _ask(machine, changed, len(cases)), strict=True):
        found[number] = one
    return [Verdict(code, output, _lines(output)) for code, output in found]


def _ask(machine: Machine, files: Sequence[dict[str, str]], first: int) -> list[tuple[int, str]]:
    stubs = {path for one in files for text in one.values() for path in _SCRIPT.findall(text)}
    given = {
        "directory": DIRECTORY,
        "main": PATH,
        "id": HOST_ID,
        "first": first,
        "files": list(files),
        "stubs": sorted(stubs),
    }
    return list(machine.python(_TEST, given))


def _lines(output: str) -> tuple[int, ...]:
    return tuple(
        message["line"] or int(re.findall(r"^\(Line (\d+)\)", message["message"])[0])
        for message in messages(output.splitlines())
        if message["line"] or re.match(r"\(Line \d+\)", message["message"])
    )


def findings_of(case: Case, release: tuple[int, ...]) -> list[Finding]:
    """What we say of a case, errors and warnings."""
    texts = {"%s/%s" % (DIRECTORY, name): text for name, text in case.files.items()}
    parsed = parse("%s/%s" % (DIRECTORY, PATH), from_texts(texts), HOST_ID)
    interfaces = {
        name: Interface(name, tuple(ipaddress.ip_interface(address) for address in addresses))
        for name, addresses in INTERFACES.items()
    }
    director, findings = read(parsed.nodes, HOST_ID, interfaces, release)
    alone = [rule for rule in RULES if rule.scope == HOST]
    every = [*parsed.findings, *findings, *check(Cluster({HOST_ID: director}), alone)]
    # What is said of every generated file explains nothing.
    return [one for one in every if one.severity in (ERROR, WARNING) and not one.message.startswith(_COMMON)]


def objections(verdict: Verdict, findings: Sequence[Finding]) -> list[Finding]:
    """Of what keepalived accepts, what we take for mistakes that it would have seen."""
    return [one for one in findings if verdict.accepts and (one.severity, one.rule) in SEEN]


def block_of(text: str, line: int) -> int:
    """The line at which the outermost block begins that a line stands in."""
    roots = {*ROOT, *DEPRECATED[""]}
    for number, content in reversed(list(enumerate(text.splitlines()[:line], 1))):
        if content[:1] not in ("", " ", "\t", "}") and re.split(r"[\s{]", content)[0] in roots:
            return number
    return 0


def says_why(case: Case, verdict: Verdict, findings: Sequence[Finding]) -> bool:
    """Whether one of our findings stands at the line or in the block that keepalived's messages name, if they do."""
    text = case.files[PATH]
    blocks = {block_of(text, line) for line in verdict.lines}
    blocks |= {number for number, line in enumerate(text.splitlines(), 1) if _named(line, verdict.output)}
    if not blocks:
        return bool(findings)
    return any(
        not finding.path.endswith("/" + PATH) or finding.line in verdict.lines or block_of(text, finding.line) in blocks
        for finding in findings
    )


def _named(line: str, output: str) -> bool:
    words = line.split()
    names = {match["name"] for match in map(_INSTANCE.match, output.splitlines()) if match}
    return len(words) > 1 and words[0] == "vrrp_instance" and words[1].rstrip("{") in names
