# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""vip_probe's loop against real servers on loopback: outages of known length, and a pace that no answer disturbs."""

from __future__ import annotations

import errno
import json
import re
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from ansible_collections.failover.vip.plugins.module_utils._live import _probe
from ansible_collections.failover.vip.plugins.module_utils._live._outages import Target, summary

# A server that goes away for a time, several times, in a process of its own so that it does not share the probe's time.
# It says its port, and at the end, for each absence, the times around closing and around listening again.
COMING_AND_GOING = """
import json, socket, sys, time

def listen(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen(1024)
    return s

def serve(s, until):
    while (left := until - time.monotonic()) > 0:
        s.settimeout(left)
        try:
            connection, _peer = s.accept()
        except TimeoutError:
            return
        except socket.timeout:
            return
        with connection:
            connection.settimeout(1)
            try:
                connection.recv(4096)
                connection.send(b"HTTP/1.0 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nrs11\\n")
            except OSError:
                pass

s = listen(0)
port = s.getsockname()[1]
print(port, flush=True)
sys.stdin.readline()
stamps = []
for away in json.loads(sys.argv[1]):
    serve(s, time.monotonic() + 0.15)
    closing = time.monotonic()
    s.close()
    closed = time.monotonic()
    time.sleep(away)  # this is the outage, and the stamps around it are its length
    opening = time.monotonic()
    s = listen(port)
    stamps.append((closing, closed, opening, time.monotonic()))
serve(s, time.monotonic() + 0.15)
print(json.dumps(stamps), flush=True)
serve(s, time.monotonic() + 60)
"""


def nothing(_samples: list[_probe.Sample]) -> None:
    return None


def target(port: int, kind: str = "http", name: str = "web", address: str = "127.0.0.1") -> Target:
    return Target(name, kind, address, port)


def plan(interval: float = 0.002, timeout: float = 0.2, duration: float = 0.1) -> _probe.Plan:
    return _probe.Plan(interval, timeout, duration, 100_000)


