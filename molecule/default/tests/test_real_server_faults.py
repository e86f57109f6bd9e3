# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""One of two real servers behind HAProxy fails in four ways, and no GET request does.

A client asks DB_VIP, where HAProxy balances on every kernel, 200 times a second from the first fault to the last
return. What it saw is read from the samples of each fault's own time.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import shlex
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from testinfra.host import Host

from ansible_collections.failover.vip.tests.lab_play import SAMPLES, asking, figure
from ansible_collections.failover.vip.tests.lab_watch import BUSY_MS

DIRECTOR = "ka2"  # the home of DB_VIP
SERVER, OTHER = "rs11", "rs22"

PACE_MS = 5
#: What a client may wait. The one who waits longest asked a server that took the request and then hangs: timeout server
#: (1 s), then a try at the other server, which answers within milliseconds. The rest is room.
LONGEST_MS = 1500
#: When the client itself gives up: above the bound, so that a longer answer is seen as long as it is.
TIMEOUT_MS = 2500


@dataclass(frozen=True)
class Fault:
    """What is done to the server as root, how it is undone, and what HAProxy finds (its log's word for the reason)."""

    make: str
    heal: str
    reason: str


FAULTS = {
    # systemd starts a service that was killed again, but not one that is masked.
    "killed": Fault(
        make="systemctl mask --runtime --quiet apache2; systemctl kill --signal KILL apache2",
        heal="systemctl unmask --runtime --quiet apache2; systemctl reset-failed apache2; systemctl start apache2",
        reason="Layer4 connection problem",
    ),
    # As if its cable were pulled: nothing refuses, nothing answers.
    "silent": Fault(
        make="ip link set eth0 down",
        heal="ip link set eth0 up",
        reason="Layer4 timeout",
    ),
    # The kernel takes connections on.
    "hung": Fault(
        make="systemctl kill --signal STOP apache2",
        heal="systemctl kill --signal CONT apache2",
        reason="Layer7 timeout",
    ),
    # Every answer comes, 3 s late.
    "slow": Fault(
        make="""
            echo 'function slow(r) os.execute("sleep 3") return apache2.DECLINED end' >/run/slow.lua
            printf '%s\\n' 'LoadModule lua_module /usr/lib/apache2/modules/mod_lua.so' \
                'LuaHookFixups /run/slow.lua slow' >/etc/apache2/conf-enabled/slow.conf
            systemctl reload apache2""",
        # The function stays: without it, the processes that still have the old configuration would answer 500.
        heal="rm -f /etc/apache2/conf-enabled/slow.conf; systemctl reload apache2",
        reason="Layer7 timeout",
    ),
}


class Balancer:
    """What the director's HAProxy says of the server."""

    _STATISTICS = "curl -sS --max-time 5 'http://127.0.0.1:8405/healthz/stats;csv'"

    def __init__(self, host: Host) -> None:
        self._host = host

    def wait_for(self, status: str) -> None:
        """Waits until the checks have come to this result."""
        line = f"^webcluster,{SERVER},([^,]*,){{15}}{status},"
        loop = f'until {self._STATISTICS} | grep -qE "{line}"; do sleep 0.1; done'
        self._host.check_output(f"timeout 20 bash -c {shlex.quote(loop)}")

    def sent_again(self) -> int:
        """How many tries at the server were given up and made again, since its start (management.txt, 9.1)."""
        text = self._host.check_output(self._STATISTICS)
        (row,) = [row for row in csv.DictReader(io.StringIO(text.lstrip("# "))) if row["svname"] == SERVER]
        return int(row["wretr"]) + int(row["wredis"])

    def bad_answers(self) -> list[str]:
        """The last requests that it answered with an error, as it has logged them."""
        text: str = self._host.run(r"grep -E ' (5[0-9][0-9]|-1) [0-9]+ - - ' /var/log/haproxy.log | tail -n 5").stdout
        return text.splitlines()

    def log(self, since: float) -> list[tuple[float, str]]:
        """What it has logged of the server's comings and goings: time and words of each line."""
        # Each stands there twice: HAProxy also writes a warning to its standard error.
        text = self._host.check_output(
            rf"grep 'haproxy\[[0-9]*\]: Server webcluster/{SERVER} is ' /var/log/haproxy.log"
        )
        lines = [line.split(" ", 3) for line in text.splitlines()]
        told = [(datetime.fromisoformat(at).timestamp(), words) for at, _host, _program, words in lines]
        return [(at, words) for at, words in told if at >= since]


