# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Secrets that nobody else has, given to the role in every way there is, and looked for everywhere afterwards.

The role is run in check mode, in earnest, and with faults that make it fail, each with ``-vvv --diff``; then the hosts
are audited. Meanwhile the arguments and the environment of all processes are read, those of the containers too.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from testinfra.host import Host

from ansible_collections.failover.vip.tests.lab_play import ROOT, run_playbook

#: Others in each run, so that each run changes all of them. auth_pass has eight characters.
CANARIES = {
    name: secrets.token_hex(length)
    for name, length in {
        "auth_pass WEB_VIP": 4,
        "auth_pass DB_VIP": 4,
        "password of the mail server": 12,
        "address of the webhook": 12,
        "token of the webhook": 12,
        "secret of a fragment": 12,
    }.items()
}
#: Where each of them has to be, with owner and mode. keepalived itself writes what it was told if asked to, for root.
HOMES = {
    "/etc/keepalived/conf.d/20-vrrp_instance-WEB_VIP.conf": "640 root:root",
    "/etc/keepalived/conf.d/20-vrrp_instance-DB_VIP.conf": "640 root:root",
    "/etc/keepalived/conf.d/90-mine.conf": "640 root:root",
    "/etc/keepalived-mail/mail.rc": "400 keepalived_script:root",
    "/etc/keepalived-mail/webhook.json": "400 keepalived_script:root",
    "/tmp/keepalived.json": "600 root:root",
    "/tmp/keepalived.data": "600 root:root",
}
SETTINGS: dict[str, Any] = {
    "keepalived_timers": "",
    "keepalived_global_defs": {"vrrp_version": 2},
    "keepalived_auth_pass": {"WEB_VIP": CANARIES["auth_pass WEB_VIP"], "DB_VIP": CANARIES["auth_pass DB_VIP"]},
    "keepalived_mail_from": "keepalived@example.org",
    "keepalived_mail_smtp_server": "127.0.0.1",
    "keepalived_mail_smtp_user": "someone",
    "keepalived_mail_smtp_password": CANARIES["password of the mail server"],
    "keepalived_mail_retry": 1,
    "keepalived_webhook_url": f"https://127.0.0.1:9/{CANARIES['address of the webhook']}",
    "keepalived_webhook_token": CANARIES["token of the webhook"],
    "keepalived_secrets": {"mine": CANARIES["secret of a fragment"]},
    "keepalived_fragments": [{"name": "90-mine.conf", "content": "# %%secret:mine%%\n"}],
}
PLAY = [
    {
        "hosts": "directors",
        "gather_facts": False,
        "any_errors_fatal": True,
        "tasks": [{"name": "Install", "ansible.builtin.include_role": {"name": "failover.vip.keepalived"}}],
    }
]


class Processes:
    """Reads the arguments and the environment of all processes, again and again, until ``with`` ends."""

    def __init__(self, words: list[str]) -> None:
        self._words = [word.encode() for word in words]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.found: set[tuple[str, str]] = set()
        self.seen: set[str] = set()

    def __enter__(self) -> Processes:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            for path in Path("/proc").glob("[0-9]*"):
                # Each process once, but for those that have not yet become the program that they will be.
                try:
                    arguments = (path / "cmdline").read_bytes()
                    name = f"{path.name} {arguments[:60]!r}"
                    if name in self.seen:
                        continue
                    environment = (path / "environ").read_bytes()
                except OSError:
                    continue
                self.seen.add(name)
                for word in self._words:
                    if word in arguments or word in environment:
                        self.found.add((word.decode(), name))


def shown_in(text: str) -> list[str]:
    """Which of the secrets a text has, by their names."""
    return [name for name, word in CANARIES.items() if word in text]


def kept_in(host: Host) -> dict[str, str]:
    """Files of the host that have any of them, with mode and owner; what is read comes by standard input."""
    skipped = " ".join(f"--exclude-dir={name}" for name in ("proc", "sys", "dev"))
    script = f"grep -rlFs --devices=skip -f /dev/stdin / {skipped} || test $? != 1"
    done = subprocess.run(
        ["podman", "exec", "--interactive", host.backend.name, "sh", "-c", script],
        input="\n".join(CANARIES.values()),
        capture_output=True,
        text=True,
        check=False,
    )
    found = done.stdout.split("\n")[:-1]
    return {path: host.check_output(f"stat --format='%a %U:%G' '{path}'") for path in found}


