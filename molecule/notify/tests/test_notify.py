# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Rows S9 and S10: whoever is to know of a failover gets to know of it, once, in order, whatever the mail server does.

ka1 sends by TLS from the start, ka2 by STARTTLS, both with a login, through a real mail server (OpenSMTPD) beside them.
The last test prints what all of them saw.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from testinfra.host import Host

from ansible_collections.failover.vip.tests.lab_play import ROOT, figure
from ansible_collections.failover.vip.tests.lab_watch import HANDOVER_MS, HolderWatch

SETTINGS = Path(__file__).parent.parent / "inventory/group_vars/directors.yml"
PASSWORD: str = yaml.safe_load(SETTINGS.read_text(encoding="utf-8").replace("!unsafe ", ""))[
    "keepalived_mail_smtp_password"
]
ENCODED = urllib.parse.quote(PASSWORD, safe="")
DEFAULTS: dict[str, Any] = yaml.safe_load((ROOT / "roles/keepalived/defaults/main.yml").read_text(encoding="utf-8"))

#: What a change of state may take to its mail on a machine of two busy cores: half a second until it is taken, and
#: a TLS connection with login for each mail.
ARRIVAL_SECONDS = 20
#: What mail.sh may take on such a machine. Had it waited for the mail server that hangs, it would be 10 s and more.
RUN_SECONDS = 1.0

READ_MAILS = r"""
import email, json, pathlib, sys
found = []
for path in pathlib.Path(sys.argv[1], "Maildir").glob("new/*"):
    mail = email.message_from_bytes(path.read_bytes())
    body = mail.get_payload(decode=True).decode()
    headers = {name: mail[name] for name in ("Subject", "Message-ID", "From", "Received")}
    found.append({"at": path.stat().st_mtime, "body": body, **headers})
print(json.dumps(sorted(found, key=lambda mail: mail["at"])))
"""

# Twenty changes of an instance that flaps, by the user and the script of keepalived, and the seconds of each run.
FLAP = r"""
import json, subprocess, time
took = []
for number in range(20):
    began = time.monotonic()
    state = "BACKUP" if number % 2 else "MASTER"
    subprocess.run(["/etc/keepalived/mail.sh", "INSTANCE", "PROBE", state, "100"], check=True)
    took.append(time.monotonic() - began)
print(json.dumps(took))
"""


