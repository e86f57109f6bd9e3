# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The lab itself: without all of its machines, a green play says nothing."""

from __future__ import annotations

from testinfra.host import Host


def test_all_machines_are_there(hosts: dict[str, Host]) -> None:
    assert sorted(hosts) == ["client", "ka1", "ka2", "rs11", "rs22"]


def test_names_inside_are_those_of_the_inventory(hosts: dict[str, Host]) -> None:
    assert {name: host.check_output("hostname") for name, host in hosts.items()} == {name: name for name in hosts}
