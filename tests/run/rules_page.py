# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Writes docs/rules.md from the rules themselves and from their examples in tests/unit/data/rules.

Each example goes through the real parser and all rules; the page shows what they say.

A file there holds the examples of a family of rules: for each rule's id below ``bad`` and ``good`` what differs from a
healthy pair (see :func:`config`), by host. ``both`` stands for ka1 and ka2. Text alone is lines of vrrp_instance
WEB_VIP; else a mapping of ``instance`` (the same), ``global_defs``, ``config`` (beside the blocks), ``without``
(keywords to leave out), ``file`` (instead of all that), ``files`` (more files, by path), ``facts`` (the machine, see
_machine_plain) and ``interfaces`` (names to addresses). ``backends`` are real servers, with ``facts`` and
``interfaces``. ``keepalived`` says whether ``keepalived -t`` sees it: yes, partly, or no (default).

usage: python tests/run/rules_page.py
"""

from __future__ import annotations

import inspect
import ipaddress
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / ".ansible" / "collections"))

from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._finding import SEVERITIES, Finding, ordered
from ansible_collections.failover.vip.plugins.module_utils._machine_plain import machine_from_plain
from ansible_collections.failover.vip.plugins.module_utils._model import Backend, Cluster, Interface
from ansible_collections.failover.vip.plugins.module_utils._rules import _holders
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import RULES, check
from ansible_collections.failover.vip.plugins.module_utils._rules._elsewhere import ELSEWHERE

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "rules.md"
EXAMPLES = ROOT / "tests" / "unit" / "data" / "rules"
DISAGREEMENTS = ROOT / "tests" / "oracle" / "disagreements.yml"
#: Host to the last byte of its address.
HOSTS = {"ka1": 50, "ka2": 60, "ka3": 70}
MAIN = "/etc/keepalived/keepalived.conf"
FAMILIES = {
    "KP": "Between hosts",
    "KH": "One host",
    "KL": "Virtual servers",
    "KX": "HAProxy beside keepalived",
    "KE": "What surrounds keepalived",
    "KD": "The running daemon",
    "KW": "The wire",
    "KI": "The inventory and the audit",
}
SEEN = {
    "yes": "`keepalived -t` reports it too.",
    "partly": "`keepalived -t` reports some of it.",
    "no": "`keepalived -t` does not see it.",
}
#: Where what has no example is tested: it is about variables, arguments, or two states of a host, and not about files.
TESTS = {
    "KE009": "tests/unit/plugins/module_utils/_apply/test_reload_plan.py",
    "KI001": "tests/unit/plugins/action/test_plan.py",
    "KI002": "tests/unit/plugins/action/test_plan.py",
    "KI003": "tests/unit/plugins/action/test_plan.py",
    "KI004": "tests/unit/plugins/module_utils/_conf/test_values.py",
    "KI005": "tests/unit/plugins/action/test_vrrp_plan.py",
    "KI006": "tests/unit/plugins/module_utils/_rules/test_allowed.py",
    "KI007": "tests/unit/plugins/module_utils/_rules/test_allowed.py",
    "KI008": "tests/unit/plugins/module_utils/_rules/test_allowed.py",
    "KI009": "tests/unit/plugins/action/test_vrrp_validate.py",
    "KI010": "tests/unit/plugins/action/test_plan_lvs.py",
    "KP013": "tests/unit/plugins/action/test_vrrp_plan.py",
    "KP021": "tests/unit/plugins/module_utils/_apply/test_reload_plan.py",
}
#: These are not about what stands in keepalived's files.
NOT_IN_FILES = ("KX", "KE", "KD", "KW", "KI")


def statements(text: str) -> Iterator[tuple[str, str]]:
    """The lines of a block, a block in it as one: (keyword, text)."""
    lines: list[str] = []
    depth = 0
    for line in text.splitlines():
        if line.strip() or lines:
            lines.append(line)
            depth += line.count("{") - line.count("}")
            if depth <= 0:
                yield lines[0].split()[0], "\n".join(lines)
                lines = []
    if lines:
        yield lines[0].split()[0], "\n".join(lines)


def _merged(healthy: str, own: str, without: list[str]) -> str:
    changes = list(statements(own))
    gone = {keyword for keyword, _text in changes} | set(without)
    kept = [text for keyword, text in statements(healthy) if keyword not in gone]
    return "\n".join("    " + line for text in [*kept, *(text for _key, text in changes)] for line in text.splitlines())


def config(host: str, changes: Mapping[str, Any]) -> str:
    """The host's keepalived.conf: that of a healthy pair, and what the example has instead."""
    if "file" in changes:
        return str(changes["file"])
    last = HOSTS[host]
    peers = "\n".join("    172.25.254.%d" % other for name, other in HOSTS.items() if name not in (host, "ka3"))
    global_defs = "router_id %s\nvrrp_version 3\nreload_check_config\nenable_script_security\n" % host
    instance = (
        "state BACKUP\ninterface eth0\nvirtual_router_id 51\npriority %d\nadvert_int 1\nunicast_src_ip 172.25.254.%d\n"
        "unicast_peer {\n%s\n}\nvirtual_ipaddress {\n    172.25.254.100/24\n}\n" % (304 - last, last, peers)
    )
    without = list(changes.get("without", []))
    return "global_defs {\n%s\n}\n%s\nvrrp_instance WEB_VIP {\n%s\n}\n" % (
        _merged(global_defs, str(changes.get("global_defs", "")), without),
        changes.get("config", ""),
        _merged(instance, str(changes.get("instance", "")), without),
    )