class Mails:
    """The mails of one user of the mail server since this object was made or :meth:`forget` was called."""

    def __init__(self, server: Host, user: str) -> None:
        self._server = server
        self._user = user
        self._known: Counter[str] = Counter()
        self.forget()

    def all(self) -> list[dict[str, Any]]:
        """Every mail that has ever come, in order of arrival."""
        found: list[dict[str, Any]] = json.loads(
            self._server.check_output("python3 -c %s /home/%s", READ_MAILS, self._user)
        )
        return found

    def forget(self) -> None:
        self._known = Counter(mail["Message-ID"] for mail in self.all())

    def new(self) -> list[dict[str, Any]]:
        known = Counter(self._known)
        fresh = []
        for mail in self.all():
            if known[mail["Message-ID"]]:
                known[mail["Message-ID"]] -= 1
            else:
                fresh.append(mail)
        return fresh

    def wait(self, wanted: dict[str, list[str]], seconds: float = ARRIVAL_SECONDS) -> list[dict[str, Any]]:
        """Waits for exactly these changes, each host's in order: ``{"ka1": ["WEB_VIP MASTER -> BACKUP"]}``."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.new()
            told = {host: self._told(found, host) for host in wanted}
            if told == wanted or time.monotonic() > deadline:
                break
            time.sleep(0.3)
        # Those of different instances of one host are in order too, but which is first is chance.
        assert told == wanted
        assert len(found) == sum(len(changes) for changes in wanted.values()), [mail["Subject"] for mail in found]
        return found

    @staticmethod
    def _told(mails: list[dict[str, Any]], host: str) -> list[str]:
        start = f"[failover.vip] {host} "
        return [mail["Subject"].removeprefix(start) for mail in mails if mail["Subject"].startswith(start)]


@pytest.fixture(scope="module")
def mails(hosts: dict[str, Host]) -> Mails:
    return Mails(hosts["mail"], "ops")


@pytest.fixture
def seen(request: pytest.FixtureRequest) -> list[str]:
    """Lines for the last test to print."""
    return request.config.stash.setdefault(FIGURES, [])


FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture(autouse=True)
def _at_rest(
    hosts: dict[str, Host],
    directors: list[str],
    vips: dict[str, str],
    watch_holders: Callable[[], HolderWatch],
    mails: Mails,
) -> None:
    """Each test begins with every VIP at home, and every mail sent."""
    with watch_holders() as watch:
        for instance, home in (("WEB_VIP", "ka1"), ("DB_VIP", "ka2")):
            watch.wait_for(vips[instance], {home}, seconds=30)
    for name in directors:
        rest(hosts[name])
    mails.forget()


def rest(host: Host) -> None:
    """Waits until the host has nothing more to send, and no earlier change counts as part of a burst."""
    host.check_output("timeout 60 sh -c 'while systemctl --quiet is-active keepalived-mail; do sleep 0.2; done'")
    state = json.loads(host.check_output("cat /var/spool/keepalived-mail/state.json"))
    assert not any(state["queues"].values())
    last = max(max(known["told"]) for known in state["objects"].values())
    host.check_output("timeout 20 sh -c 'while [ $(date +%%s) -lt %s ]; do sleep 0.2; done'", str(int(last + 7)))


def log_of(host: Host) -> list[str]:
    text = host.check_output("cat /var/log/keepalived.log")
    return [line for line in text.splitlines() if "keepalived-mail" in line]


def wait_for_log(host: Host, start: int, words: str) -> None:
    """Waits until a line about mails after the first *start* ones has these words."""
    deadline = time.monotonic() + 30
    while not any(words in line for line in log_of(host)[start:]):
        assert time.monotonic() < deadline, f"'{words}' is not in {log_of(host)[start:]}"
        time.sleep(0.3)


def pids(hosts: dict[str, Host], directors: list[str]) -> list[str]:
    return [hosts[name].check_output("systemctl show --property MainPID --value keepalived") for name in directors]


@contextmanager
def failover(hosts: dict[str, Host], vip: str, watch_holders: Callable[[], HolderWatch]) -> Iterator[None]:
    """WEB_VIP goes to ka2, what is inside happens, and it goes home; with no gap, whatever becomes of the mails."""
    with watch_holders() as watch:
        hosts["ka1"].check_output("touch /run/keepalived/down")
        try:
            watch.wait_for(vip, {"ka2"}, seconds=15)
            yield
        finally:
            hosts["ka1"].check_output("rm /run/keepalived/down")
        watch.wait_for(vip, {"ka1"}, seconds=15)
    watch.assert_bounded(vip, HANDOVER_MS)


THERE_AND_BACK = {
    "ka1": ["WEB_VIP MASTER -> BACKUP", "WEB_VIP BACKUP -> MASTER"],
    "ka2": ["WEB_VIP BACKUP -> MASTER", "WEB_VIP MASTER -> BACKUP"],
}


def delays(found: list[dict[str, Any]]) -> list[float]:
    """Seconds from each change, as the mail tells it, to the mailbox."""
    times = []
    for mail in found:
        (told,) = re.findall(r"^time: +(\S+ \S+ \S+) \(", mail["body"], re.MULTILINE)
        times.append(mail["at"] - time.mktime(time.strptime(told[:19], "%Y-%m-%d %H:%M:%S")) - float(told[19:23]))
    return times


def test_s9_s10_a_failover_is_told_once_in_order_and_with_the_right_words(
    hosts: dict[str, Host],
    vips: dict[str, str],
    watch_holders: Callable[[], HolderWatch],
    mails: Mails,
    seen: list[str],
) -> None:
    with failover(hosts, vips["WEB_VIP"], watch_holders):
        pass
    found = mails.wait(THERE_AND_BACK)
    for mail in found:
        host = mail["Subject"].split()[1]
        state = mail["Subject"].split()[-1]
        # That of the moment: ka1 leaves because its check takes 30 of 254 away.
        priority = {("ka1", "BACKUP"): 224, ("ka1", "MASTER"): 254}.get((host, state), 253)
        lines = [" ".join(line.split()) for line in mail["body"].splitlines()]
        does = "holds" if state == "MASTER" else "does not hold"
        assert lines[0].startswith(f"{host} {does} the addresses"), lines
        for line in (
            f"host: {host}",
            "instance: WEB_VIP",
            f"change: {mail['Subject'].split(' ', 3)[3]}",
            f"priority: {priority}",
            f"VIPs: {vips['WEB_VIP']}",
        ):
            assert line in lines, mail["body"]
        assert re.search(r"^time: +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+0000 \(UTC\)$", mail["body"], re.MULTILINE)
        assert f"(WEB_VIP) Entering {state} STATE" in mail["body"]
        assert mail["From"] == "keepalived@example.org"
        # With TLS and login: the A and the S of ESMTPSA (RFC 3848).
        assert "with ESMTPSA" in mail["Received"]
    took = delays(found)
    assert max(took) < ARRIVAL_SECONDS
    seen.append(f"relay well: {len(found)} mails, {min(took):.1f} to {max(took):.1f} s after the change")


def test_the_webhook_was_told_the_same(hosts: dict[str, Host], vips: dict[str, str], mails: Mails) -> None:
    told = [json.loads(line) for line in hosts["mail"].check_output("cat /var/tmp/webhook").splitlines()]
    assert all(call["known"] for call in told), "the token did not come"
    assert len({call["id"] for call in told}) == len(told), "one came twice"
    once = {mail["Message-ID"]: mail["Subject"] for mail in mails.all()}
    assert Counter(call["text"] for call in told) == Counter(once.values())
    assert {call["name"]: call["vips"] for call in told} == {name: [vip] for name, vip in vips.items()}


def test_keepalived_s_own_mails_come_too(hosts: dict[str, Host]) -> None:
    subjects = [mail["Subject"] for mail in Mails(hosts["mail"], "alerts").all()]
    for host in ("ka1", "ka2"):
        assert f"[{host}] VRRP Instance WEB_VIP - Entering MASTER state" in subjects, subjects
        assert f"[{host}] VRRP Instance WEB_VIP - Entering BACKUP state" in subjects, subjects


# The mail server in its bad hours: what is done to it, what is done about it, and what the directors' log says.
TROUBLES = {
    "wrong password": ("relay-login changed", "relay-login {password}", "535 Authentication failed"),
    "expired certificate": (
        "cp /etc/relay/expired.pem /etc/relay/relay.pem; systemctl restart opensmtpd",
        "cp /etc/relay/good.pem /etc/relay/relay.pem; systemctl restart opensmtpd",
        "certificate has expired",
    ),
    "relay down": ("systemctl stop opensmtpd", "systemctl start opensmtpd", "Connection refused"),
    # Connections are accepted, by the kernel, and nothing is ever said.
    "relay hangs": (
        "systemctl kill --signal STOP opensmtpd",
        "systemctl kill --signal CONT opensmtpd",
        "no end after 10.0 s",
    ),
}


@contextmanager
def trouble(server: Host, name: str) -> Iterator[str]:
    """The mail server's trouble, and its end; yields what the directors should say of it."""
    broken, mended, said = TROUBLES[name]
    quoted = "'" + PASSWORD.replace("'", "'\\''") + "'"
    server.check_output(broken)
    try:
        yield said
    finally:
        done = server.run(mended.format(password=quoted))
        assert done.rc == 0, done.stderr
        server.check_output("timeout 20 sh -c 'until ss -Hltn | grep -q :465; do sleep 0.1; done'")


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_with_the_relay_touches_nothing_and_loses_nothing(
    hosts: dict[str, Host],
    directors: list[str],
    vips: dict[str, str],
    watch_holders: Callable[[], HolderWatch],
    mails: Mails,
    seen: list[str],
    name: str,
) -> None:
    before = pids(hosts, directors)
    logs = {director: len(log_of(hosts[director])) for director in directors}
    began = time.monotonic()
    with trouble(hosts["mail"], name) as said:
        with failover(hosts, vips["WEB_VIP"], watch_holders):
            pass
        for director in directors:
            wait_for_log(hosts[director], logs[director], said)
        assert mails.new() == []
    away = time.monotonic() - began
    found = mails.wait(THERE_AND_BACK, seconds=ARRIVAL_SECONDS + 10)
    assert pids(hosts, directors) == before, "keepalived has been restarted"
    for director in directors:
        lines = log_of(hosts[director])[logs[director] :]
        assert all(PASSWORD not in line and ENCODED not in line for line in lines)
    took = delays(found)
    tries = sum("mail not sent" in line for host in directors for line in log_of(hosts[host])[logs[host] :])
    seen.append(
        f"{name} for {away:.0f} s: {len(found)} mails, each once, {min(took):.1f} to {max(took):.1f} s after the"
        f" change, {tries} attempts in vain"
    )