@pytest.fixture
def run(inventory: list[Path], tmp_path: Path) -> Iterator[Any]:
    """Runs the role on both directors with changes to the settings; at the end with none of them."""
    play = tmp_path / "play.yml"
    play.write_text(yaml.safe_dump(PLAY), encoding="utf-8")
    temporary = tmp_path / "ansible"

    def run(*arguments: str, settings: dict[str, Any], playbook: Path = play) -> subprocess.CompletedProcess[str]:
        given = tmp_path / "settings.json"
        given.write_text(json.dumps(settings), encoding="utf-8")
        return run_playbook(
            playbook, "-e", f"@{given}", *arguments, inventory=inventory, ANSIBLE_LOCAL_TEMP=str(temporary)
        )

    yield run
    done = run(settings={})
    assert done.returncode == 0, done.stdout


def test_s10_no_secret_is_anywhere_but_where_it_must_be(run: Any, hosts: dict[str, Host], tmp_path: Path) -> None:
    loud = ("-vvv", "--diff")
    wrong_pass = {**SETTINGS, "keepalived_auth_pass": {"WEB_VIP": CANARIES["auth_pass WEB_VIP"] * 2}}
    wrong_tree = {
        **SETTINGS,
        "keepalived_fragments": [
            {"name": "90-mine.conf", "content": "vrrp_instance MINE {\n  password %%secret:mine%%\n}\n"}
        ],
    }
    wrong_mail = {**SETTINGS, "keepalived_mail_smtp_tls": "none"}
    outputs: dict[str, subprocess.CompletedProcess[str]] = {}
    began = time.time()
    with Processes(list(CANARIES.values())) as processes:
        outputs["check"] = run(*loud, "--check", settings=SETTINGS)
        outputs["converge"] = run(*loud, settings=SETTINGS)
        # Errors: in the description, in the settings of mails, and in the tree as keepalived's own test sees it.
        outputs["plan"] = run(*loud, settings=wrong_pass)
        outputs["mail"] = run(*loud, settings=wrong_mail)
        outputs["tree"] = run(*loud, settings=wrong_tree)
        # A change of state: mails and the webhook, which nobody answers here.
        hosts["ka1"].check_output("runuser -u keepalived_script -- /etc/keepalived/mail.sh INSTANCE WEB_VIP MASTER 254")
        told = f"journalctl --quiet --since=@{began:.0f} --identifier=keepalived-mail | grep -q ."
        hosts["ka1"].check_output(f"timeout 20 sh -c 'until {told}; do sleep 0.2; done'")
        outputs["audit"] = run("-vvv", settings=SETTINGS, playbook=ROOT / "playbooks/audit.yml")
    codes = {name: done.returncode for name, done in outputs.items()}
    size = sum(len(done.stdout) for done in outputs.values())
    print(f"{time.time() - began:.0f} s, {len(processes.seen)} processes, {size} characters of output")
    assert codes["check"] == codes["converge"] == 0, outputs["converge"].stdout[-3000:]
    assert all(codes[name] for name in ("plan", "mail", "tree")), codes
    # What is told of the errors is enough to mend them.
    assert "keepalived_auth_pass.WEB_VIP" in outputs["plan"].stdout
    assert "keepalived uses the first 8" in " ".join(outputs["plan"].stdout.split())
    assert "keepalived_mail_smtp_tls is none" in outputs["mail"].stdout
    assert "/etc/keepalived/conf.d/90-mine.conf" in outputs["tree"].stdout

    assert {name: shown_in(done.stdout + done.stderr) for name, done in outputs.items()} == {
        name: [] for name in outputs
    }
    assert processes.found == set()
    for name in ("ka1", "ka2"):
        host = hosts[name]
        kept = kept_in(host)
        assert {path: mode for path, mode in kept.items() if HOMES.get(path) != mode} == {}
        assert {path for path in HOMES if path.startswith("/etc")} <= set(kept)
        assert shown_in(host.check_output("journalctl --quiet --output=cat")) == []
    # Ansible's own files on the controller, but for the ones that gave the secrets.
    left = [
        path
        for path in (tmp_path / "ansible").rglob("*")
        if path.is_file() and shown_in(path.read_text(errors="replace"))
    ]
    assert left == []
