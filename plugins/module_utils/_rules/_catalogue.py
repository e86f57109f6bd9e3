# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The catalogue of rules: id, severity, hint and source of each, and the function that runs them all on a cluster.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Optional

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, INFO, WARNING, Finding, ordered
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster
from ansible_collections.failover.vip.plugins.module_utils._rules import _host, _pair, _weights
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import (
    ClusterRule,
    Fault,
    GroupRule,
    HostRule,
    groups,
)


class Rule(NamedTuple):
    """One rule; exactly one of the three functions is given."""

    id: str
    severity: str
    title: str
    hint: str
    source: str
    host: Optional[HostRule] = None
    group: Optional[GroupRule] = None
    cluster: Optional[ClusterRule] = None


_MAN = "keepalived.conf(5)"

RULES = (
    Rule(
        "KH001",
        ERROR,
        "nopreempt with state MASTER",
        "Set state BACKUP on every host (the default here).",
        _MAN + ", nopreempt",
        host=_host.nopreempt_with_master,
    ),
    Rule(
        "KH002",
        ERROR,
        "preempt_delay without effect",
        "Drop preempt_delay, or drop nopreempt and state MASTER.",
        _MAN + ", preempt_delay",
        host=_host.preempt_delay_without_effect,
    ),
    Rule(
        "KH003",
        ERROR,
        "nopreempt with weighted checks",
        "Drop the weight, so that a failed check means FAULT, or drop nopreempt.",
        "measured",
        host=_host.nopreempt_with_weights,
    ),
    Rule(
        "KH005",
        ERROR,
        "auth_pass longer than 8 characters",
        "Use at most 8 characters.",
        _MAN + ", auth_pass",
        host=_host.auth_pass_too_long,
    ),
    Rule(
        "KH006",
        ERROR,
        "authentication with VRRP version 3",
        "Drop the authentication, or set vrrp_version 2; unicast and a firewall protect better.",
        "RFC 9568 section 9",
        host=_host.auth_with_version_3,
    ),
    Rule(
        "KH007",
        WARNING,
        "weak password",
        "Drop the authentication and use unicast with a firewall, or take 8 random characters for each instance.",
        "RFC 3768 section 10",
        host=_host.weak_password,
    ),
    Rule(
        "KH008",
        ERROR,
        "vrrp_strict with what it forbids",
        "Drop vrrp_strict, or set accept and drop the rest.",
        _MAN + ", vrrp_strict",
        host=_host.strict_with_what_it_forbids,
    ),
    Rule(
        "KH009",
        WARNING,
        "VIP without a prefix length",
        "Write it as address/prefix.",
        _MAN + ", virtual_ipaddress",
        host=_host.vip_without_prefix,
    ),
    Rule(
        "KH010",
        ERROR,
        "VIP outside its interface's subnet",
        "Use a free host address of a subnet of that interface, or set dev.",
        "measured",
        host=_host.vip_outside_its_subnet,
    ),
    Rule(
        "KH012",
        ERROR,
        "one VIP in two instances of a host",
        "Leave it in one of them.",
        "measured",
        host=_host.vip_twice_on_one_host,
    ),
    Rule(
        "KH014",
        WARNING,
        "VIP on an interface that nobody tracks",
        "Add the interface to track_interface.",
        _MAN + ", track_interface",
        host=_host.vip_dev_not_tracked,
    ),
    Rule(
        "KH015",
        WARNING,
        "a host among its own peers",
        "Take it out of unicast_peer.",
        _MAN + ", unicast_peer",
        host=_host.unicast_with_itself,
    ),
    Rule(
        "KH016",
        ERROR,
        "unicast half configured",
        "Give both unicast_src_ip, an address of the host, and unicast_peer.",
        _MAN + ", unicast_src_ip",
        host=_host.unicast_half_done,
    ),
    Rule(
        "KH017",
        ERROR,
        "more than 20 VIPs in one instance",
        "Move the rest to virtual_ipaddress_excluded.",
        "keepalived vrrp.c",
        host=_host.too_many_vips,
    ),
    Rule(
        "KH018",
        WARNING,
        "priority 255 with weights or nopreempt",
        "Use a priority from 1 to 254.",
        _MAN + ", priority",
        host=_host.owner_with_weights,
    ),
    Rule(
        "KH019",
        WARNING,
        "priority and weights leave 1 to 254",
        "Choose priorities and weights whose sums stay within 1 to 254.",
        _MAN + ", weight",
        host=_host.clamped_priority,
    ),
    Rule(
        "KH020",
        WARNING,
        "script timeout not below its interval",
        "Make the timeout smaller than the interval, so that runs cannot pile up.",
        _MAN + ", vrrp_script",
        host=_host.script_slower_than_its_interval,
    ),
    Rule(
        "KH021",
        ERROR,
        "track of something undefined",
        "Define it, or correct the name.",
        "keepalived vrrp.c",
        host=_host.undefined_track,
    ),
    Rule(
        "KH022",
        WARNING,
        "vrrp_script that nothing tracks",
        "Add it to track_script, or drop it.",
        _MAN + ", vrrp_script",
        host=_host.unused_script,
    ),
    Rule("KH023", ERROR, "one name twice", "Give each its own name.", "measured", host=_host.name_twice),
    Rule(
        "KH026",
        ERROR,
        "scripts without enable_script_security",
        "Add enable_script_security to global_defs.",
        _MAN + ", enable_script_security",
        host=_host.scripts_without_security,
    ),
    Rule(
        "KH027",
        WARNING,
        "scripts run as root",
        "Give them a user of their own, as script_user keepalived_script.",
        _MAN + ", SCRIPTS",
        host=_host.scripts_as_root,
    ),
    Rule(
        "KH031",
        ERROR,
        "sync group with missing members",
        "Name two or more instances of this host.",
        "keepalived vrrp_sync.c",
        host=_host.sync_group_of_strangers,
    ),
    Rule(
        "KH035",
        ERROR,
        "label longer than 15 characters",
        "Shorten it: the kernel's limit is 15 (IFNAMSIZ).",
        _MAN + ", label",
        host=_host.label_too_long,
    ),
    Rule(
        "KH043",
        ERROR,
        "one VRID twice on an interface",
        "Give each instance of an interface its own virtual_router_id.",
        "RFC 9568 section 5.2.3",
        host=_host.vrid_twice_on_one_interface,
    ),
    Rule(
        "KH044",
        ERROR,
        "instance without a necessary keyword",
        "Add it.",
        _MAN + ", vrrp_instance",
        host=_host.keyword_missing,
    ),
    Rule(
        "KH045",
        ERROR,
        "interface missing or down",
        "Correct the name (per host: keepalived_instance_overrides), or bring the interface up.",
        "measured",
        host=_host.interface_missing,
    ),
    Rule(
        "KH046",
        ERROR,
        "IPv4 and IPv6 mixed",
        "Use one instance per family, or virtual_ipaddress_excluded for the other.",
        "RFC 9568 section 5.2.9",
        host=_host.families_mixed,
    ),
    Rule(
        "KH047",
        ERROR,
        "advert_int outside the version's range",
        "Use whole seconds in version 2, and up to 40.95 s in version 3.",
        "RFC 9568 section 5.2.7",
        host=_host.fraction_in_version_2,
    ),
    Rule(
        "KH048",
        ERROR,
        "smtp_server that is no host",
        "Set the address of the mail server, as 127.0.0.1 for one on this host.",
        _MAN + ", smtp_server",
        host=_host.smtp_server_that_is_none,
    ),
    Rule(
        "KP001",
        ERROR,
        "virtual_router_id differs",
        "Use one virtual_router_id on all hosts of the instance.",
        "RFC 9568 section 5.2.3",
        group=_pair.vrid_differs,
    ),
    Rule(
        "KP002",
        ERROR,
        "authentication differs",
        "Use the same authentication on all hosts.",
        "RFC 2338 section 5.3.6",
        group=_pair.auth_differs,
    ),
    Rule(
        "KP003",
        ERROR,
        "advert_int differs (version 2)",
        "Use one advert_int on all hosts.",
        "RFC 3768 section 7.1",
        group=_pair.advert_int_differs_v2,
    ),
    Rule(
        "KP003",
        WARNING,
        "advert_int differs (version 3)",
        "Use one advert_int on all hosts.",
        "RFC 9568 section 6.1",
        group=_pair.advert_int_differs_v3,
    ),
    Rule(
        "KP004",
        ERROR,
        "VRRP version differs",
        "Use one version on all hosts.",
        "RFC 9568 section 7.1",
        group=_pair.version_differs,
    ),
    Rule(
        "KP005",
        ERROR,
        "set of VIPs differs",
        "Use the same virtual_ipaddress on all hosts; what is needed on one only goes into virtual_ipaddress_excluded.",
        "measured",
        group=_pair.vips_differ,
    ),
    Rule(
        "KP006",
        WARNING,
        "prefix of a VIP differs",
        "Write the same prefix everywhere.",
        "measured",
        group=_pair.prefix_differs,
    ),
    Rule(
        "KP007",
        ERROR,
        "transport differs",
        "Use unicast, or one multicast group, on all hosts.",
        "measured",
        group=_pair.transport_differs,
    ),
    Rule(
        "KP008",
        ERROR,
        "unicast peers not reciprocal",
        "List every other host's unicast_src_ip, and nothing else.",
        _MAN + ", unicast_peer",
        group=_pair.peers_not_reciprocal,
    ),
    Rule(
        "KP010",
        WARNING,
        "equal priorities",
        "Give each host its own priority; to stop fail-back use nopreempt.",
        _MAN + ", priority",
        group=_pair.priorities_equal,
    ),
    Rule(
        "KP011",
        WARNING,
        "more than one state MASTER",
        "Start all as BACKUP, or one as MASTER.",
        "measured",
        group=_pair.two_masters_at_start,
    ),
    Rule(
        "KP012",
        WARNING,
        "nopreempt on some hosts only",
        "Set it on all hosts of the instance, or on none.",
        _MAN + ", nopreempt",
        group=_pair.nopreempt_on_some,
    ),
    Rule(
        "KP015",
        ERROR,
        "VIP is a host's own address",
        "Use an address that belongs to no host.",
        "measured",
        group=_pair.vip_is_a_hosts_own,
    ),
    Rule(
        "KP015",
        ERROR,
        "one VIP in two instances",
        "Leave it in one of them.",
        "measured",
        cluster=_pair.vip_in_two_instances,
    ),
    Rule(
        "KP016",
        WARNING,
        "router_id shared",
        "Give each host its own router_id.",
        _MAN + ", router_id",
        cluster=_pair.router_id_shared,
    ),
    Rule(
        "KP017", WARNING, "instance on one host only", "Add a second director.", "RFC 9568 section 1", group=_pair.alone
    ),
    Rule(
        "KP018",
        ERROR,
        "weight smaller than the priority gap",
        "Make the weight larger than the gap.",
        _MAN + ", weight",
        group=_weights.weight_below_the_gap,
    ),
    Rule(
        "KP019",
        ERROR,
        "weight equal to the priority gap",
        "Make the weight larger than the gap.",
        _MAN + ", weight",
        group=_weights.weight_ties,
    ),
    Rule(
        "KP024",
        INFO,
        "all VIPs at home on one host",
        "Vary the order of 'hosts' between the instances.",
        "ha practice",
        cluster=_pair.one_home_for_all,
    ),
    Rule(
        "KP025",
        ERROR,
        "one unicast_src_ip on two hosts",
        "Give each host its own address.",
        _MAN + ", unicast_src_ip",
        group=_pair.source_address_shared,
    ),
    Rule(
        "KP026",
        WARNING,
        "one instance under two names",
        "Use one name on all hosts.",
        "measured",
        group=_pair.name_differs,
    ),
    Rule(
        "KP027",
        ERROR,
        "priority 255 on two hosts",
        "Only the owner of the address may have 255.",
        "RFC 9568 section 6.1",
        group=_pair.owner_on_two_hosts,
    ),
)


def _finding(rule: Rule, found: Fault) -> Finding:
    return Finding(
        rule.id,
        rule.severity,
        found.message,
        found.hint or rule.hint,
        found.host,
        found.origin.path,
        found.origin.line,
        found.instance,
    )


def check(cluster: Cluster, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """All findings of a cluster, worst first. Takes a model from any source."""
    members = groups(cluster)
    findings = []
    for rule in rules:
        faults: list[Fault] = []
        if rule.host:
            for director in cluster.directors.values():
                faults += rule.host(director)
        if rule.group:
            for group in members:
                faults += rule.group(group)
        if rule.cluster:
            faults += rule.cluster(cluster)
        findings += [_finding(rule, found) for found in faults]
    return ordered(findings)
