# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The machines, made once for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.failover.vip.tests.oracle.machines import RELEASES, Machine


@pytest.fixture(scope="session")
def machines() -> Iterator[list[Machine]]:
    """One of each Debian release, the older first."""
    with ThreadPoolExecutor() as pool:
        pending = [pool.submit(Machine, release) for release in RELEASES]
    made = [one.result() for one in pending if not one.exception()]
    try:
        yield [one.result() for one in pending]
    finally:
        for machine in made:
            machine.remove()
