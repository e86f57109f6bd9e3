# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Sends what mail.sh has spooled: a mail, and a POST to a webhook, for each change of state of keepalived.

usage: keepalived_mail.py SETTINGS.json

systemd starts it when mail.sh writes into a FIFO, as the user that keepalived's scripts run as. It ends when everything
has been sent. Nothing that keepalived does waits for it.

The spool::

    tmp/         events being written by mail.sh
    new/         events: a file of eight lines each, see :func:`parse_event`
    state.json   everything else: the last state of each instance, changes held back, messages to be sent

An event counts once ``state.json`` names it in ``taken``, and its file is removed after that. A message leaves
``state.json`` after it has been sent. So a crash at any point loses nothing; one between a relay's last answer and the
write after it sends that message again, under the same Message-ID.

The upper part works on plain data alone; the lower part does the reading, writing and sending.
"""

from __future__ import annotations

import contextlib
import copy
import fcntl
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import syslog
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

#: Seconds until an event is taken: two scripts that keepalived starts one after the other may end the other way round.
SETTLE = 0.5
#: Seconds between two looks at the spool while something waits.
PAUSE = 0.5
#: While changes never cease, a digest is sent after this many windows.
WINDOWS_PER_DIGEST = 10
#: The longest wait between two attempts, in multiples of the first one.
LONGEST_RETRY = 10
#: Changes that a digest lists one by one, at either end.
LISTED = 20

MEANING = {
    "MASTER": "{host} holds the addresses now.",
    "BACKUP": "{host} does not hold the addresses, and stands by.",
    "FAULT": "{host} cannot hold the addresses: a check fails, or an interface is down.",
    "STOP": "keepalived on {host} has been stopped.",
    "DELETED": "{host} is no longer configured for it.",
}


class Event(NamedTuple):
    """A change of state as mail.sh wrote it down; ``time`` is in seconds since the epoch."""

    boot: str
    ticks: int
    pid: int
    time: float
    kind: str
    name: str
    state: str
    priority: int

    @property
    def id(self) -> str:
        """The same for the same event, and for no other."""
        return "%s-%d-%d" % (self.boot, self.ticks, self.pid)


def parse_event(text: str) -> Event:
    """Reads a spooled event. Raises ValueError if it is none.

    Eight lines: boot id, start of mail.sh in clock ticks since the boot (proc(5), stat), its process id, the time in
    seconds since the epoch, and the four arguments of a notify script (keepalived.conf(5)).
    """
    lines = text.split("\n")
    if len(lines) != 9 or lines[8]:
        raise ValueError("%d lines instead of 8" % (len(lines) - 1))
    boot, ticks, pid, moment, kind, name, state, priority = lines[:8]
    return Event(boot, int(ticks), int(pid), float(moment), kind, name, state, int(priority or 0))


def in_order(events: Iterable[Event]) -> list[Event]:
    """The events as keepalived started their scripts: clock ticks, and process ids within one; boots by the clock."""
    found = list(events)
    boots = {event.boot: min(other.time for other in found if other.boot == event.boot) for event in found}
    return sorted(found, key=lambda event: (boots[event.boot], event.boot, event.ticks, event.pid))


class Limits(NamedTuple):
    """How many changes of one instance are told one by one within ``window`` seconds."""

    burst: int
    window: float


def empty_state() -> dict[str, Any]:
    """What state.json holds at first."""
    return {"taken": [], "objects": {}, "queues": {}}


def _queue(state: dict[str, Any], changes: list[dict[str, Any]], channels: Iterable[str]) -> dict[str, Any]:
    message = {"id": changes[0]["id"] + ("-digest" if len(changes) > 1 else ""), "changes": changes, "log": []}
    for channel in channels:
        state["queues"].setdefault(channel, []).append(message)
    return message


def take(
    state: Mapping[str, Any], events: Iterable[Event], limits: Limits, channels: Iterable[str]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Turns new events into messages, or holds them back for a digest.

    The first ``limits.burst`` changes of an instance within ``limits.window`` seconds are told at once. What follows is
    held back until :func:`release`. Events in ``taken`` are passed over.

    :return: the new state, and the messages that were queued.
    """
    found = copy.deepcopy(dict(state))
    channels = list(channels)
    messages = []
    seen = in_order(events)
    for event in seen:
        if event.id in state["taken"]:
            continue
        known = found["objects"].setdefault(
            "%s %s" % (event.kind, event.name), {"state": "INIT", "told": [], "held": []}
        )
        change = {
            "id": event.id,
            "time": event.time,
            "kind": event.kind,
            "name": event.name,
            "old": known["state"],
            "new": event.state,
            "priority": event.priority,
        }
        known["state"] = event.state
        known["told"] = [told for told in known["told"] if abs(event.time - told) < limits.window]
        if known["held"] or len(known["told"]) >= limits.burst:
            known["held"].append(change)
        else:
            known["told"].append(event.time)
            messages.append(_queue(found, [change], channels))
    found["taken"] = [event.id for event in seen]
    return found, messages


