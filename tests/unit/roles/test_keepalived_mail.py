# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The program that sends mails: order, folding, what a mail says, and a spool that loses nothing at any crash."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _load() -> ModuleType:
    path = Path(__file__).parents[3] / "roles" / "keepalived" / "files" / "keepalived_mail.py"
    spec = importlib.util.spec_from_file_location("keepalived_mail", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


km: Any = _load()

LIMITS = km.Limits(burst=3, window=60.0)
T0 = 1_790_000_000.0

SETTINGS: dict[str, Any] = {
    "host": "ka1",
    "burst": 3,
    "window": 60.0,
    "retry": 30.0,
    "keep": 432000.0,
    "log_lines": 0,
    "facility": 6,
    "mail": {
        "to": ["ops@example.org", "/var/mail/box"],
        "from": "keepalived@example.net",
        "program": "s-nail",
        "rc": "/etc/keepalived-mail/mail.rc",
        "smtp": True,
        "timeout": 5.0,
    },
    "webhook": None,
    "instances": {"WEB_VIP": ["192.0.2.100"], "DB_VIP": ["192.0.2.200", "2001:db8::200"]},
    "groups": {"ALL": ["WEB_VIP", "DB_VIP"]},
}


def event(number: int, new: str, *, at: float | None = None, name: str = "WEB_VIP", **other: Any) -> Any:
    """The event of mail.sh's run *number*; a second later than the one before, unless said otherwise."""
    values = {"boot": "b1", "ticks": 100 * number, "pid": 1000 + number, "kind": "INSTANCE", "priority": 254, **other}
    return km.Event(time=T0 + number if at is None else at, name=name, state=new, **values)


def flap(count: int) -> list[Any]:
    return [event(number, "MASTER" if number % 2 else "BACKUP") for number in range(1, count + 1)]


def states(message: dict[str, Any]) -> list[tuple[str, str]]:
    return [(change["old"], change["new"]) for change in message["changes"]]


# What an event is, and the order of several.


def test_an_event_is_read_as_mail_sh_writes_it() -> None:
    text = "5b6e-boot\n4711\n815\n1790000000.123456789\nINSTANCE\nWEB_VIP\nMASTER\n224\n"
    found = km.parse_event(text)
    assert found == ("5b6e-boot", 4711, 815, 1790000000.123456789, "INSTANCE", "WEB_VIP", "MASTER", 224)
    assert found.id == "5b6e-boot-4711-815"


@pytest.mark.parametrize(
    "text",
    ["", "b\n1\n2\n3.0\nINSTANCE\nWEB_VIP\nMASTER\n", "b\n1\n2\n3.0\nI\nW\nM\n4\n\n", "b\nx\n2\n3.0\nI\nW\nM\n4\n"],
)
def test_what_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"lines|invalid"):
        km.parse_event(text)


def test_events_are_in_the_order_in_which_keepalived_started_the_scripts() -> None:
    """Not in that of their clocks, nor in that in which they were finished."""
    first = event(1, "BACKUP", at=T0 + 2)
    second = event(1, "MASTER", at=T0 + 1, pid=1005)
    third = event(2, "FAULT", at=T0)
    assert km.in_order([third, second, first]) == [first, second, third]


def test_an_earlier_boot_comes_first_though_its_ticks_are_higher() -> None:
    before = event(900, "STOP", at=T0, boot="z")
    after = event(3, "BACKUP", at=T0 + 60, boot="a")
    assert km.in_order([after, before]) == [before, after]


# What is told at once, and what is folded.


def test_a_failover_is_told_at_once_with_the_state_before() -> None:
    state, messages = km.take(km.empty_state(), [event(1, "BACKUP"), event(5, "MASTER")], LIMITS, ["mail"])
    assert [states(message) for message in messages] == [[("INIT", "BACKUP")], [("BACKUP", "MASTER")]]
    assert state["queues"] == {"mail": messages}
    assert not state["objects"]["INSTANCE WEB_VIP"]["held"]


