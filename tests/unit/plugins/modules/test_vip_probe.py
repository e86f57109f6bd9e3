# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The module vip_probe as Ansible runs it, against servers on loopback."""

from __future__ import annotations

import csv
import json
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.failover.vip.plugins.module_utils._live._outages import Reply, Target
from ansible_collections.failover.vip.plugins.module_utils._live._probe import Sample
from ansible_collections.failover.vip.plugins.modules import vip_probe


@pytest.fixture(autouse=True)
def keep_signal() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def port() -> Iterator[int]:
    """A web server: 'served by rs11'."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)

        def serve() -> None:
            while True:
                try:
                    connection, _peer = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.0 200 OK\r\nX-Backend: ka1\r\n\r\nserved by rs11\n")

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def run(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        vip_probe.main()
    outcome: dict[str, Any] = json.loads(capsys.readouterr().out)
    return outcome


def refused_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def test_result_and_samples(capsys: pytest.CaptureFixture[str], port: int, tmp_path: Path) -> None:
    samples = tmp_path / "samples.csv"
    targets = [
        {"name": "body", "address": "127.0.0.1", "port": port, "backend_regex": r"by (\S+)"},
        {"name": "header", "address": "127.0.0.1", "port": port, "backend_header": "x-backend"},
        {"name": "gone", "address": "127.0.0.1", "port": refused_port(), "kind": "tcp"},
    ]
    outcome = run(capsys, targets=targets, interval=5, duration=0.1, samples_file=str(samples))
    assert outcome["changed"] is True
    body, header, gone = outcome["targets"]
    assert (body["sent"], body["failed"], body["backends"]) == (20, 0, {"rs11": 20})
    assert (header["availability"], header["backends"]) == (1.0, {"ka1": 20})
    assert (gone["availability"], gone["errors"]) == (0.0, {"refused": 20})
    assert [outage["failed_probes"] for outage in gone["outages"]] == [20]

    documented = yaml.safe_load(vip_probe.RETURN)
    assert set(documented) == set(outcome) - {"changed", "invocation"}
    assert set(documented["targets"]["contains"]) == set(gone)
    assert set(documented["targets"]["contains"]["outages"]["contains"]) == set(gone["outages"][0])
    assert set(documented["pace"]["contains"]) == set(outcome["pace"])

    with samples.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60
    first = next(row for row in rows if row["target"] == "body" and row["number"] == "0")
    assert (first["error"], first["backend"]) == ("", "rs11")
    assert float(first["due"]) == pytest.approx(outcome["start"], abs=1e-5)
    assert {row["error"] for row in rows if row["target"] == "gone"} == {"refused"}
    slowest = max(float(row["took_ms"]) for row in rows if row["target"] == "header")
    assert slowest == pytest.approx(header["answer_ms"]["max"], abs=0.002)


def test_check_mode_asks_and_writes_nothing(capsys: pytest.CaptureFixture[str], port: int, tmp_path: Path) -> None:
    outcome = run(
        capsys,
        targets=[{"name": "web", "address": "127.0.0.1", "port": port}],
        duration=0.05,
        samples_file=str(tmp_path / "samples.csv"),
        _ansible_check_mode=True,
    )
    assert (outcome["changed"], outcome["targets"][0]["sent"]) == (False, 5)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", ["stop_file", "SIGTERM"])
def test_early_stop(capsys: pytest.CaptureFixture[str], port: int, tmp_path: Path, how: str) -> None:
    stop_file, samples = tmp_path / "stop", tmp_path / "samples.csv"

    def stop() -> None:
        while not samples.exists():  # it is there as soon as the run has begun
            if ended.wait(0.01):
                return
        if how == "stop_file":
            stop_file.touch()
        else:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    ended = threading.Event()
    stopper = threading.Thread(target=stop)
    stopper.start()
    try:
        outcome = run(
            capsys,
            targets=[{"name": "web", "address": "127.0.0.1", "port": port}],
            duration=60,
            stop_file=str(stop_file),
            samples_file=str(samples),
        )
    finally:
        ended.set()
        stopper.join()
    assert outcome["stopped"] is True
    assert outcome["pace"]["elapsed"] < 30
    assert len(samples.read_text(encoding="utf-8").splitlines()) == outcome["targets"][0]["sent"] + 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"targets": []}, "no targets: there is nothing to ask"),
        ({"duration": 4000}, "duration is 4000, and must be 0.01 to 3600 (times in seconds)"),
        (
            {"interval": 1, "duration": 2000},
            "1 targets, every 1 ms for 2000 s, are 2000000 probes, more than max_probes (1000000): shorten duration, "
            "lengthen interval or raise max_probes",
        ),
        (
            {"targets": [{"name": "web", "address": "192.0.2.1", "backend_regex": "("}]},
            "target web: backend_regex is no regular expression: missing ), unterminated subpattern at position 0",
        ),
        (
            {"stop_file": "/proc/self/status"},
            "stop_file /proc/self/status exists already and would end the run at once: remove it first",
        ),
        (
            {"samples_file": "/nonexistent/samples.csv"},
            "cannot write samples_file /nonexistent/samples.csv: No such file or directory",
        ),
    ],
)
def test_refusals(capsys: pytest.CaptureFixture[str], arguments: dict[str, Any], message: str) -> None:
    outcome = run(capsys, **{"targets": [{"name": "web", "address": "192.0.2.1"}], **arguments})
    assert (outcome["failed"], outcome["msg"]) == (True, message)


def test_rows_name_the_target() -> None:
    target = Target("WEB_VIP", "http", "192.0.2.1", 80)
    sample = Sample(0, 7, 1000.5, 0.00025, 0.5, Reply("timeout"))
    assert vip_probe.rows([sample], [target]) == [("WEB_VIP", 7, "1000.500000", "0.250", "500.000", "timeout", "")]
