# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Row S14, last of all: what ARP said while everything else was tested, reboots included."""

from __future__ import annotations

from ansible_collections.failover.vip.tests.lab_lvs import DIRECTORS, REAL_SERVERS, ArpWatch


def test_s14_no_real_server_ever_said_a_vip(arp: ArpWatch, vips: dict[str, str], network_prefix: str) -> None:
    real = {mac for last in REAL_SERVERS.values() for mac in arp.speakers(f"{network_prefix}.{last}")}
    directors = {mac for last in DIRECTORS.values() for mac in arp.speakers(f"{network_prefix}.{last}")}
    assert len(real) >= len(REAL_SERVERS)
    for vip in (*vips.values(), f"{network_prefix}.110"):
        speakers = arp.speakers(vip)
        assert speakers
        assert speakers <= directors
        assert not speakers & real