def test_each_channel_has_a_queue_of_its_own() -> None:
    state, messages = km.take(km.empty_state(), [event(1, "BACKUP")], LIMITS, ["webhook", "mail"])
    assert state["queues"] == {"webhook": messages, "mail": messages}


def test_a_burst_keeps_its_first_and_its_last_and_counts_what_is_between() -> None:
    state, messages = km.take(km.empty_state(), flap(20), LIMITS, ["mail"])
    assert [states(message) for message in messages] == [
        [("INIT", "MASTER")],
        [("MASTER", "BACKUP")],
        [("BACKUP", "MASTER")],
    ]
    # Not before it has been quiet for the window.
    assert km.release(state, T0 + 20 + 59, LIMITS, ["mail"])[1] == []
    state, (digest,) = km.release(state, T0 + 20 + 60, LIMITS, ["mail"])
    assert len(digest["changes"]) == 17
    assert states(digest)[0] == ("MASTER", "BACKUP")
    assert states(digest)[-1] == ("MASTER", "BACKUP")
    assert digest["changes"][-1]["time"] == T0 + 20
    assert km.release(state, T0 + 1000, LIMITS, ["mail"])[1] == []


def test_no_change_is_told_twice_or_never_however_long_it_flaps() -> None:
    limits = km.Limits(burst=3, window=6.0)
    state = km.empty_state()
    told = []
    for one in flap(200):
        state, messages = km.take(state, [one], limits, ["mail"])
        told += messages
        state, messages = km.release(state, one.time, limits, ["mail"])
        told += messages
    state, messages = km.release(state, T0 + 206, limits, ["mail"])
    told += messages
    assert [change["time"] - T0 for message in told for change in message["changes"]] == list(range(1, 201))
    # 3 at once, then one every ten windows, then the end.
    assert len(told) == 3 + 200 // 60 + 1


def test_one_flapping_instance_does_not_delay_another() -> None:
    state, _messages = km.take(km.empty_state(), flap(10), LIMITS, ["mail"])
    state, messages = km.take(state, [event(11, "MASTER", name="DB_VIP")], LIMITS, ["mail"])
    assert [message["changes"][0]["name"] for message in messages] == ["DB_VIP"]


def test_after_a_quiet_burst_the_next_change_is_told_at_once() -> None:
    state, _messages = km.take(km.empty_state(), flap(10), LIMITS, ["mail"])
    state, _messages = km.release(state, T0 + 70, LIMITS, ["mail"])
    state, messages = km.take(state, [event(100, "FAULT")], LIMITS, ["mail"])
    assert [states(message) for message in messages] == [[("BACKUP", "FAULT")]]


def test_a_clock_that_is_set_back_holds_nothing_for_ever() -> None:
    state, _messages = km.take(km.empty_state(), flap(10), LIMITS, ["mail"])
    assert len(km.release(state, T0 - 3600, LIMITS, ["mail"])[1]) == 1


def test_what_has_been_taken_is_passed_over_and_the_input_is_left_alone() -> None:
    empty = km.empty_state()
    state, messages = km.take(empty, flap(2), LIMITS, ["mail"])
    assert empty == km.empty_state()
    again, more = km.take(state, [*flap(2), event(3, "FAULT")], LIMITS, ["mail"])
    assert [states(message) for message in more] == [[("BACKUP", "FAULT")]]
    assert again["queues"]["mail"] == [*messages, *more]


def test_retries_wait_twice_as_long_each_time_up_to_ten_times() -> None:
    assert [km.wait_after(failures, 30.0) for failures in (1, 2, 3, 4, 5, 50)] == [30, 60, 120, 240, 300, 300]


# What a mail says.


def message(*events: Any, log: list[str] | None = None) -> dict[str, Any]:
    changes = []
    old = "BACKUP"
    for one in events:
        changes.append({**one._asdict(), "id": one.id, "old": old, "new": one.state})
        old = one.state
    return {"id": events[0].id, "changes": changes, "log": log or []}


