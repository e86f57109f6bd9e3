# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""What is found outside the catalogue, while files, variables and hosts are read and changes are planned.

Here is what is to be said of these rules; where they are found they are written out by their id.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, INFO, WARNING
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN


class Said(NamedTuple):
    """A rule without a function; the fields that it shares with ``_rule.Rule`` mean the same."""

    id: str
    severity: str
    title: str
    hint: str
    source: str
    explanation: str


_READING = (
    Said(
        "KH028",
        ERROR,
        "arguments outside the quotes",
        "Put the whole command line into one pair of double quotes.",
        MAN + ", notify_master",
        "keepalived takes the first word after the keyword for the command and the next two for a user and a "
        "group. Arguments that follow unquoted are taken for these, or dropped, and the script runs without them.",
    ),
    Said(
        "KH032",
        WARNING,
        "include that does not work",
        "Correct the path. Write it absolutely, since keepalived resolves it from the including file.",
        MAN + ", include",
        "A pattern that matches nothing, a file that cannot be read, is executable or is no regular file: "
        "keepalived says a line in its log and goes on without what stands there. keepalived -t accepts it unless "
        "it is given -e.",
    ),
    Said(
        "KH033",
        WARNING,
        "more than one global_defs",
        "Join them.",
        "measured",
        "keepalived joins the blocks, and of a keyword in both the last one counts, without a word. Which that is "
        "depends on the order of the includes.",
    ),
    Said(
        "KH034",
        ERROR,
        "unknown or misplaced keyword",
        "Correct the spelling; the finding names the nearest keyword, or the block where it belongs.",
        MAN,
        "keepalived drops the line. Before a brace it drops the word only and not the braces, so that the next "
        "closing one ends the block around it and the rest of the file is misread. A keyword that the host's "
        "release does not have yet is unknown there.",
    ),
    Said(
        "KH041",
        WARNING,
        "deprecated keyword",
        "Write the keyword that replaces it.",
        MAN,
        "It still works, but keepalived -t counts it as an error (exit status 5), and a later release drops it.",
    ),
    Said(
        "KH042",
        ERROR,
        "value that keepalived does not take",
        "Write a value of the type and range that the finding names.",
        MAN,
        "keepalived drops the line, or takes its default or the nearest value in range, and goes on. The daemon "
        "then does something that stands in no file.",
    ),
    Said(
        "KH049",
        ERROR,
        "broken syntax",
        "Balance braces and quotes.",
        MAN,
        "A brace or a quote without its partner: what follows is read as part of something else, often to the end "
        "of the file. keepalived starts with what it could make of it.",
    ),
    Said(
        "KH050",
        WARNING,
        "keyword that stands twice",
        "Drop one.",
        "measured",
        "Of most keywords the last one counts, without a word. It is how a value that somebody changed above is "
        "changed back below.",
    ),
)
_OTHERS = (
    Said(
        "KE009",
        WARNING,
        "restart where a reload is enough",
        "Reload keepalived.",
        "measured",
        "A reload of a changed configuration keeps the VIP where it is: measured, no gap. A restart gives every "
        "VIP away, and takes it back a moment later where the instance preempts: 614 ms without it, and two "
        "moves.",
    ),
    Said(
        "KI001",
        ERROR,
        "host that is not in the cluster",
        "Correct the name, or add the host to keepalived_hosts and to the inventory.",
        "inventory",
        "An instance names a host that keepalived_hosts does not have, or keepalived_hosts names one that the "
        "inventory does not have. It would get no part of the instance, and the others would not know it.",
    ),
    Said(
        "KI002",
        ERROR,
        "no address to advertise from",
        "Gather the host's facts, or set unicast_src_ip for it.",
        "inventory",
        "Unicast needs every host's address for the others' lists of peers, and it is taken from the facts. Here "
        "there are none, or the interface has no address of the VIPs' family.",
    ),
    Said(
        "KI003",
        ERROR,
        "weights that leave no priorities",
        "Give each check a weight of at least the number of hosts, or none.",
        "inventory",
        "Priorities must lie close enough for each failed check to move the VIP, and the sums must stay within 1 "
        "and 254. With these weights and so many hosts there are no such priorities.",
    ),
    Said(
        "KI004",
        ERROR,
        "unknown key, or name that nothing has",
        "Correct the spelling.",
        "inventory",
        "A key or a name of the inventory that nothing reads would vanish without a word, and with it what it was for.",
    ),
    Said(
        "KI005",
        ERROR,
        "members that describe different clusters",
        "Set the variable once, for all directors.",
        "inventory",
        "A cluster is one thing: what differs between its hosts' variables would be computed by each in its own "
        "way, and the parts would not fit. What may differ by host has a variable of its own, "
        "keepalived_instance_overrides.",
    ),
    Said(
        "KI006",
        WARNING,
        "finding allowed without a reason",
        "Add the reason: it is for the one who reads it next.",
        "inventory",
        "An allowance takes a finding away for good. Without a reason nobody can say later whether it is still meant.",
    ),
    Said(
        "KI007",
        WARNING,
        "unknown rule allowed",
        "Correct the rule's id.",
        "inventory",
        "The allowance names no rule, so it does nothing and what it was meant for is still found.",
    ),
    Said(
        "KI008",
        INFO,
        "allowance without a finding",
        "Drop it, so that it does not hide a later mistake.",
        "inventory",
        "What it allowed was mended, or it speaks of another host or line.",
    ),
    Said(
        "KI009",
        ERROR,
        "host that could not be read",
        "Make the host reachable, or leave it out of the audit.",
        "audit",
        "Nothing can be said of it, and of the others only what they say among themselves: a mismatch with this "
        "host is not found.",
    ),
    Said(
        "KI010",
        ERROR,
        "real server without an address",
        "Gather its facts in the same play, or write its address into real_servers.",
        "inventory",
        "A virtual server takes its real servers from a group, and their addresses from facts. This host has none in "
        "the virtual server's network, nor in one of the directors', or its facts were not gathered.",
    ),
    Said(
        "KP013",
        ERROR,
        "VRID shared with another cluster of the inventory",
        "Give one of the clusters another virtual_router_id, or list it in keepalived_shared_vrids.",
        "RFC 9568 section 5.2.3",
        "Two clusters on one network with one VRID hear each other. By multicast each takes the other's "
        "advertisements for its own, drops them for their addresses, and floods the logs; with virtual MACs they "
        "take each other's traffic.",
    ),
    Said(
        "KP021",
        ERROR,
        "roll-out host by host that needs all at once",
        "Reload all hosts within the time that the finding names, for example with reload_time_file.",
        "measured",
        "A change of the VIPs, the password, the version, the peers, or in version 2 of the interval makes "
        "directors refuse each other until the last one has it. Measured with one VIP more and 5 s between the "
        "reloads: two holders for 1.4 s. Within three advertisements and the skew nobody notices: 1.5 s apart, "
        "none.",
    ),
)

#: Found while a configuration's text is read, by id.
READING: Mapping[str, Said] = {rule.id: rule for rule in _READING}
#: All of them, by id.
ELSEWHERE: Mapping[str, Said] = {rule.id: rule for rule in sorted((*_READING, *_OTHERS))}
TITLES: Mapping[str, str] = {rule.id: rule.title for rule in ELSEWHERE.values()}
