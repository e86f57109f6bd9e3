# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The filter host_prefix: one host's prefix, as the kernel prints it."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.failover.vip.plugins.filter.host_prefix import FilterModule, host_prefix


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("172.25.254.100", "172.25.254.100/32"),
        ("172.25.254.100/24", "172.25.254.100/32"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("2001:DB8:0:0::0001/64", "2001:db8::1/128"),
    ],
)
def test_prefix(address: str, prefix: str) -> None:
    assert host_prefix(address) == prefix


@pytest.mark.parametrize(
    "address", ["", "web", "172.25.254.256", "172.25.254.100/33", "2001:db8::1/129", "172.25.254.100:80"]
)
def test_no_address(address: str) -> None:
    with pytest.raises(AnsibleFilterError, match=f"'{address}' is not an IPv4 or IPv6 address"):
        host_prefix(address)


def test_ansible_finds_it() -> None:
    assert FilterModule().filters()["host_prefix"] is host_prefix