def test_the_subject_can_be_filtered() -> None:
    assert km.subject_of("ka1", message(event(1, "MASTER"))["changes"]) == "[failover.vip] ka1 WEB_VIP BACKUP -> MASTER"
    many = message(event(1, "MASTER"), event(2, "BACKUP"), event(3, "FAULT"))
    assert km.subject_of("ka1", many["changes"]) == "[failover.vip] ka1 WEB_VIP BACKUP -> FAULT (3 changes)"


def test_the_body_names_everything_an_operator_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    try:
        body = km.text_of(
            message(event(1, "MASTER", at=1_790_000_000.25), log=["(WEB_VIP) Entering MASTER STATE"]), SETTINGS
        )
    finally:
        monkeypatch.undo()
        time.tzset()
    lines = [" ".join(line.split()) for line in body.splitlines()]
    assert lines[0] == "ka1 holds the addresses now."
    for line in (
        "host: ka1",
        "instance: WEB_VIP",
        "change: BACKUP -> MASTER",
        "priority: 254",
        "VIPs: 192.0.2.100",
        "time: 2026-09-21 16:13:20.250 +0200 (CEST)",
        "(WEB_VIP) Entering MASTER STATE",
    ):
        assert line in lines


def test_a_sync_group_is_told_with_its_members_and_all_their_addresses() -> None:
    body = km.text_of(message(event(1, "FAULT", name="ALL", kind="GROUP", priority=0)), SETTINGS)
    lines = [" ".join(line.split()) for line in body.splitlines()]
    assert "sync group: ALL of WEB_VIP, DB_VIP" in lines
    assert "VIPs: 192.0.2.100, 192.0.2.200, 2001:db8::200" in lines
    assert "priority: none" in lines


@pytest.mark.parametrize(("count", "listed"), [(2, 2), (40, 40), (41, 41), (500, 41)])
def test_a_digest_says_how_many_and_lists_both_ends(count: int, listed: int) -> None:
    body = km.text_of(message(*flap(count)), SETTINGS)
    assert f"{count} changes are folded into this mail" in body
    lines = [line for line in body.splitlines() if line.startswith("  ")]
    assert len(lines) == listed
    assert ("... 460 more ..." in body) == (count == 500)


def test_a_second_attempt_has_the_same_message_id_and_the_command_no_secret() -> None:
    one = message(event(1, "MASTER"))
    mail = km.mail_of(one, SETTINGS)
    assert mail == km.mail_of(one, SETTINGS)
    headers = mail.split("\n\n")[0].split("\n")
    assert headers == [
        "To: ops@example.org, /var/mail/box",
        "Subject: [failover.vip] ka1 WEB_VIP BACKUP -> MASTER",
        "Message-ID: <b1-100-1001.ka1@example.net>",
        "Auto-Submitted: auto-generated",
    ]
    assert km.mail_command(SETTINGS["mail"]) == [
        *("s-nail", "-:u", "-S", "expandaddr", "-S", "nosave", "-r", "keepalived@example.net", "-t"),
    ]


def test_the_webhook_gets_plain_facts() -> None:
    payload = km.payload_of(message(*flap(3)), SETTINGS)
    assert json.loads(json.dumps(payload)) == {
        "id": "b1-100-1001",
        "host": "ka1",
        "kind": "instance",
        "name": "WEB_VIP",
        "old": "BACKUP",
        "new": "MASTER",
        "priority": 254,
        "vips": ["192.0.2.100"],
        "time": payload["time"],
        "changes": 3,
        "text": "[failover.vip] ka1 WEB_VIP BACKUP -> MASTER (3 changes)",
    }


# The spool.


class Crash(BaseException):
    """The process is gone; nothing catches it."""


