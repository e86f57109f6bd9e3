# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""What is found outside the catalogue, while files, variables and hosts are read: each rule's id with its title.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Found while a configuration's text is read.
READING: Mapping[str, str] = {
    "KH028": "arguments outside the quotes",
    "KH032": "include that does not work",
    "KH033": "more than one global_defs",
    "KH034": "unknown or misplaced keyword",
    "KH041": "deprecated keyword",
    "KH042": "value that keepalived does not take",
    "KH049": "broken syntax",
    "KH050": "keyword that stands twice",
}
#: Found while an inventory or a host is read, or a change is planned.
OTHERS: Mapping[str, str] = {
    "KI001": "host that is not there or has no facts",
    "KI002": "password where it does not belong",
    "KI003": "weights that leave no priorities",
    "KI004": "name that nothing has",
    "KI005": "members that describe different clusters",
    "KI006": "finding allowed without a reason",
    "KI007": "unknown rule allowed",
    "KI008": "allowance without a finding",
    "KI009": "host that could not be read",
    "KE009": "restart where a reload is enough",
    "KP013": "VRID shared with another cluster of the inventory",
    "KP021": "change that all hosts must load at once",
}
TITLES: Mapping[str, str] = {**READING, **OTHERS}
