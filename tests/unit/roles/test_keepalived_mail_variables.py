# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""What the role keepalived makes of its variables about mails: nonsense refused, and a file that s-nail reads right."""

from __future__ import annotations

import urllib.parse
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

ROLE = Path(__file__).parents[3] / "roles" / "keepalived"

SERVER: dict[str, Any] = {
    "keepalived_mail_from": "keepalived@example.org",
    "keepalived_mail_smtp_server": "mail.example.org",
    "keepalived_mail_smtp_user": "lab@example.org",
    "keepalived_mail_smtp_password": "made up",
}
NO_LOGIN: dict[str, Any] = {"keepalived_mail_smtp_user": "", "keepalived_mail_smtp_password": ""}
WEBHOOK = {"keepalived_webhook_url": "https://chat.example.org/hook"}


def _templar(program: str = "s-nail", **variables: Any) -> Any:
    loader = DataLoader()
    known: dict[str, Any] = {}
    for path in ("defaults/main.yml", "vars/main.yml"):
        known.update(loader.load_from_file(str(ROLE / path), trusted_as_template=True))
    return Templar(loader=loader, variables={**known, "__keepalived_mail_program": program, **variables})


def value(name: str, program: str = "s-nail", **variables: Any) -> Any:
    """What a variable of the role comes to."""
    templar = _templar(program, **variables)
    return templar.template(templar.available_variables[name])


def faults(program: str = "s-nail", **variables: Any) -> list[str]:
    found: list[str] = value("__keepalived_mail_faults", program, **variables)
    return found


@pytest.mark.parametrize(
    "variables",
    [
        {},
        SERVER,
        {**SERVER, "keepalived_mail_smtp_tls": "starttls", "keepalived_mail_smtp_ca_file": "/etc/ssl/ca.pem"},
        {**SERVER, "keepalived_mail_smtp_server": "192.0.2.25", "keepalived_mail_smtp_password": 12345678},
        {**SERVER, "keepalived_mail_smtp_server": "2001:db8::25"},
        {**SERVER, "keepalived_mail_smtp_tls": "none", "keepalived_mail_smtp_insecure": True},
        {
            **SERVER,
            "keepalived_mail_smtp_tls": "none",
            "keepalived_mail_smtp_user": "",
            "keepalived_mail_smtp_password": "",
        },
        {"keepalived_mail_to": ["root", "ops@example.org", "/var/mail/box"]},
        {**WEBHOOK, "keepalived_webhook_token": "made up"},
        {"keepalived_webhook_url": "http://192.0.2.1:8080/x"},
    ],
)
def test_what_makes_sense_is_taken(variables: dict[str, Any]) -> None:
    assert faults(**variables) == []


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            {"keepalived_mail_smtp_password": "canary"},
            "password is set, but no keepalived_mail_smtp_server",
        ),
        ({"keepalived_mail_smtp_user": "lab"}, "keepalived_mail_smtp_user is set, but no keepalived_mail_smtp_server"),
        ({**SERVER, "keepalived_mail_smtp_server": "smtps://mail.example.org"}, "which is no name and no address"),
        ({**SERVER, "keepalived_mail_smtp_server": "mail.example.org:465"}, "the port belongs into"),
        ({**SERVER, "keepalived_mail_from": ""}, "wants to know a sender"),
        ({**SERVER, "keepalived_mail_smtp_password": ""}, "keepalived_mail_smtp_password is empty"),
        ({**SERVER, "keepalived_mail_smtp_user": ""}, "but no keepalived_mail_smtp_user"),
        ({**SERVER, "keepalived_mail_smtp_tls": "none"}, "would cross the network in plain text"),
        (
            {**SERVER, "keepalived_mail_smtp_ca_file": "/ca.pem", "keepalived_mail_smtp_insecure": True},
            "no certificate is looked at",
        ),
        ({"keepalived_mail_to": ["Ops <ops@example.org>"]}, 'names "Ops <ops@example.org>", which is no address'),
        ({"keepalived_mail_to": ["-Sx"]}, "which is no address"),
        ({"keepalived_mail_retry": 0}, "keepalived_mail_retry must be more than 0"),
        ({"keepalived_webhook_url": "chat.example.org/canary"}, "is no URL that begins with https://"),
        ({"keepalived_webhook_token": "canary"}, "but no keepalived_webhook_url"),
        (
            {"keepalived_webhook_url": "http://chat.example.org/canary", "keepalived_webhook_token": "canary"},
            "would cross the network in plain text",
        ),
    ],
)
def test_nonsense_is_refused_in_one_sentence_without_its_secrets(variables: dict[str, Any], said: str) -> None:
    (fault,) = faults(**variables)
    assert said in fault
    assert "canary" not in fault
    assert "made up" not in fault


def test_a_release_without_s_nail_is_told() -> None:
    (fault,) = faults("mailx", **SERVER)
    assert "mailx of this release cannot do that" in fault


@pytest.mark.parametrize(
    ("password", "tls", "server", "url"),
    [
        ("plain", "implicit", "mail.example.org", "smtps://{user}:{password}@mail.example.org:465"),
        ('it\'s/a "lab" %40&?#$\\', "starttls", "mail.example.org", "smtp://{user}:{password}@mail.example.org:587"),
        ("ü@:", "none", "2001:db8::25", "smtp://{user}:{password}@[2001:db8::25]:25"),
        (12345678, "implicit", "192.0.2.25", "smtps://{user}:{password}@192.0.2.25:465"),
    ],
)
def test_any_password_stands_in_the_url(password: object, tls: str, server: str, url: str) -> None:
    variables: dict[str, Any] = {
        **SERVER,
        "keepalived_mail_smtp_password": password,
        "keepalived_mail_smtp_tls": tls,
        "keepalived_mail_smtp_server": server,
    }
    encoded = {"user": "lab%40example.org", "password": urllib.parse.quote(str(password), safe="")}
    assert value("__keepalived_mail_url", **variables) == url.format(**encoded)


def test_no_login_leaves_none_in_the_url() -> None:
    variables = {**SERVER, **NO_LOGIN, "keepalived_mail_smtp_port": 2525}
    assert value("__keepalived_mail_url", **variables) == "smtps://mail.example.org:2525"