@contextmanager
def server(answer: Callable[[socket.socket], None], address: str = "127.0.0.1") -> Iterator[int]:
    """Serve each connection with `answer`, one after the other; gives the port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        listener.listen(1024)

        def serve() -> None:
            while True:
                try:
                    connection, _peer = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        answer(connection)
                    except OSError:
                        continue  # the probe gave up

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def page(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nrs11\n")


@pytest.mark.parametrize("kind", ["http", "tcp"])
def test_outages_of_known_length(kind: str) -> None:
    """The length is the true one, but for what _outages names in its docstring: interval, answer times, lateness."""
    absences = [0.06, 0.2, 0.12]
    with subprocess.Popen(
        [sys.executable, "-c", COMING_AND_GOING, json.dumps(absences)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin
        assert stdout
        try:
            port = int(stdout.readline())
            lines: list[str] = []
            reader = threading.Thread(target=lambda: lines.append(stdout.readline()))
            reader.start()

            def stopped() -> bool:
                stdin.close()  # the probe is running: begin
                return not reader.is_alive()

            run = _probe.probe([target(port, kind)], plan(duration=30), nothing, stopped)
            reader.join()
        finally:
            process.kill()
    stamps = json.loads(lines[0])
    found = summary(run.series[0], 0.002, 0.0)
    assert len(found["outages"]) == len(absences)
    assert found["sent"] > 300
    slack = 0.002 + max(run.pace.late) + found["answer_ms"]["max"] / 1000
    for number, (closing, closed, opening, opened) in enumerate(stamps):
        outage = found["outages"][number]
        length = outage["length_ms"] / 1000
        assert (opening - closed) - slack <= length <= (opened - closing) + slack, (stamps, found, run.pace.elapsed)
        assert outage["before"] == outage["after"] == ("rs11" if kind == "http" else "")
    assert found["longest_ms"] == max(outage["length_ms"] for outage in found["outages"])
    assert set(found["errors"]) <= {"refused", "reset", "empty"}


def test_a_silent_server_does_not_slow_the_pace() -> None:
    """Each of 50 probes waits 200 ms in vain; one after the other they would take 10 s."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)  # the kernel accepts, nobody answers
        run = _probe.probe([target(listener.getsockname()[1])], plan(), nothing, lambda: False)
    found = summary(run.series[0], 0.002, 0.0)
    assert found["errors"] == {"timeout": 50}
    assert run.pace.elapsed < 5
    late = [sent - number * 0.002 for number, sent in enumerate(run.series[0].sent)]
    assert min(late) >= 0
    assert late == pytest.approx(run.pace.late), "the lateness is told"
    assert all(took >= 0.2 for took in run.series[0].took)
    assert found["outages"][0]["before"] is None
    assert found["outages"][0]["after"] is None


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_two_targets_take_turns(address: str) -> None:
    samples: list[_probe.Sample] = []
    with server(page, address) as port, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and does not listen
        targets = [target(port, address=address), target(bound.getsockname()[1], "tcp", "refuses")]
        run = _probe.probe(targets, plan(), samples.extend, lambda: False)
    good, bad = (summary(series, 0.002, run.epoch) for series in run.series)
    assert (good["sent"], good["failed"], good["backends"]) == (50, 0, {"rs11": 50})
    assert (bad["sent"], bad["availability"], bad["errors"]) == (50, 0.0, {"refused": 50})
    assert sorted((s.number, s.target) for s in samples) == [(n, t) for n in range(50) for t in (0, 1)]
    assert all(s.due == pytest.approx(run.epoch + s.number * 0.002 + s.target * 0.001) for s in samples)
    assert not run.stopped


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", "empty"),
        (b"hello", "broken"),
        (b"HTTP/1.0 503 Service Unavailable\r\n\r\n", "status 503"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nrs11", "cut off"),
    ],
)
def test_wrong_answers_are_failures(answer: bytes, error: str) -> None:
    def say(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(answer)

    with server(say) as port:
        run = _probe.probe([target(port)], plan(duration=0.02), nothing, lambda: False)
    assert summary(run.series[0], 0.002, 0.0)["errors"] == {error: 10}


def test_an_early_stop_keeps_what_is_under_way() -> None:
    with server(page) as port:
        run = _probe.probe([target(port)], plan(duration=60), nothing, iter([False, True, True]).__next__)
    found = summary(run.series[0], 0.002, 0.0)
    assert run.stopped
    assert (found["failed"], found["unsent"]) == (0, 0)
    assert 0 < found["sent"] < 30_000


def test_this_hosts_own_trouble_is_no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_port(_target: Target) -> socket.socket:
        raise OSError(errno.EADDRNOTAVAIL, "no port")

    monkeypatch.setattr(_probe.TcpProbe, "open", staticmethod(no_port))
    run = _probe.probe([target(80, "tcp")], plan(duration=0.02), nothing, lambda: False)
    found = summary(run.series[0], 0.002, 0.0)
    assert (found["sent"], found["unsent"], found["availability"], found["outages"]) == (0, 10, None, [])


def test_too_many_waiting_probes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (256, 256))
    with pytest.raises(_probe.ProbeError) as caught:
        _probe.probe([target(80)], plan(timeout=1.0, duration=10), nothing, lambda: False)
    assert str(caught.value) == (
        "up to 565 probes would wait for their answers at once, and this process may open 256 files: "
        "shorten timeout, lengthen interval or name fewer targets"
    )


@contextmanager
def echo(name: bytes) -> Iterator[int]:
    """A UDP server that answers each datagram with its name; gives its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.05)
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                try:
                    data, peer = sock.recvfrom(2048)
                except TimeoutError:
                    continue
                sock.sendto(name + b" " + data, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield sock.getsockname()[1]
        finally:
            done.set()
            thread.join()


def test_udp_answers_name_their_backend() -> None:
    with echo(b"rs22") as port:
        asked = target(port)._replace(kind="udp", payload=b"ping\n", backend_regex=re.compile(r"^(\S+) ping"))
        found = summary(_probe.probe([asked], plan(), nothing, lambda: False).series[0], 0.002, 0.0)
    assert (found["failed"], found["backends"]) == (0, {"rs22": found["sent"]})
    # Nobody listens any more: the kernel says so, and no probe waits for its time-out.
    found = summary(_probe.probe([asked], plan(), nothing, lambda: False).series[0], 0.002, 0.0)
    assert found["errors"] == {"refused": found["sent"]}