def by_host(example: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What differs, by the hosts that the example has; two at least."""
    said = {host: {"instance": own} if isinstance(own, str) else dict(own) for host, own in example.items()}
    said.pop("backends", None)
    both = said.pop("both", {})
    return {host: {**both, **said.get(host, {})} for host in HOSTS if host in ("ka1", "ka2") or host in said}


def _interfaces(own: Mapping[str, Any], default: dict[str, list[str]]) -> dict[str, Interface]:
    return {
        name: Interface(name, tuple(ipaddress.ip_interface(address) for address in addresses))
        for name, addresses in own.get("interfaces", default).items()
    }


def findings(example: Mapping[str, Any]) -> list[Finding]:
    """All that the parser and the rules say of the example."""
    cluster, found = Cluster(), []
    for host, changes in by_host(example).items():
        texts = {MAIN: config(host, changes), **changes.get("files", {})}
        parsed = parse(MAIN, from_texts(texts), host)
        interfaces = _interfaces(changes, {"eth0": ["172.25.254.%d/24" % HOSTS[host]]})
        director, said = read(parsed.nodes, host, interfaces)
        director.machine = machine_from_plain(changes.get("facts", {}))
        cluster.directors[host] = director
        found += [*parsed.findings, *said]
    for host, own in example.get("backends", {}).items():
        cluster.backends[host] = Backend(host, _interfaces(own, {}), machine_from_plain(own.get("facts", {})))
    return ordered([*found, *check(cluster)])


def examples() -> dict[str, dict[str, Any]]:
    """All examples, by the rule's id."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(EXAMPLES.glob("*.yml")):
        found.update(yaml.safe_load(path.read_text(encoding="utf-8")))
    return found


def _shown(example: Mapping[str, Any]) -> Iterator[str]:
    """The example as fenced blocks, one for each host that has something of its own."""
    titles = {
        "instance": "vrrp_instance WEB_VIP",
        "global_defs": "global_defs",
        "config": "beside the blocks",
        "file": "the whole file",
    }
    for host, own in example.items():
        if host == "backends":
            yield "```yaml\n# real servers\n%s```" % yaml.safe_dump(own, sort_keys=False)
            continue
        where = "ka1 and ka2" if host == "both" else host
        lines = []
        parts: Mapping[str, Any] = {"instance": own} if isinstance(own, str) else own
        for key, said in parts.items():
            if key in titles:
                lines += ["# %s, %s" % (where, titles[key]), str(said).rstrip()]
            elif key == "without":
                lines.append("# %s, without %s" % (where, ", ".join(said)))
            elif key == "files":
                for path, body in said.items():
                    lines += ["# %s, %s" % (where, path), str(body).rstrip()]
            else:
                found = yaml.safe_dump(said, sort_keys=False, width=110).rstrip()
                lines += ["# %s, %s" % (where, "the machine" if key == "facts" else key), found]
        yield "```text\n%s\n```" % "\n".join(lines)


def _section(rule: str, said: list[Any], example: Mapping[str, Any]) -> Iterator[str]:
    """One rule's section; ``said`` is what the catalogue has of it, more than once where severities differ."""
    yield "### %s: %s" % (rule, "; or ".join(dict.fromkeys(one.title for one in said)))
    severities = sorted({one.severity for one in said}, key=SEVERITIES.index)
    sources = ", ".join(dict.fromkeys(one.source for one in said))
    line = "**%s.** Source: %s." % (" or ".join(severities).capitalize(), sources)
    if not rule.startswith(NOT_IN_FILES):
        line += " " + SEEN[example.get("keepalived", "no")]
    yield line
    for one in said:
        text = one.explanation if hasattr(one, "explanation") else inspect.getdoc(one.check) or ""
        text = re.sub(r"^%s: (.)" % rule, lambda match: match[1].upper(), text)
        yield "\n\n".join(re.sub(r"\s*\n\s*", " ", part) for part in text.replace("``", "`").split("\n\n"))
    for hint in dict.fromkeys(one.hint for one in said):
        yield "**What to do:** " + hint
    if "bad" in example:
        yield "Found in:"
        yield from _shown(example["bad"])
        found = [one for one in findings(example["bad"]) if one.rule == rule]
        yield "\n".join("> %s" % one.text().replace("<", "\\<") for one in found[:3])
        yield "Not found in:"
        yield from _shown(example["good"])
    else:
        yield "Its cases are in `%s`." % TESTS[rule]


def _holders_section() -> Iterator[str]:
    """The table of who holds the VIP, of a pair with the checks of the example inventory."""
    names = ("chk_flag", "chk_haproxy")
    scripts = "".join("vrrp_script %s {\n    script /usr/bin/true\n    weight -30\n}\n" % name for name in names)
    tracks = "track_script {\n%s\n}" % "\n".join("    " + name for name in names)
    cluster = Cluster()
    for host, changes in by_host({"both": {"config": scripts, "instance": tracks}}).items():
        cluster.directors[host] = read(parse(MAIN, from_texts({MAIN: config(host, changes)})).nodes, host)[0]
    yield "## Who holds the VIP"
    yield (
        "The rules about weights follow from a table: for every combination of failed checks, each host's priority, "
        "and who then holds the VIP. This is the one of a pair with the checks of `inventories/example`. What comes to "
        "the same priority is one row; beyond 4,096 rows a table ends with failures on two hosts, or on one, and says "
        "so. `tests/oracle/test_holders.py` compares such tables with two real keepalived."
    )
    yield _holders.as_text(_holders.tables(cluster)[0]).rstrip()


def _disagreements() -> Iterator[str]:
    if not DISAGREEMENTS.exists():
        return
    yield "## Where `keepalived -t` and these rules disagree"
    yield "Each was looked into; what is left is meant."
    rows = yaml.safe_load(DISAGREEMENTS.read_text(encoding="utf-8")) or []
    lines = ["| case | keepalived -t | here | why |", "|---|---|---|---|"]
    for row in rows:
        cells = [str(row[key]).replace("|", "\\|").replace("\n", " ") for key in ("case", "keepalived", "we", "reason")]
        lines.append("| %s |" % " | ".join(cells))
    yield "\n".join(lines)


def page() -> str:
    """The whole page."""
    known: dict[str, list[Any]] = {}
    every: list[Any] = [*RULES, *ELSEWHERE.values()]
    for one in every:
        known.setdefault(one.id, []).append(one)
    data = examples()
    parts = [
        "<!-- Written by tests/run/rules_page.py; change the rules' docstrings and tests/unit/data/rules instead. -->",
        "# The rules",
        "What `vrrp_plan`, `vrrp_validate`, `keepalived_lint` and the `audit` playbook look for. A finding has the "
        "rule's id, a severity, the host, the place, what is wrong and what to do. *Measured* means that keepalived "
        "itself was run with exactly this mistake. The examples are lines of a pair, ka1 and ka2, otherwise well.",
    ]
    for family, title in FAMILIES.items():
        ids = sorted(rule for rule in known if rule.startswith(family))
        if ids:
            parts.append("## %s (%s…)" % (title, family))
            for rule in ids:
                parts += _section(rule, known[rule], data.get(rule, {}))
    parts += [*_holders_section(), *_disagreements()]
    return "\n\n".join(part for part in parts if part) + "\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