def test_a_flapping_instance_is_folded_and_nobody_waits_while_the_relay_hangs(
    hosts: dict[str, Host], directors: list[str], mails: Mails, seen: list[str]
) -> None:
    before = pids(hosts, directors)
    with trouble(hosts["mail"], "relay hangs"):
        took = json.loads(hosts["ka1"].check_output("runuser -u keepalived_script -- python3 -c %s", FLAP))
        hosts["ka1"].check_output("timeout 20 sh -c 'until pgrep -x s-nail >/dev/null; do sleep 0.1; done'")
        everything = hosts["ka1"].run("cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ").stdout
    assert "s-nail" in everything, "the moment was missed"
    for secret in (PASSWORD, ENCODED, "a-token-of-the-lab", "of-the-lab"):
        assert secret not in everything, "a secret is in the arguments or the environment of a process"
    assert max(took) < RUN_SECONDS, took
    found = mails.wait(
        {
            "ka1": [
                "PROBE INIT -> MASTER",
                "PROBE MASTER -> BACKUP",
                "PROBE BACKUP -> MASTER",
                "PROBE MASTER -> BACKUP",
                "PROBE BACKUP -> BACKUP (16 changes)",
            ]
        },
        seconds=2 * ARRIVAL_SECONDS,
    )
    assert "16 changes are folded into this mail" in found[-1]["body"]
    assert len(re.findall(r"^  \S+ \S+ \S+ \(UTC\)  (?:MASTER|BACKUP) -> ", found[-1]["body"], re.MULTILINE)) == 16
    assert pids(hosts, directors) == before
    took.sort()
    seen.append(
        f"mail.sh while the relay hangs: 20 runs, median {took[10] * 1000:.0f} ms, longest {took[-1] * 1000:.0f} ms;"
        f" 20 changes in {len(found)} mails, first and last told"
    )


