# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The rules about LVS: for each a configuration that it finds, and the healthy one, on which all are silent."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any, Union

import pytest

from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._finding import Finding
from ansible_collections.failover.vip.plugins.module_utils._model import (
    Backend,
    Cluster,
    Interface,
    Machine,
    Origin,
    PathFacts,
)
from ansible_collections.failover.vip.plugins.module_utils._rules import _lvs, _lvs_checks, _lvs_services
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import RULES, check
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import rules_in

OURS = [rule for room in (_lvs, _lvs_checks, _lvs_services) for rule in rules_in(vars(room))]
#: A piece of the text and what takes its place, or a change to the cluster.
Edit = Union[tuple[str, str], Callable[[Cluster], None]]  # noqa: UP007 (pylint counts with the oldest Python)

HEALTHY = """
global_defs {
    router_id ka1
    enable_script_security
    script_user root
    lvs_sync_daemon eth0 inst WEB_VIP id 51
}
track_file drain {
    file /run/drain
}
bfd_instance rs11 {
    neighbor_ip 172.25.254.10
    source_ip 172.25.254.50
}
vrrp_instance WEB_VIP {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        172.25.254.100/24
        172.25.254.200/24
    }
    virtual_ipaddress_excluded {
        2001:db8::100/64
    }
}
virtual_server_group MAIL {
    172.25.254.200 25
}
virtual_server 172.25.254.100 80 {
    delay_loop 6
    lb_algo wrr
    lb_kind DR
    persistence_timeout 60
    persistence_granularity 255.255.255.0
    protocol TCP
    connect_timeout 3
    quorum 2
    hysteresis 1
    sorry_server 172.25.254.30 80
    sorry_server_inhibit
    real_server 172.25.254.10 80 {
        weight 2
        lthreshold 10
        uthreshold 20
        HTTP_GET {
            url {
                path /
                status_code 200
            }
        }
        FILE_CHECK {
            track_file drain
        }
        BFD_CHECK {
            name rs11
        }
    }
    real_server 172.25.254.20 80 {
        MISC_CHECK {
            misc_path "/usr/bin/check-web 172.25.254.20"
            misc_timeout 5
        }
    }
}
virtual_server 172.25.254.100 53 {
    lb_algo sh
    sh-port
    lb_kind NAT
    protocol UDP
    ops
    real_server 192.0.2.53 5353 {
        UDP_CHECK {
            min_reply_length 12
            require_reply
        }
    }
}
virtual_server 2001:db8::100 80 {
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 2001:db8::10 80 {
        TCP_CHECK {
            bindto 2001:db8::50
        }
    }
}
virtual_server fwmark 7 {
    lb_algo rr
    lb_kind DR
    real_server 172.25.254.10 {
        TCP_CHECK {
            connect_port 443
        }
    }
}
virtual_server group MAIL {
    lb_algo rr
    lb_kind TUN
    protocol TCP
    real_server 198.51.100.25 25 {
        SMTP_CHECK {
            helo_name ka1.example.com
        }
    }
}
"""


def interfaces(**found: str) -> dict[str, Interface]:
    """Interfaces from their addresses."""
    return {
        name: Interface(name, tuple(ipaddress.ip_interface(address) for address in addresses.split()))
        for name, addresses in found.items()
    }


def machine(**sysctls: str) -> Machine:
    """A director on which all is as it should be."""
    keys = {
        "net.ipv4.ip_forward": "1",
        "net.ipv6.conf.all.forwarding": "1",
        "net.ipv4.vs.expire_nodest_conn": "1",
        "net.ipv4.vs.expire_quiescent_template": "1",
    }
    paths = {"/usr/bin/check-web": PathFacts(True, 0o755, "root", "root")}
    binds = [("172.25.254.100", 8080, Origin("/etc/haproxy/haproxy.cfg", 7)), ("127.0.0.1", 80, Origin())]
    return Machine((2, 2, 7), paths, {}, {**keys, **sysctls}, True, binds)


def backend(host: str, last: int, *vips: str) -> Backend:
    """A real server that is silent about the VIPs on its ``lo``."""
    keys = {"arp_ignore": "1", "arp_announce": "2"}
    sysctls = {"net.ipv4.conf.%s.%s" % (name, key): keys[key] for name in ("all", "eth0") for key in keys}
    own = "172.25.254.%d/24 2001:db8::%d/64" % (last, last)
    return Backend(host, interfaces(lo=" ".join(("127.0.0.1/8", *vips)), eth0=own), Machine(sysctls=sysctls))


