# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about a cluster that is half-way between two versions of keepalived.

What a change of the configuration itself needs is planned in ``_apply._reload_plan``.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.failover.vip.plugins.module_utils._finding import INFO, WARNING
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import (
    Fault,
    Group,
    fault,
    takes_other_vips,
)
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, group_rule


@group_rule(
    "KP020",
    WARNING,
    "versions of keepalived differ",
    "Bring all directors to one release; until then keep the time short, and watch for two holders.",
    "acassen/keepalived#1175",
)
def releases_differ(group: Group) -> Iterator[Fault]:
    """Version 3 protects its packets with a checksum over addresses too, and releases have computed it differently.

    A receiver that computes another one drops the advertisement and becomes master beside the other. The keywords
    old_unicast_checksum and v3_checksum_as_v2 exist for this. Within one major and minor release they agree.
    """
    if not all(member.version == 3 for member in group.members):
        return
    known = [member for member in group.members if member.director.machine.release]
    if len({member.director.machine.release[:2] for member in known if member.director.machine.release}) > 1:
        last = known[-1]
        listed = ", ".join("%s: %s" % (member.host, member.release) for member in known)
        yield fault(last.director, last.instance, "VRRP version 3 between different releases (%s)" % listed)


@group_rule(
    "KP022",
    WARNING,
    "skip_check_adv_addr over differing VIPs",
    "Make the VIPs the same; the keyword saves only the time for comparing them again.",
    MAN + ", vrrp_skip_check_adv_addr",
)
def check_skipped_over_a_mismatch(group: Group) -> Iterator[Fault]:
    """The keyword looks as if it made directors with different VIPs get along. It does not.

    It skips the comparison for a master whose advertisements were accepted before, and the first one is compared.
    Measured with a VIP that differs: both hold, with the keyword as without it. Since 2.3.3 one holds, with the keyword
    as without it: a difference only moves a counter, which the keyword then stops.
    """
    if len({frozenset(vip.address for vip in member.instance.vips) for member in group.members}) < 2:
        return
    message, severity = "the check of addresses is skipped while the VIPs differ, and that does not keep the peace", ""
    if takes_other_vips(group):
        message, severity = "the check of addresses is skipped while the VIPs differ, so that nothing counts it", INFO
    for member in group.members:
        instance, defaults = member.instance, member.director.global_defs
        own = "skip_check_adv_addr" in instance.options
        if instance.options.get("skip_check_adv_addr", defaults.options.get("vrrp_skip_check_adv_addr")):
            found = fault(member.director, instance, message, "skip_check_adv_addr")._replace(severity=severity)
            yield found if own else found._replace(origin=defaults.place("vrrp_skip_check_adv_addr"))