def test_stop_is_told_although_keepalived_s_processes_are_ended(
    hosts: dict[str, Host],
    vips: dict[str, str],
    watch_holders: Callable[[], HolderWatch],
    mails: Mails,
    seen: list[str],
) -> None:
    with watch_holders() as watch:
        hosts["ka1"].check_output("systemctl stop keepalived")
        watch.wait_for(vips["WEB_VIP"], {"ka2"}, seconds=10)
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while len(mails.new()) < 3 and time.monotonic() < deadline:
            time.sleep(0.3)
        stopped = mails.new()
        hosts["ka1"].check_output("systemctl start keepalived")
        watch.wait_for(vips["WEB_VIP"], {"ka1"}, seconds=20)
    assert {mail["Subject"] for mail in stopped} == {
        "[failover.vip] ka1 WEB_VIP MASTER -> STOP",
        "[failover.vip] ka1 DB_VIP BACKUP -> STOP",
        "[failover.vip] ka2 WEB_VIP BACKUP -> MASTER",
    }
    assert any(mail["body"].startswith("keepalived on ka1 has been stopped.") for mail in stopped)
    rest(hosts["ka1"])
    of_web = [mail["Subject"] for mail in mails.new() if " ka1 WEB_VIP " in mail["Subject"]]
    assert of_web == [
        "[failover.vip] ka1 WEB_VIP MASTER -> STOP",
        "[failover.vip] ka1 WEB_VIP STOP -> BACKUP",
        "[failover.vip] ka1 WEB_VIP BACKUP -> MASTER",
    ]
    seen.append(f"systemctl stop keepalived: STOP told {max(delays(stopped)):.1f} s after it")