def release(
    state: Mapping[str, Any], now: float, limits: Limits, channels: Iterable[str]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Queues what was held back, as one message for each instance.

    That is once it has been quiet for ``limits.window`` seconds, or after ten times as long if it never is.
    """
    messages: list[tuple[float, list[dict[str, Any]]]] = []
    if not any(known["held"] for known in state["objects"].values()):
        return dict(state), []
    found = copy.deepcopy(dict(state))
    channels = list(channels)
    for known in found["objects"].values():
        held = known["held"]
        if not held:
            continue
        # A clock that was set back must not hold a message for ever.
        quiet = now - held[-1]["time"] >= limits.window or now < held[0]["time"]
        if quiet or now - held[0]["time"] >= WINDOWS_PER_DIGEST * limits.window:
            # What never ceases is held back again at once; what had ceased and comes again is told at once.
            known["told"] = [now] if quiet else [now] * limits.burst
            known["held"] = []
            messages.append((held[-1]["time"], held))
    queued = [_queue(found, held, channels) for _time, held in sorted(messages, key=lambda message: message[0])]
    return found, queued


def zoned(moment: float) -> str:
    """A time of this host's zone, such as ``2026-11-22 18:40:01.123 +0100 (CET)``."""
    local = datetime.fromtimestamp(moment).astimezone()
    return "%s.%03d %s" % (
        local.strftime("%Y-%m-%d %H:%M:%S"),
        local.microsecond // 1000,
        local.strftime("%z (%Z)"),
    )


def subject_of(host: str, changes: list[dict[str, Any]]) -> str:
    """A subject to filter by: ``[failover.vip] ka1 WEB_VIP BACKUP -> MASTER``; a digest says how many."""
    count = " (%d changes)" % len(changes) if len(changes) > 1 else ""
    return "[failover.vip] %s %s %s -> %s%s" % (host, changes[0]["name"], changes[0]["old"], changes[-1]["new"], count)


def vips_of(change: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """The addresses of an instance, or of all members of a sync group."""
    names = settings["groups"].get(change["name"], []) if change["kind"] == "GROUP" else [change["name"]]
    return [vip for name in names for vip in settings["instances"].get(name, [])]


def text_of(message: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """The body of a mail."""
    changes = message["changes"]
    last = changes[-1]
    group = last["kind"] == "GROUP"
    name = last["name"]
    if group:
        name += " of " + ", ".join(settings["groups"].get(name, []))
    lines = [
        MEANING.get(last["new"], "").format(host=settings["host"]),
        "",
        "host:        %s" % settings["host"],
        "%s %s" % ("sync group: " if group else "instance:   ", name),
        "change:      %s -> %s" % (last["old"], last["new"]),
        # keepalived tells none for a group.
        "priority:    %s" % (last["priority"] or "none"),
        "VIPs:        %s" % (", ".join(vips_of(last, settings)) or "unknown"),
        "time:        %s" % zoned(last["time"]),
    ]
    if len(changes) > 1:
        lines += ["", "%d changes are folded into this mail, the last of which is the one above:" % len(changes)]
        told = ["  %s  %s -> %s" % (zoned(change["time"]), change["old"], change["new"]) for change in changes]
        left_out = len(told) - 2 * LISTED
        if left_out > 0:
            told[LISTED:-LISTED] = ["  ... %d more ..." % left_out]
        lines += told
    if message["log"]:
        lines += ["", "keepalived's last log lines:", *("  " + line for line in message["log"])]
    return "\n".join(lines) + "\n"


def payload_of(message: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a webhook gets; ``text`` is where chat servers look for what to show."""
    changes = message["changes"]
    last = changes[-1]
    return {
        "id": message["id"],
        "host": settings["host"],
        "kind": last["kind"].lower(),
        "name": last["name"],
        "old": changes[0]["old"],
        "new": last["new"],
        "priority": last["priority"] or None,
        "vips": vips_of(last, settings),
        "time": datetime.fromtimestamp(last["time"]).astimezone().isoformat(),
        "changes": len(changes),
        "text": subject_of(settings["host"], changes),
    }


def mail_command(mail: Mapping[str, Any]) -> list[str]:
    """The command that sends a mail which it is handed as a whole.

    The server and the login are in the file that MAILRC names: whoever lists processes sees neither.
    """
    # Red Hat's 8 has the predecessor, which only knows how to leave the system's own settings out.
    own_settings_only = "-n" if mail["program"] == "mailx" else "-:u"
    command = [mail["program"], own_settings_only, "-S", "expandaddr", "-S", "nosave"]
    if mail["from"]:
        command += ["-r", mail["from"]]
    return [*command, "-t"]


def mail_of(message: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """A whole mail for ``s-nail -t``. A second attempt has the Message-ID of the first."""
    mail = settings["mail"]
    domain = mail["from"].rpartition("@")[2].strip("> ") or settings["host"]
    headers = [
        "To: " + ", ".join(mail["to"]),
        "Subject: " + subject_of(settings["host"], message["changes"]),
        "Message-ID: <%s.%s@%s>" % (message["id"], settings["host"], domain),
        "Auto-Submitted: auto-generated",
    ]
    return "\n".join(headers) + "\n\n" + text_of(message, settings)


def wait_after(failures: int, first: float) -> float:
    """Seconds until the next attempt: doubled with each failure, up to ten times the first."""
    return first * float(min(2 ** (failures - 1), LONGEST_RETRY))


class NotSentError(Exception):
    """A message could not be sent; the text is one line for the log. ``final`` if another attempt is of no use."""

    def __init__(self, why: str, *, final: bool = False) -> None:
        super().__init__(" ".join(why.split())[:400])
        self.final = final


def send_mail(message: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Sends a mail with s-nail, or its predecessor mailx, within ``timeout`` seconds. Raises :class:`NotSentError`."""
    mail = settings["mail"]
    command = mail_command(mail)
    if shutil.which(mail["program"]) is None:
        raise NotSentError("this host has no %s" % mail["program"])
    through_host = not mail["smtp"] and any(not address.startswith("/") for address in mail["to"])
    if through_host and shutil.which("sendmail", path="/usr/sbin:/usr/lib") is None:
        raise NotSentError(
            "this host has no mail server: set keepalived_mail_smtp_server, or keepalived_mail_to: [] for no mail",
            final=True,
        )
    environment = {"HOME": "/", "PATH": os.defpath, "LC_ALL": "C.UTF-8", "MAILRC": mail["rc"]}
    # A group of its own, so that nothing is left of it when it takes too long.
    with subprocess.Popen(  # noqa: S603 - words, and no shell
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            output, _none = process.communicate(mail_of(message, settings).encode(), timeout=mail["timeout"])
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise NotSentError("no end after %s s: does the relay answer?" % mail["timeout"]) from None
    if process.returncode:
        said = output.decode(errors="replace")
        raise NotSentError("%s ended with %d: %s" % (mail["program"], process.returncode, said))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A POST that is redirected becomes a GET, and the token would go to whoever is named."""

    def redirect_request(self, *_arguments: Any, **_keywords: Any) -> None:
        return None


def send_webhook(message: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Sends a POST within ``timeout`` seconds. Raises :class:`NotSentError`, with neither URL nor token in its text."""
    webhook = settings["webhook"]
    secret = json.loads(Path(webhook["secrets"]).read_text(encoding="utf-8"))
    context = ssl.create_default_context(cafile=webhook["ca_file"] or None)
    if webhook["insecure"]:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    headers = {"Content-Type": "application/json", "User-Agent": "failover.vip"}
    if secret["token"]:
        headers["Authorization"] = "Bearer " + secret["token"]
    request = urllib.request.Request(  # noqa: S310 - the role lets http and https pass, and nothing else
        secret["url"], json.dumps(payload_of(message, settings)).encode(), headers, method="POST"
    )
    # A proxy from the environment is not wanted: systemd's service has none.
    opener = urllib.request.build_opener(
        _NoRedirect, urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({})
    )

    def too_late(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError("no end after %s s" % webhook["timeout"])

    # The time-out of a socket is for each read alone.
    before = signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, webhook["timeout"])
    try:
        with opener.open(request, timeout=webhook["timeout"]):
            pass
    except urllib.error.HTTPError as error:
        raise NotSentError("the webhook's server answered %d" % error.code) from None
    except urllib.error.URLError as error:
        raise NotSentError(str(error.reason)) from None
    except (OSError, ValueError) as error:
        raise NotSentError("%s: %s" % (type(error).__name__, error)) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def keepalived_log(lines: int) -> list[str]:
    """keepalived's last log lines from the journal, but for its many gratuitous ARPs; empty if they cannot be read."""
    names = ("Keepalived", "Keepalived_vrrp", "Keepalived_healthcheckers")
    command = ["journalctl", "--quiet", "--no-pager", "--output=short-iso", "--lines=%d" % (20 * lines)]
    command += ["--identifier=" + name for name in names]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=10)  # noqa: S603 - fixed words
    except (OSError, subprocess.TimeoutExpired):
        return []
    if done.returncode:
        return []
    noise = (": Sending gratuitous ARP ", ": Sending unsolicited Neighbour Advert ")
    found = done.stdout.decode(errors="replace").splitlines()
    return [line for line in found if not any(word in line for word in noise)][-lines:]


Send = Callable[[Mapping[str, Any], Mapping[str, Any]], None]


class Sender:
    """Empties a spool. All that the world outside of the spool does comes as an argument, for the tests."""

    def __init__(
        self,
        spool: Path,
        settings: Mapping[str, Any],
        channels: Mapping[str, Send],
        *,
        log: Callable[[int, str], None],
        read_log: Callable[[int], list[str]] = keepalived_log,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """:param channels: how to send, by the channel's name; the order is that in which they are tried."""
        self._spool = spool
        self._settings = settings
        self._channels = channels
        self._log = log
        self._read_log = read_log
        self._clock = clock
        self._limits = Limits(settings["burst"], settings["window"])
        self._failures = dict.fromkeys(channels, 0)
        self._not_before = dict.fromkeys(channels, 0.0)
        self.state = self._read_state()

    def _read_state(self) -> dict[str, Any]:
        path = self._spool / "state.json"
        try:
            found = {**empty_state(), **json.loads(path.read_text(encoding="utf-8"))}
        except FileNotFoundError:
            return empty_state()
        except ValueError as error:
            # Kept for a person to look at. What comes now is more important than what was.
            path.rename(path.with_suffix(".broken"))
            self._log(syslog.LOG_ERR, "%s cannot be read and is now state.broken: %s" % (path, error))
            return empty_state()
        # A channel that is no longer wanted.
        found["queues"] = {name: queue for name, queue in found["queues"].items() if name in self._channels}
        return found

    def _commit(self, state: dict[str, Any]) -> None:
        path = self._spool / "state.json.new"
        with path.open("w", encoding="utf-8") as file:
            json.dump(state, file)
            file.flush()
            os.fsync(file.fileno())
        path.rename(self._spool / "state.json")
        directory = os.open(self._spool, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        self.state = state

    def _spooled(self) -> dict[Path, Event]:
        found = {}
        for path in (self._spool / "new").iterdir():
            age = self._clock() - path.stat().st_mtime
            if 0 <= age < SETTLE:
                continue
            try:
                found[path] = parse_event(path.read_text(encoding="utf-8"))
            except ValueError as error:
                self._log(syslog.LOG_ERR, "%s is no event and is removed: %s" % (path, error))
                path.unlink()
        return found

    def _with_log(self, messages: list[dict[str, Any]]) -> None:
        lines = self._read_log(self._settings["log_lines"]) if messages and self._settings["log_lines"] else []
        for message in messages:
            message["log"] = lines

    def gather(self) -> None:
        """Takes what is new, and releases what has been held back for long enough."""
        spooled = self._spooled()
        if spooled:
            before = set(self.state["taken"])
            state, messages = take(self.state, spooled.values(), self._limits, self._channels)
            self._with_log(messages)
            self._commit(state)
            for path in spooled:
                path.unlink()
            for event in in_order(spooled.values()):
                if event.id not in before:
                    priority = ", priority %d" % event.priority if event.priority else ""
                    self._log(syslog.LOG_NOTICE, "%s %s is %s%s" % (event.kind, event.name, event.state, priority))
        state, messages = release(self.state, self._clock(), self._limits, self._channels)
        if messages:
            self._with_log(messages)
            self._commit(state)

    def send(self) -> None:
        """Sends what can be sent, in order; a message that fails lets the later ones of its channel wait."""
        for channel, send in self._channels.items():
            while self._queue(channel) and self._clock() >= self._not_before[channel]:
                if not self._send_first(channel, send):
                    break

    def _queue(self, channel: str) -> list[dict[str, Any]]:
        queue: list[dict[str, Any]] = self.state["queues"].get(channel, [])
        return queue

    def _send_first(self, channel: str, send: Send) -> bool:
        message = self._queue(channel)[0]
        subject = subject_of(self._settings["host"], message["changes"])
        try:
            send(message, self._settings)
        except NotSentError as error:
            age = self._clock() - message["changes"][-1]["time"]
            if not error.final and age < self._settings["keep"]:
                self._failures[channel] += 1
                wait = wait_after(self._failures[channel], self._settings["retry"])
                self._not_before[channel] = self._clock() + wait
                self._log(
                    syslog.LOG_ERR,
                    "%s not sent: %s. Attempt %d, %d waiting, the next one in %g s. (%s)"
                    % (channel, error, self._failures[channel], len(self._queue(channel)), wait, subject),
                )
                return False
            self._log(syslog.LOG_ERR, "%s given up: %s (%s)" % (channel, error, subject))
        else:
            delay = self._clock() - message["changes"][-1]["time"]
            self._log(syslog.LOG_NOTICE, "%s sent after %.1f s: %s" % (channel, delay, subject))
        self._failures[channel] = 0
        state = copy.deepcopy(self.state)
        del state["queues"][channel][0]
        self._commit(state)
        return True

    @property
    def idle(self) -> bool:
        """Whether nothing waits: no event, no change that is held back, no message."""
        held = any(known["held"] for known in self.state["objects"].values())
        return not held and not any(self.state["queues"].values()) and not any((self._spool / "new").iterdir())


def main(arguments: list[str]) -> int:
    """Runs until nothing waits any more, or systemd wants an end."""
    settings = json.loads(Path(arguments[1]).read_text(encoding="utf-8"))
    spool = Path(settings["spool"])
    syslog.openlog("keepalived-mail", 0, getattr(syslog, "LOG_LOCAL%d" % settings["facility"]))
    channels: dict[str, Send] = {}
    if settings["webhook"]:
        channels["webhook"] = send_webhook
    if settings["mail"]["to"]:
        channels["mail"] = send_mail
    # One at a time, also when a person starts a second one.
    lock = os.open(spool, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    ended: list[int] = []
    # What is being sent is sent to its end: systemd waits for that, and nobody gets it twice.
    signal.signal(signal.SIGTERM, lambda number, _frame: ended.append(number))
    sender = Sender(spool, settings, channels, log=syslog.syslog)
    # The FIFO, from systemd (sd_listen_fds(3)). What is left in it at the end starts the next run.
    wake = [3] if os.environ.get("LISTEN_FDS") == "1" else []
    while True:
        for number in wake:
            os.set_blocking(number, False)
            with contextlib.suppress(BlockingIOError):
                os.read(number, 65536)
        sender.gather()
        sender.send()
        if ended or sender.idle:
            return 0
        time.sleep(PAUSE)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