def cluster_of(text: str) -> tuple[Cluster, list[Finding]]:
    """Two directors with this text, and the reference cluster's real servers."""
    cluster, findings = Cluster(), []
    for host, last in (("ka1", 50), ("ka2", 60)):
        parsed = parse("/k.conf", from_texts({"/k.conf": text}), host)
        known = interfaces(eth0="172.25.254.%d/24 2001:db8::%d/64" % (last, last), lo="127.0.0.1/8")
        cluster.directors[host], more = read(parsed.nodes, host, known)
        cluster.directors[host].machine = machine()
        findings += [*parsed.findings, *more]
    vips = ("172.25.254.100/32", "2001:db8::100/128")
    cluster.backends = {"rs11": backend("rs11", 10, *vips), "rs22": backend("rs22", 20, *vips)}
    return cluster, findings


def found_in(edits: tuple[Edit, ...]) -> list[Finding]:
    """What the reader and the rules of LVS say of the healthy configuration after these edits."""
    text = HEALTHY
    for edit in edits:
        if isinstance(edit, tuple):
            assert edit[0] in text
            text = text.replace(edit[0], edit[1], 1)
    cluster, findings = cluster_of(text)
    for edit in edits:
        if not isinstance(edit, tuple):
            edit(cluster)
    return [*findings, *check(cluster, OURS)]


def test_the_healthy_configuration_has_no_findings() -> None:
    assert [finding.text() for finding in found_in(())] == []


def sysctl(key: str, value: str) -> Edit:
    def change(cluster: Cluster) -> None:
        for director in cluster.directors.values():
            director.machine.sysctls[key] = value

    return change


def of_rs11(**values: str) -> Edit:
    """Sysctls of rs11, for all interfaces and for eth0."""

    def change(cluster: Cluster) -> None:
        sysctls = cluster.backends["rs11"].machine.sysctls
        for key, value in values.items():
            sysctls["net.ipv4.conf.all." + key] = sysctls["net.ipv4.conf.eth0." + key] = value

    return change


def addresses_of_rs11(**found: str) -> Edit:
    def change(cluster: Cluster) -> None:
        known = cluster.backends["rs11"].interfaces or {}
        known.update(interfaces(**found))

    return change


def no_instances(cluster: Cluster) -> None:
    for director in cluster.directors.values():
        director.instances = []
        director.global_defs.options.pop("lvs_sync_daemon")


def no_kernel(cluster: Cluster) -> None:
    cluster.directors["ka1"].machine.ip_vs = False


def program(**facts: Any) -> Edit:
    def change(cluster: Cluster) -> None:
        paths = cluster.directors["ka1"].machine.paths
        paths["/usr/bin/check-web"] = paths["/usr/bin/check-web"]._replace(**facts)

    return change


def bind(address: str, port: int) -> Edit:
    def change(cluster: Cluster) -> None:
        cluster.directors["ka1"].machine.haproxy_binds = [(address, port, Origin("/etc/haproxy/haproxy.cfg", 7))]

    return change


def added(block: str) -> Edit:
    """More at the end of the file."""
    tail = "helo_name ka1.example.com\n        }\n    }\n}\n"
    return (tail, tail + block)


SERVICE = (
    "virtual_server %s {\nlb_algo rr\nlb_kind DR\nprotocol TCP\nreal_server 172.25.254.10 {\nTCP_CHECK {\n}\n}\n}\n"
)
FIRST = "real_server 172.25.254.10 80 {"
CHECK = 'misc_path "/usr/bin/check-web 172.25.254.20"'