class World:
    """A spool in a directory, a relay that can be away, a clock, and a log."""

    def __init__(self, root: Path) -> None:
        self.spool = root
        for name in ("tmp", "new"):
            (root / name).mkdir(parents=True)
        self.now = T0
        self.sent: list[str] = []
        self.told: list[list[str]] = []
        self.log: list[str] = []
        self.away: Exception | None = None

    def spool_event(self, one: Any) -> None:
        path = self.spool / "new" / f"{one.ticks}-{one.pid}"
        fields = (one.boot, one.ticks, one.pid, repr(one.time), one.kind, one.name, one.state, one.priority)
        path.write_text("".join(f"{field}\n" for field in fields), encoding="utf-8")
        os.utime(path, (one.time, one.time))

    def send(self, one: dict[str, Any], _settings: Any) -> None:
        if self.away is not None:
            raise self.away  # pylint: disable=raising-bad-type
        self.told.append([change["id"] for change in one["changes"]])
        self.sent += [f"{change['name']} {change['old']}-{change['new']}" for change in one["changes"]]

    def sender(self, **changed: Any) -> Any:
        return km.Sender(
            self.spool,
            {**SETTINGS, **changed},
            {"mail": self.send},
            log=lambda _level, text: self.log.append(text),
            read_log=lambda lines: ["line"] * lines,
            clock=lambda: self.now,
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "spool")


def test_what_is_spooled_is_sent_once_and_in_order(world: World) -> None:
    for one in (event(2, "MASTER"), event(1, "BACKUP"), event(3, "BACKUP", name="DB_VIP")):
        world.spool_event(one)
    world.now = T0 + 10
    sender = world.sender()
    sender.gather()
    sender.send()
    assert world.sent == ["WEB_VIP INIT-BACKUP", "WEB_VIP BACKUP-MASTER", "DB_VIP INIT-BACKUP"]
    assert sender.idle
    assert list((world.spool / "new").iterdir()) == []
    assert "INSTANCE WEB_VIP is MASTER, priority 254" in world.log
    again = world.sender()
    again.gather()
    again.send()
    assert len(world.sent) == 3


def test_an_event_is_left_alone_for_as_long_as_an_earlier_one_may_come(world: World) -> None:
    world.spool_event(event(2, "MASTER"))
    world.now = T0 + 2 + km.SETTLE / 2
    sender = world.sender()
    sender.gather()
    assert not sender.idle
    assert sender.state == km.empty_state()
    world.spool_event(event(1, "BACKUP", at=T0 + 2.1))
    world.now = T0 + 4
    sender.gather()
    sender.send()
    assert world.sent == ["WEB_VIP INIT-BACKUP", "WEB_VIP BACKUP-MASTER"]


def test_while_the_relay_is_away_all_wait_and_the_log_says_why(world: World) -> None:
    world.spool_event(event(1, "BACKUP"))
    world.spool_event(event(2, "MASTER"))
    world.now = T0 + 10
    world.away = km.NotSentError("Could not connect:\n Connection refused")
    sender = world.sender()
    sender.gather()
    sender.send()
    (line,) = [line for line in world.log if "not sent" in line]
    assert line == (
        "mail not sent: Could not connect: Connection refused. Attempt 1, 2 waiting, the next one in 30 s."
        " ([failover.vip] ka1 WEB_VIP INIT -> BACKUP)"
    )
    world.away = None
    world.now += 29
    sender.send()
    assert world.sent == []
    world.now += 1
    sender.send()
    assert world.sent == ["WEB_VIP INIT-BACKUP", "WEB_VIP BACKUP-MASTER"]
    assert sender.idle


def test_what_can_never_be_sent_is_given_up_and_said(world: World) -> None:
    world.spool_event(event(1, "BACKUP"))
    world.away = km.NotSentError("nope")
    world.now = T0 + 2
    sender = world.sender()
    sender.gather()
    world.now = T0 + 1 + SETTINGS["keep"]
    sender.send()
    assert sender.idle
    assert world.log[-1] == "mail given up: nope ([failover.vip] ka1 WEB_VIP INIT -> BACKUP)"


def test_a_file_that_is_no_event_stops_nothing(world: World) -> None:
    (world.spool / "new" / "1-1").write_text("", encoding="utf-8")
    world.spool_event(event(1, "BACKUP"))
    world.now = time.time() + 10
    sender = world.sender()
    sender.gather()
    sender.send()
    assert world.sent == ["WEB_VIP INIT-BACKUP"]
    assert sender.idle
    assert any("is no event and is removed" in line for line in world.log)


