# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""What is heard on the lab's network while all tests of this scenario run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.failover.vip.tests.lab_lvs import ArpWatch


@pytest.fixture(scope="session", autouse=True)
def arp() -> Iterator[ArpWatch]:
    """Listens from the first test to the last."""
    watch = ArpWatch()
    watch.start()
    yield watch
    watch.stop()