CASES: list[tuple[str, str, str, tuple[Edit, ...]]] = [
    ("KL001", "error", "no VRRP instance of this host has 172.25.254.101", (added(SERVICE % "172.25.254.101 80"),)),
    ("KL001", "warning", "no VRRP instance of this host has 172.25.254.100", (no_instances,)),
    (
        "KL001",
        "error",
        "has 8 addresses of 172.25.254.193 to 172.25.254.201",
        (("172.25.254.200 25", "172.25.254.193-201 25"),),
    ),
    ("KL002", "error", "TCP of 172.25.254.100, port 80 is already in", (added(SERVICE % "172.25.254.100 80"),)),
    ("KL002", "error", "TCP of 172.25.254.200, port 25 is already in", (added(SERVICE % "group MAIL"),)),
    ("KL002", "error", "firewall mark 7 is already in virtual_server fwmark 7", (added(SERVICE % "fwmark 7"),)),
    ("KL003", "warning", "real_server 192.0.2.7 443 has no check", (("ops\n", "real_server 192.0.2.7 443 {\n}\n"),)),
    ("KL004", "error", "has the port 8080 and the virtual server 80", ((FIRST, FIRST.replace("80 {", "8080 {")),)),
    (
        "KL004",
        "error",
        "sorry_server 172.25.254.30 81",
        (("sorry_server 172.25.254.30 80", "sorry_server 172.25.254.30 81"),),
    ),
    (
        "KL004",
        "error",
        "of a firewall mark has the port 443, which DR cannot reach",
        (("real_server 172.25.254.10 {", "real_server 172.25.254.10 443 {"),),
    ),
    ("KL004", "error", "has the port 26 and the virtual server 25", (("100.25 25 {", "100.25 26 {"),)),
    (
        "KL005",
        "error",
        "198.51.100.30 lies in no network",
        (("sorry_server 172.25.254.30", "sorry_server 198.51.100.30"),),
    ),
    ("KL005", "error", "192.0.2.10 lies in no network", ((FIRST, "real_server 192.0.2.10 80 {"),)),
    ("KL006", "error", "does not have the VIP 172.25.254.100 on lo", (addresses_of_rs11(lo="127.0.0.1/8"),)),
    ("KL006", "error", "does not have the VIP 2001:db8::100 on lo", (addresses_of_rs11(lo="172.25.254.100/32"),)),
    (
        "KL006",
        "error",
        "has the VIP 172.25.254.100 on eth0 instead of lo",
        (addresses_of_rs11(lo="127.0.0.1/8", eth0="172.25.254.10/24 172.25.254.100/32"),),
    ),
    ("KL006", "error", "has the VIP on lo as 172.25.254.100/24", (addresses_of_rs11(lo="172.25.254.100/24"),)),
    ("KL006", "error", "arp_ignore is 0 on eth0", (of_rs11(arp_ignore="0"),)),
    ("KL006", "error", "arp_announce is 1 on eth0", (of_rs11(arp_announce="1"),)),
    (
        "KL007",
        "warning",
        "real_server 172.25.254.60 80 is the director ka2",
        ((FIRST, "real_server 172.25.254.60 80 {"),),
    ),
    (
        "KL008",
        "error",
        "has no url: keepalived before 2.2.8 crashes",
        (
            ("url {\n", ""),
            ("path /\n", "}\n"),
            ("status_code 200\n            }", ""),
        ),
    ),
    ("KL008", "error", "has no url with a path", (("path /\n", ""),)),
    ("KL008", "warning", "asks by TCP for a service of UDP", (("UDP_CHECK {", "TCP_CHECK {\n}\nUDP_CHECK {"),)),
    ("KL009", "error", "has the program /usr/bin/check-web, which does not exist here", (program(exists=False),)),
    ("KL009", "error", "which is no file", (program(is_file=False),)),
    ("KL009", "error", "which is not executable", (program(mode=0o644),)),
    (
        "KL009",
        "warning",
        "has connect_timeout 7, more than its delay_loop 6",
        (("connect_timeout 3", "connect_timeout 7"),),
    ),
    ("KL009", "warning", "has misc_timeout 9, more than its delay_loop 6", (("misc_timeout 5", "misc_timeout 9"),)),
    ("KL010", "error", "lb_kind NAT, and net.ipv4.ip_forward is 0", (sysctl("net.ipv4.ip_forward", "0"),)),
    ("KL010", "info", "keepalived takes 360 seconds", (("persistence_timeout 60", "persistence_timeout"),)),
    ("KL011", "warning", "expire_nodest_conn is 0", (sysctl("net.ipv4.vs.expire_nodest_conn", "0"),)),
    ("KL011", "warning", "expire_quiescent_template is 0", (sysctl("net.ipv4.vs.expire_quiescent_template", "0"),)),
    ("KL012", "error", "names the instance WEB, which is not there", (("inst WEB_VIP", "inst WEB"),)),
    ("KL012", "error", "names the instance WEB,", (("eth0 inst WEB_VIP id 51", "eth0 WEB id 51"),)),
    ("KL013", "error", "quorum 4 is more than the weights of all real servers, 3", (("quorum 2", "quorum 4"),)),
    ("KL013", "error", "hysteresis 2 is not below the quorum 2", (("hysteresis 1", "hysteresis 2"),)),
    (
        "KL013",
        "warning",
        "quorum 2, and neither sorry_server nor quorum_down",
        (("sorry_server 172.25.254.30 80\n    sorry_server_inhibit\n", ""),),
    ),
    ("KL014", "error", "no lb_kind: keepalived takes NAT", (("lb_kind NAT\n", ""),)),
    ("KL014", "error", "no lb_kind", (("lb_kind DR\n    persistence", "lb-kind DR\n    persistence"),)),
    ("KL014", "error", "no lb_kind", (("lb_kind DR\n    persistence", "lb_kind dr\n    persistence"),)),
    ("KL015", "error", "5 virtual servers, and the kernel has no ip_vs", (no_kernel,)),
    ("KL016", "error", "no protocol: keepalived takes UDP", (("protocol TCP\n    connect", "connect"),)),
    ("KL016", "error", "protocol UDP has no effect for a firewall mark", (("fwmark 7 {", "fwmark 7 {\nprotocol UDP"),)),
    ("KL017", "error", "no lb_algo: keepalived takes wlc", (("lb_algo wrr\n", ""),)),
    (
        "KL018",
        "error",
        "has no real_server",
        (added("virtual_server 172.25.254.200 80 {\nlb_algo rr\nlb_kind DR\nprotocol TCP\n}\n"),),
    ),
    ("KL018", "error", "virtual_server_group MAIL has no entry", (("172.25.254.200 25\n", ""),)),
    ("KL019", "error", "there is no virtual_server_group MALL", (("server group MAIL", "server group MALL"),)),
    (
        "KL019",
        "error",
        "a second virtual_server_group MAIL, the first is in /k.conf:26",
        (added("virtual_server_group MAIL {\nfwmark 9\n}\n"),),
    ),
    (
        "KL020",
        "error",
        "no port for 172.25.254.100, and no persistence_timeout",
        (("254.100 53 {", "254.100 {"), ("192.0.2.53 5353", "192.0.2.53")),
    ),
    ("KL020", "error", "no port for 172.25.254.200", (("254.200 25\n", "254.200\n"), ("100.25 25 {", "100.25 {"))),
    ("KL021", "error", "real_server 172.25.254.20 80 stands twice, also in line 41", (("254.10 80 {", "254.20 {"),)),
    (
        "KL022",
        "error",
        "2001:db8::9 is not of the family",
        (("sorry_server 172.25.254.30", "sorry_server 2001:db8::9"),),
    ),
    (
        "KL022",
        "error",
        "192.0.2.53 is not of the family",
        (("254.100 53", "254.100 53"), ("virtual_server 172.25.254.100 53", "virtual_server 2001:db8::100 53")),
    ),
    ("KL022", "error", "ip_family inet6 is not the family of 172.25.254.100", (("ops\n", "ops\nip_family inet6\n"),)),
    ("KL023", "error", "ops (one-packet scheduling) is for UDP, not for TCP", (("quorum 2", "quorum 2\nops"),)),
    ("KL023", "error", "ha_suspend has no effect with firewall marks", (("fwmark 7 {", "fwmark 7 {\nha_suspend"),)),
    ("KL023", "error", "sh-port is for the scheduler sh, not for rr", (("lb_algo sh", "lb_algo rr"),)),
    ("KL023", "error", "sh-port stands above lb_algo", (("lb_algo sh\n    sh-port", "sh-port\n    lb_algo sh"),)),
    ("KL023", "warning", "hashed has no effect", (("sh-port", "hashed"),)),
    (
        "KL023",
        "error",
        "sorry_server_inhibit stands without a sorry_server",
        (("sorry_server 172.25.254.30 80\n", "quorum_down /usr/bin/true\n"),),
    ),
    (
        "KL023",
        "error",
        "sorry_server_inhibit stands without",
        (("hysteresis 1", "hysteresis 1\nsorry_server_inhibit"), ("30 80\n    sorry_server_inhibit", "30 80")),
    ),
    (
        "KL023",
        "error",
        "is the sorry_server too, and inhibits differently",
        (("sorry_server 172.25.254.30", "sorry_server 172.25.254.20"),),
    ),
    ("KL024", "error", "has no misc_path", ((CHECK, ""),)),
    ("KL024", "error", "has no track_file", (("track_file drain\n        }", "}"),)),
    ("KL024", "error", "needs drane, which is not defined", (("track_file drain\n        }", "track_file drane\n}"),)),
    (
        "KL024",
        "error",
        "needs late, which is defined below it, in line 107",
        (("name rs11", "name late"), added("bfd_instance late {\nneighbor_ip 172.25.254.20\n}\n")),
    ),
    ("KL024", "error", "needs rs11, which is for VRRP alone", (("source_ip", "vrrp\n    source_ip"),)),
    ("KL024", "error", "has no name", (("name rs11\n", ""),)),
    ("KL024", "error", "has a url without a path", (("url {\n", "url {\nstatus_code 204\n}\nurl {\n"),)),
    ("KL024", "error", "has regex_no_match without regex", (("status_code 200", "status_code 200\nregex_no_match"),)),
    (
        "KL024",
        "error",
        "wants replies of 300 bytes at least and 255 at most",
        (("min_reply_length 12", "min_reply_length 300"),),
    ),
    (
        "KL024",
        "error",
        "cannot reach 2001:db8::10 from 172.25.254.50",
        (("bindto 2001:db8::50", "bindto 172.25.254.50"),),
    ),
    (
        "KL024",
        "error",
        "asks the link-local address fe80::1 without bind_if",
        (("bindto 2001:db8::50", "connect_ip fe80::1"),),
    ),
    ("KL025", "error", "bfd_instance rs11 has no neighbor_ip", (("neighbor_ip 172.25.254.10\n", ""),)),
    (
        "KL025",
        "error",
        "has the source_ip 2001:db8::50 of the other family",
        (("source_ip 172.25.254.50", "source_ip 2001:db8::50"),),
    ),
    (
        "KL025",
        "error",
        "bfd_instance two has the neighbour and the source of rs11",
        (added("bfd_instance two {\nsource_ip 172.25.254.50\nneighbour_ip 172.25.254.10\n}\n"),),
    ),
    (
        "KL025",
        "error",
        "bfd_instance rs11 stands twice, also in line 11",
        (added("bfd_instance rs11 {\nneighbor_ip 172.25.254.20\n}\n"),),
    ),
    (
        "KL025",
        "error",
        "has max_hops 9 above the limit of hops, 3",
        (("source_ip 172.25.254.50", "ttl 3\nmax_hops 9"),),
    ),
    (
        "KL026",
        "error",
        "persistence_granularity 24 is read as the netmask 0.0.0.24",
        (("granularity 255.255.255.0", "granularity 24"),),
    ),
    (
        "KL026",
        "error",
        "persistence_granularity 255.0.0.0 is no prefix length",
        (("2001:db8::100 80 {", "2001:db8::100 80 {\npersistence_granularity 255.0.0.0"),),
    ),
    ("KL027", "error", "lthreshold 10 is above uthreshold 0", (("uthreshold 20\n", ""),)),
    (
        "KX003",
        "error",
        "HAProxy binds 172.25.254.100:80 too (/etc/haproxy/haproxy.cfg:7)",
        (bind("172.25.254.100", 80),),
    ),
    ("KX003", "warning", "HAProxy binds *:25 too", (bind("*", 25),)),
    ("KX003", "warning", "IPVS takes what comes for 2001:db8::100", (bind("::", 80),)),
]


@pytest.mark.parametrize(
    ("rule", "severity", "words", "edits"), CASES, ids=["%s-%s" % (one[0], one[2]) for one in CASES]
)
def test_found(rule: str, severity: str, words: str, edits: tuple[Edit, ...]) -> None:
    findings = found_in(edits)
    found = [finding for finding in findings if finding.rule == rule and words in finding.message]
    assert found, [finding.text() for finding in findings]
    assert {finding.severity for finding in found} == {severity}
    assert all(finding.hint and finding.host and (finding.path or rule == "KL006") for finding in found)


def test_every_rule_has_a_case() -> None:
    assert {(rule.id, rule.severity) for rule in OURS} <= {case[:2] for case in CASES}
    assert set(OURS) <= set(RULES)
    for rule in OURS:
        assert all((rule.title, rule.hint, rule.source)), rule.id
        assert (rule.check.__doc__ or "").count(".") >= 2, rule.id