def test_only_the_scripts_user_can_read_the_login(hosts: dict[str, Host], directors: list[str]) -> None:
    for name in directors:
        for path in ("/etc/keepalived-mail/mail.rc", "/etc/keepalived-mail/webhook.json"):
            file = hosts[name].file(path)
            assert (file.user, file.mode) == ("keepalived_script", 0o400)
            assert hosts[name].run("runuser -u nobody -- cat %s", path).rc != 0
        spool = hosts[name].file("/var/spool/keepalived-mail")
        assert (spool.user, spool.mode) == ("keepalived_script", 0o700)
        holding = hosts[name].run("grep -rlF -e %s -e of-the-lab /etc /var/log /var/spool /usr/local", ENCODED)
        assert sorted(holding.stdout.split()) == ["/etc/keepalived-mail/mail.rc", "/etc/keepalived-mail/webhook.json"]


def test_a_new_password_shows_up_nowhere(site: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    canaries = {"keepalived_mail_smtp_password": "canary-of-mail", "keepalived_webhook_token": "canary-of-webhook"}
    done = site("--check", "--diff", "-vvv", "-e", json.dumps(canaries))
    assert done.returncode == 0, done.stdout[-3000:]
    assert re.search(r"Write the login of the mail server.*?changed: \[ka1\]", done.stdout, re.DOTALL)
    # Ansible repeats the words of its own command line.
    output = done.stdout.replace(json.dumps(canaries), "")
    assert "canary-of" not in output + done.stderr


def test_a_missing_file_of_authorities_is_refused_before_anything_is_touched(
    site: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = site("-e", "keepalived_mail_smtp_ca_file=/etc/ssl/none.pem")
    assert done.returncode != 0
    said = "ka1: keepalived_mail_smtp_ca_file is /etc/ssl/none.pem, and that is no file that keepalived_script can read"
    assert said in " ".join(done.stdout.split())
    assert not re.search(r"changed=[1-9]", done.stdout)


def test_figures(hosts: dict[str, Host], directors: list[str], mails: Mails, seen: list[str]) -> None:
    sent = sum("mail sent after" in line for name in directors for line in log_of(hosts[name]))
    arrived = mails.all()
    doubled = len(arrived) - len({mail["Message-ID"] for mail in arrived})
    for line in (
        f"mails: {sent} sent, {len(arrived)} arrived, {doubled} duplicates",
        *seen,
        "(here the first retry is after 1 s and a burst ends after 6 s; the role's defaults are"
        f" {DEFAULTS['keepalived_mail_retry']} s and {DEFAULTS['keepalived_mail_window']} s)",
    ):
        figure(line)
    assert (len(arrived), doubled) == (sent, 0)