@pytest.fixture(scope="module")
def balancer(hosts: dict[str, Host]) -> Balancer:
    return Balancer(hosts[DIRECTOR])


Row = dict[str, Any]


@pytest.fixture(scope="module")
def samples(
    hosts: dict[str, Host], vips: dict[str, str], tasks_on: Callable[..., list[dict[str, Any]]]
) -> Iterator[Callable[[float, float], list[Row]]]:
    """Lets the client ask. Gives all requests that were due between two times, once the last of them has ended."""
    client, targets = hosts["client"], [{"name": "web", "address": vips["DB_VIP"]}]

    def asked(start: float, end: float) -> list[Row]:
        # Samples are written as requests end, and each ends within the time-out.
        over = end + TIMEOUT_MS / 1000
        last = f"$(tail -n 2 {SAMPLES} | head -n 1 | cut -d , -f 3 | cut -d . -f 1)"
        client.check_output(f"timeout 20 bash -c 'until [ \"{last}\" -gt {over:.0f} ]; do sleep 0.1; done'")
        rows: list[Row] = [
            row | {"due": float(row["due"]), "took_ms": float(row["took_ms"]), "number": int(row["number"])}
            for row in csv.DictReader(io.StringIO(client.file(SAMPLES).content_string))
        ]
        return sorted((row for row in rows if start <= row["due"] <= end), key=lambda row: int(row["number"]))

    with asking(client, tasks_on, targets, interval=PACE_MS, timeout=TIMEOUT_MS):
        yield asked


@pytest.mark.parametrize("name", FAULTS)
def test_no_get_fails_with_a_real_server(
    hosts: dict[str, Host],
    balancer: Balancer,
    samples: Callable[[float, float], list[Row]],
    name: str,
) -> None:
    fault = FAULTS[name]
    balancer.wait_for("UP")
    before = balancer.sent_again()
    broken = time.time()
    try:
        hosts[SERVER].check_output(fault.make)
        balancer.wait_for("DOWN")
    finally:
        hosts[SERVER].check_output(fault.heal)
    balancer.wait_for("UP")
    back = time.time()
    again = balancer.sent_again() - before
    rows = samples(broken, back + 1)

    failed = [row for row in rows if row["error"]]
    longest = max(row["took_ms"] for row in rows)
    told = balancer.log(broken)
    out_after = told[0][0] - broken
    figure(
        f"{name:6} {len(rows):5} requests {len(failed):3} failed {again:4} tried again, longest {longest:5.0f} ms,"
        f" out after {out_after:.1f} s: {told[0][1]}"
    )

    # All were asked, at the pace, while the server was away and before and after it.
    assert [row["number"] for row in rows] == list(range(rows[0]["number"], rows[-1]["number"] + 1))
    assert all(later["due"] - earlier["due"] < 2 * PACE_MS / 1000 for earlier, later in itertools.pairwise(rows))
    assert not failed, [(row["error"], row["backend"], row["due"] - broken) for row in failed[:5]] + (
        balancer.bad_answers()
    )
    assert longest <= LONGEST_MS + BUSY_MS
    # The fault was met by requests, and found for what it is.
    assert again > 0, "no request met the fault"
    assert re.match(rf"Server webcluster/{SERVER} is DOWN, reason: {fault.reason}", told[0][1]), told
    assert re.match(rf"Server webcluster/{SERVER} is UP, reason: Layer7 check passed", told[-1][1]), told
    # Both serve again, in turns.
    served = Counter(row["backend"] for row in rows if row["due"] > back)
    assert set(served) == {SERVER, OTHER}
    assert min(served.values()) >= 0.4 * served.total(), served
