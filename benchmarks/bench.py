# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""How long the parser and the rules take, and how much memory, at one size and at ten times that size.

Each row runs in a process of its own, so that its peak of memory is its own. Times are those of the processor, which
other work on the machine disturbs least. A bound that is missed is marked; the exit status is 1 only if one is missed
by SLACK, since machines differ.

usage: make bench, or: python benchmarks/bench.py [row]   (rows: see ROWS)
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / ".ansible" / "collections"))

from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._model import Block, Cluster, Director, Vip, VrrpInstance
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import RULES, check
from ansible_collections.failover.vip.plugins.module_utils._rules._holders import tables
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import HOST

#: A bound missed by this factor fails the run.
SLACK = 2.0

VIRTUAL_SERVER = """virtual_server 10.%d.%d.%d 80 {
    delay_loop 5
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 192.0.2.1 80 {
        TCP_CHECK {
        }
    }
}
"""
INSTANCE = """vrrp_instance I%d {
    state BACKUP
    interface eth0
    virtual_router_id %d
    priority 254
    advert_int 1
    unicast_src_ip 192.0.2.1
    unicast_peer {
        192.0.2.2
    }
    virtual_ipaddress {
        198.51.100.%d/24 dev eth0
    }
}
"""


class Row(NamedTuple):
    """What is measured: the size at 1x, how it is made and what is timed; the bounds are for 10x."""

    name: str
    size: int
    unit: str
    make: Callable[[int], Any]
    work: Callable[[Any], object]
    seconds: float
    megabytes: float


def virtual_servers(lines: int) -> str:
    """A file of so many lines, ten of them a virtual server."""
    return "".join(VIRTUAL_SERVER % (number >> 16, number >> 8 & 255, number & 255) for number in range(lines // 10))


def small_file(lines: int) -> str:
    """A file of so many lines, 14 of them a VRRP instance."""
    return "".join(INSTANCE % (number, number, number) for number in range(1, lines // 14 + 1))


def hostile(size: int) -> str:
    """Text that is worst for a parser: braces without end."""
    return "vrrp_instance a {\n" * size


def lint(text: Any) -> object:
    """Text to findings, as keepalived_lint does it."""
    parsed = parse("main", from_texts({"main": text}))
    director, findings = read(parsed.nodes, "host")
    return [*parsed.findings, *findings, *check(Cluster({"host": director}))]


def director(number: int, peer: int, priority: int, addresses: int) -> Director:
    """A director with 255 instances, each with one VIP and one peer; peer 0: multicast."""
    instances = []
    for vrid in range(1, 256):
        options = {
            "state": "BACKUP",
            "interface": "eth0",
            "virtual_router_id": vrid,
            "priority": priority,
            "advert_int": 1,
            "virtual_ipaddress": [Vip("10.%d.%d.%d" % (addresses >> 8, addresses & 255, vrid), 24, "eth0")],
        }
        if peer:
            options["unicast_src_ip"] = "192.0.%d.%d" % (number >> 8, number & 255)
            options["unicast_peer"] = ["192.0.%d.%d" % (peer >> 8, peer & 255)]
        instances.append(VrrpInstance("I%d" % vrid, options))
    defaults = {"router_id": "h%d" % number, "vrrp_version": 3, "reload_check_config": True}
    return Director("h%d" % number, Block("", defaults), instances)


def pairs(directors: int) -> list[Cluster]:
    """So many directors, two by two."""
    found = []
    for first in range(1, directors + 1, 2):
        two = (director(first, first + 1, 254, first), director(first + 1, first, 253, first))
        found.append(Cluster({one.host: one for one in two}))
    return found


def one_cluster(directors: int) -> list[Cluster]:
    """So many directors that all run the same 255 instances."""
    return [Cluster({"h%d" % number: director(number, 0, 1 + number % 254, 1) for number in range(1, directors + 1)})]


def check_pairs(clusters: Any) -> object:
    """What the rules between hosts find in all clusters."""
    between = [rule for rule in RULES if rule.scope != HOST]
    return [check(cluster, between) for cluster in clusters]


def check_all(clusters: Any) -> object:
    """All clusters' findings."""
    return [check(cluster) for cluster in clusters]


def holders(clusters: Any) -> object:
    """All clusters' tables of who holds what."""
    return [tables(cluster) for cluster in clusters]


ROWS = [
    Row("one large file, linted", 10_000, "lines", virtual_servers, lint, 5.0, 500),
    Row("a 200-line file, linted", 20, "lines", small_file, lint, 0.020, 500),
    Row("pairs of 255 instances, rules between hosts", 100, "directors", pairs, check_pairs, 10.0, 1000),
    Row("255 instances on all, rules between hosts", 100, "directors", one_cluster, check_pairs, 30.0, 1000),
    Row("pairs of 255 instances, all rules", 100, "directors", pairs, check_all, 30.0, 1000),
    Row("pairs of 255 instances, tables of holders", 10, "directors", pairs, holders, 10.0, 500),
    Row("braces that never close, linted", 10_000, "lines", hostile, lint, 10.0, 500),
]


def measured(row: Row, size: int) -> dict[str, float]:
    """Seconds of the processor and the peak of memory in megabytes, in this process."""
    subject = row.make(size)
    gc.collect()
    before = time.process_time()
    row.work(subject)
    seconds = time.process_time() - before
    if seconds < 0.1:  # Short ones several times: the clock has steps, and the first run warms the caches.
        before = time.process_time()
        for _time in range(10):
            row.work(subject)
        seconds = (time.process_time() - before) / 10
    return {"seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def in_a_child(index: int, size: int) -> dict[str, float]:
    """:func:`measured` in a process of its own."""
    command = [sys.executable, __file__, "--measure", str(index), str(size)]
    found: dict[str, float] = json.loads(subprocess.check_output(command, text=True))  # noqa: S603 this file
    return found


def main(words: list[str]) -> int:
    """Prints the figures; 1 if a bound is missed by far."""
    if words[:1] == ["--measure"]:
        print(json.dumps(measured(ROWS[int(words[1])], int(words[2]))))
        return 0
    missed_by_far = False
    print("%-44s %18s %10s %7s %9s %7s" % ("", "size", "seconds", "growth", "of bound", "MB"))
    for index, row in enumerate(ROWS):
        if words and words[0] not in row.name:
            continue
        small = in_a_child(index, row.size)
        large = in_a_child(index, row.size * 10)
        worst = max(large["seconds"] / row.seconds, large["megabytes"] / row.megabytes)
        missed_by_far |= worst > SLACK
        for factor, found in ((1, small), (10, large)):
            bound = "%8.0f%%" % (100 * worst) if factor == 10 else ""
            growth = "%6.1fx" % (large["seconds"] / small["seconds"]) if factor == 10 else ""
            print(
                "%-44s %8d %-9s %10.4f %7s %9s %7.0f%s"
                % (
                    row.name if factor == 1 else "",
                    row.size * factor,
                    row.unit,
                    found["seconds"],
                    growth,
                    bound,
                    found["megabytes"],
                    "  MISSED" if factor == 10 and worst > 1 else "",
                )
            )
    return int(missed_by_far)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