def test_a_broken_state_is_put_aside(world: World) -> None:
    (world.spool / "state.json").write_text("{", encoding="utf-8")
    world.spool_event(event(1, "BACKUP"))
    world.now = T0 + 10
    sender = world.sender()
    sender.gather()
    sender.send()
    assert world.sent == ["WEB_VIP INIT-BACKUP"]
    assert (world.spool / "state.broken").read_text(encoding="utf-8") == "{"


def _live(world: World, operation: str, survived: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """A burst and its digest, by a process that ends before one of its writes, renames or removals, and starts again.

    Returns whether it came to that.
    """
    original = getattr(Path, operation)
    left = survived
    crashed = False

    def fragile(path: Path, *arguments: Any, **keywords: Any) -> Any:
        nonlocal left, crashed
        if not crashed and world.spool in path.parents and (operation != "open" or "w" in arguments):
            crashed = left == 0
            left -= 1
            if crashed:
                raise Crash
        return original(path, *arguments, **keywords)

    monkeypatch.setattr(Path, operation, fragile)
    for number in range(1, 9):
        # Written by mail.sh, not by the process that crashes.
        monkeypatch.setattr(Path, operation, original)
        world.spool_event(event(number, "BACKUP" if number % 2 else "MASTER"))
        monkeypatch.setattr(Path, operation, fragile)
        world.now = T0 + number + 0.6 if number < 8 else T0 + 100
        for _start in range(2):
            try:
                sender = world.sender()
                sender.gather()
                sender.send()
            except Crash:
                continue
            break
    monkeypatch.setattr(Path, operation, original)
    assert world.sender().idle
    return crashed


@pytest.mark.parametrize("operation", ["rename", "unlink", "open"])
def test_a_crash_at_any_step_loses_nothing_and_doubles_at_most_the_mail_being_sent(
    tmp_path: Path, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [["b1-100-1001"], ["b1-200-1002"], ["b1-300-1003"], [f"b1-{n}00-100{n}" for n in range(4, 9)]]
    for survived in range(100):
        world = World(tmp_path / str(survived))
        crashed = _live(world, operation, survived, monkeypatch)
        once = [ids for number, ids in enumerate(world.told) if ids not in world.told[:number]]
        assert once == expected, f"after a crash at {operation} {survived}"
        assert len(world.told) <= len(expected) + 1
        if not crashed:
            assert len(world.told) == len(expected)
            break
    assert survived >= 8, "fewer steps than there are files"


# Real processes and sockets.


def _mail_settings(tmp_path: Path, script: str, timeout: float) -> dict[str, Any]:
    program = tmp_path / "s-nail"
    program.write_text("#!/bin/sh\n" + script, encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {**SETTINGS, "mail": {**SETTINGS["mail"], "program": str(program), "timeout": timeout}}


def test_a_mail_program_gets_the_mail_and_nothing_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", "of-the-environment")
    settings = _mail_settings(tmp_path, f"cat >{tmp_path}/mail; env >{tmp_path}/env; echo $* >{tmp_path}/args\n", 10)
    one = message(event(1, "MASTER"))
    km.send_mail(one, settings)
    assert (tmp_path / "mail").read_text(encoding="utf-8") == km.mail_of(one, settings)
    environment = (tmp_path / "env").read_text(encoding="utf-8")
    assert "MAILRC=/etc/keepalived-mail/mail.rc\n" in environment
    assert "CANARY" not in environment


def test_a_mail_program_that_fails_is_quoted_in_one_line(tmp_path: Path) -> None:
    settings = _mail_settings(
        tmp_path, "cat >/dev/null; echo 535 Authentication failed >&2; echo not sent; exit 4\n", 10
    )
    with pytest.raises(km.NotSentError, match=r"s-nail ended with 4: 535 Authentication failed not sent$"):
        km.send_mail(message(event(1, "MASTER")), settings)


def test_a_mail_program_that_hangs_is_ended_with_all_its_children(tmp_path: Path) -> None:
    settings = _mail_settings(tmp_path, f"sleep 600 & echo $! >{tmp_path}/child; wait\n", 0.5)
    began = time.monotonic()
    with pytest.raises(km.NotSentError, match=r"no end after 0\.5 s"):
        km.send_mail(message(event(1, "MASTER")), settings)
    assert time.monotonic() - began < 10
    child = int((tmp_path / "child").read_text(encoding="utf-8"))

    def ended() -> bool:
        # Adopted and reaped by whoever does that here: gone, or a zombie.
        try:
            status = Path(f"/proc/{child}/stat").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            return True
        return status.rpartition(")")[2].split()[0] in "ZX"

    # SIGKILL is sent when send_mail returns; the child may need the processor once more to die of it.
    deadline = time.monotonic() + 10
    while not ended():
        assert time.monotonic() < deadline, f"process {child} still runs 10 s after the mail program was killed"
        time.sleep(0.01)


def test_a_host_without_a_mail_server_gives_up_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _mail_settings(tmp_path, "exit 0\n", 10)
    settings["mail"]["smtp"] = False
    which = km.shutil.which
    monkeypatch.setattr(
        km.shutil, "which", lambda name, path=None: None if name == "sendmail" else which(name, path=path)
    )
    with pytest.raises(km.NotSentError, match="has no mail server") as found:
        km.send_mail(message(event(1, "MASTER")), settings)
    assert found.value.final
    settings["mail"]["to"] = ["/var/mail/box"]
    km.send_mail(message(event(1, "MASTER")), settings)


@pytest.fixture
def server() -> Iterator[tuple[HTTPServer, list[tuple[dict[str, str], bytes]]]]:
    """A webhook's server on the loopback; it answers what its path ends with."""
    calls: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            calls.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(int(self.path.rpartition("/")[2]))
            self.send_header("Location", "/200")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever, daemon=True)
        thread.start()
        yield found, calls
        found.shutdown()
        thread.join()


def _webhook_settings(tmp_path: Path, url: str, timeout: float = 5) -> dict[str, Any]:
    secrets = tmp_path / "webhook.json"
    secrets.write_text(json.dumps({"url": url, "token": "a-token"}), encoding="utf-8")
    return {**SETTINGS, "webhook": {"secrets": str(secrets), "ca_file": "", "insecure": False, "timeout": timeout}}


def test_the_webhook_is_called_with_its_token(tmp_path: Path, server: Any) -> None:
    settings = _webhook_settings(tmp_path, f"http://127.0.0.1:{server[0].server_port}/204")
    km.send_webhook(message(event(1, "MASTER")), settings)
    ((headers, body),) = server[1]
    assert headers["Authorization"] == "Bearer a-token"
    assert json.loads(body)["name"] == "WEB_VIP"


@pytest.mark.parametrize("status", [302, 403, 500])
def test_any_other_answer_is_a_failure_and_a_redirection_is_not_followed(
    tmp_path: Path, server: Any, status: int
) -> None:
    settings = _webhook_settings(tmp_path, f"http://127.0.0.1:{server[0].server_port}/{status}")
    with pytest.raises(km.NotSentError, match=f"^the webhook's server answered {status}$"):
        km.send_webhook(message(event(1, "MASTER")), settings)
    assert len(server[1]) == 1


def test_a_webhook_that_hangs_or_is_away_is_a_failure_that_names_no_secret(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        settings = _webhook_settings(tmp_path, f"http://127.0.0.1:{port}/secret-path", timeout=0.3)
        began = time.monotonic()
        with pytest.raises(km.NotSentError) as found:
            km.send_webhook(message(event(1, "MASTER")), settings)
        assert time.monotonic() - began < 5
    with pytest.raises(km.NotSentError, match="refused") as refused:
        km.send_webhook(message(event(1, "MASTER")), settings)
    for error in (found, refused):
        assert "secret-path" not in str(error.value)
        assert "a-token" not in str(error.value)
