# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The same machines after site.yml: nothing is an error, until something breaks."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest
from testinfra.host import Host

from ansible_collections.failover.vip.molecule.audit.tests.conftest import Audit

WEB_FILE = "/etc/keepalived/conf.d/20-vrrp_instance-WEB_VIP.conf"


@pytest.fixture(scope="module", autouse=True)
def deployed(site: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """The reference cluster, over what was made by hand."""
    done = site()
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def backup(hosts: dict[str, Host]) -> Iterator[Host]:
    """ka2, whose keepalived runs with its own files again in the end."""
    host = hosts["ka2"]
    host.check_output(f"cp -p {WEB_FILE} /root/before.conf")
    yield host
    host.check_output(f"cp -p /root/before.conf {WEB_FILE}")
    host.check_output("systemctl restart keepalived")


def test_no_error(audit: Callable[..., Audit]) -> None:
    result = audit("-e", "audit_real_servers=real_servers")
    assert result.done.returncode == 0, result.table
    assert [one for one in result.report["findings"] if one["severity"] == "error"] == []
    assert result.report["hosts"] == ["ka1", "ka2"]


def test_what_breaks_is_seen(audit: Callable[..., Audit], backup: Host, vips: dict[str, str]) -> None:
    vip = vips["WEB_VIP"]
    backup.check_output(f"sed -i 's/priority .*/priority 77/' {WEB_FILE}")
    backup.check_output(f"ip address add {vip}/24 dev eth0")
    try:
        result = audit()
    finally:
        backup.check_output(f"ip address del {vip}/24 dev eth0")
    assert result.done.returncode != 0
    assert result.of("KD003") == [f"is BACKUP and still has the VIP {vip}"]
    (forgotten,) = result.of("KD004")
    assert forgotten.startswith("priority is 77 in the file, and ")

    backup.check_output("systemctl stop keepalived")
    result = audit("-e", "audit_listen_seconds=0")
    assert result.done.returncode != 0
    assert [one["host"] for one in result.report["findings"] if one["rule"] == "KD001"] == ["ka2"]
