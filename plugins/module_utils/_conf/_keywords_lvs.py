# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The LVS half of the keyword table: virtual servers, real servers, their checks, and BFD.

Where the manual and the program differ, the program counts: ``FILE_CHECK`` knows no ``dynamic``, and ``alpha`` of a
virtual server is a bare word there.

Sources: keepalived.conf(5), and the keyword registrations and range checks in keepalived's ``check_*.c`` and
``bfd_parser.c`` from 2.0.10 to 2.4.3.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import Keyword, table

_K = Keyword
_UINT = 4294967295
#: The kernel's largest weight.
_WEIGHT = 2147483647
#: The longest connect_timeout in seconds, 2^32 - 1 microseconds.
_TIMEOUT = 4294.967295
#: The longest of the other times in seconds, 2^64 - 1 microseconds.
_SECONDS = 18446744073709
#: The longest interval of BFD in milliseconds.
_BFD = 4294967
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos")
_FLAGS = ("hashed", "ops", "flag-1", "flag-2", "flag-3", "sh-port", "sh-fallback")
_TIMERS = (
    _K("delay_before_retry", "number", 0, _SECONDS, decimals=(2, 0, 13)),
    _K("warmup", "number", 0, _SECONDS, decimals=(2, 0, 13)),
    _K("delay_loop", "number", 0.000001, _SECONDS, decimals=(2, 0, 13)),
)
_CONNECT_TIMEOUT = _K("connect_timeout", "number", 0.000001, _TIMEOUT, decimals=(2, 0, 13))
_SERVER = (
    *_TIMERS,
    _CONNECT_TIMEOUT._replace(since=(2, 0, 13)),
    _K("retry", "int", 1, _UINT),
    _K("virtualhost", "word"),
    _K("smtp_alert", "switch"),
    _K("snmp_name", "word", since=(2, 2, 3)),
)
_CHECK = (
    _K("retry", "int", 0, _UINT),
    *_TIMERS,
    _K("alpha", "switch"),
    _K("log_all_failures", "switch", since=(2, 0, 11)),
)
_CONNECTION = (
    _K("connect_ip", "address"),
    _K("connect_port", "int", 1, 65535),
    _K("bindto", "address"),
    _K("bind_port", "int", 1, 65535),
    _K("bind_if", "word", pattern=r".{1,15}", shape="at most 15 characters long"),
    _K("fwmark", "int", 0, _UINT),
    _CONNECT_TIMEOUT,
    *_CHECK,
)
_HTTP = (
    *_CONNECTION,
    _K("virtualhost", "word"),
    _K("http_protocol", "choice", choices=("1.0", "1.0C", "1.1"), fold=True, since=(2, 0, 17)),
    _K("enable_sni", "switch"),
    _K("tls_compliant", "switch", since=(2, 2, 8)),
    _K("fast_recovery", "switch", since=(2, 0, 17)),
    _K("url", "block", block="url", many=True),
)

#: The checks of a real server, and since when each is known.
_CHECKS_SINCE: dict[str, tuple[int, ...]] = {
    "TCP_CHECK": (),
    "HTTP_GET": (),
    "SSL_GET": (),
    "SMTP_CHECK": (),
    "DNS_CHECK": (),
    "UDP_CHECK": (2, 1, 0),
    "PING_CHECK": (2, 1, 0),
    "MISC_CHECK": (),
    "BFD_CHECK": (),
    "FILE_CHECK": (2, 1, 0),
}
#: Their names, in the order in which they are written.
CHECKS = tuple(_CHECKS_SINCE)

#: block name -> keyword name -> keyword
LVS_BLOCKS: dict[str, dict[str, Keyword]] = {
    "virtual_server": table(
        _K("ip_family", "choice", choices=("inet", "inet6")),
        _K("lb_algo", "choice", choices=_SCHEDULERS),
        _K("lvs_sched", "choice", choices=_SCHEDULERS),
        *(_K(name, "flag") for name in _FLAGS),
        _K("mh-port", "flag", since=(2, 0, 20)),
        _K("mh-fallback", "flag", since=(2, 0, 20)),
        _K("lb_kind", "method"),
        _K("lvs_method", "method"),
        _K("persistence_engine", "word", pattern=r".{1,16}", shape="at most 16 characters long"),
        _K("persistence_timeout", "int", 1, 2678400),
        _K(
            "persistence_granularity",
            "word",
            pattern=r"%s(\.%s){3}|[1-9][0-9]?|1[01][0-9]|12[0-8]" % (_BYTE, _BYTE),
            shape="a netmask, as 255.255.255.0, or for IPv6 a prefix length from 1 to 128",
        ),
        _K("protocol", "choice", choices=("TCP", "UDP", "SCTP"), fold=True),
        *_SERVER,
        _K("weight", "int", 1, _WEIGHT),
        _K("inhibit_on_failure", "flag"),
        _K("ha_suspend", "flag"),
        _K("alpha", "flag"),
        _K("omega", "flag"),
        _K("quorum", "int", 1, _UINT),
        _K("hysteresis", "int", 0, _UINT),
        _K("quorum_up", "command"),
        _K("quorum_down", "command"),
        _K("sorry_server", "server"),
        _K("sorry_server_inhibit", "flag"),
        _K("sorry_server_lvs_method", "method"),
        _K("real_server", "block", block="real_server", header="words", many=True),
    ),
    "real_server": table(
        _K("weight", "int", 0, _WEIGHT),
        _K("lvs_method", "method"),
        _K("uthreshold", "int", 0, _UINT),
        _K("lthreshold", "int", 0, _UINT),
        *_SERVER,
        _K("inhibit_on_failure", "switch"),
        _K("alpha", "switch"),
        _K("notify_up", "command"),
        _K("notify_down", "command"),
        *(_K(name, "block", block=name, since=since, many=True) for name, since in _CHECKS_SINCE.items()),
    ),
    "HTTP_GET": table(*_HTTP),
    "SSL_GET": table(*_HTTP),
    "url": table(
        _K("path", "word"),
        _K("digest", "word", pattern=r"[0-9A-Fa-f]{32}", shape="an MD5 digest of 32 hexadecimal digits"),
        _K(
            "status_code",
            "words",
            pattern=r"[1-5][0-9]{2}(-[1-5][0-9]{2})?",
            shape="a status from 100 to 599 or a range of them, as 200-299",
        ),
        _K("virtualhost", "word"),
        _K("regex", "command"),
        _K("regex_no_match", "flag"),
        _K("regex_options", "words"),
        _K("regex_min_offset", "int", 0),
        _K("regex_max_offset", "int", 0),
        _K("regex_stack", "words", pattern="[0-9]+", shape="a number of bytes"),
        _K("tls_compliant", "switch", since=(2, 2, 8)),
    ),
    "TCP_CHECK": table(*_CONNECTION),
    "SMTP_CHECK": table(*_CONNECTION, _K("helo_name", "word"), _K("host", "block", block="host", many=True)),
    "host": table(*_CONNECTION),
    "DNS_CHECK": table(
        *_CONNECTION,
        _K(
            "type",
            "choice",
            choices=("A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY"),
            fold=True,
        ),
        # Of the first label keepalived looks at the second character, and takes a single one for an empty label.
        _K(
            "name",
            "word",
            pattern=r"\.|[^.]|[^.]{2,}(\.[^.]+)*\.?",
            shape="a name without empty labels, whose first has two characters",
        ),
    ),
    "UDP_CHECK": table(
        *_CONNECTION,
        _K("payload", "words", pattern="[0-9A-Fa-f]+", shape="hexadecimal digits", since=(2, 2, 0)),
        _K("require_reply", "words", pattern="[0-9A-Fa-fXx]+", shape="hexadecimal digits, or x for any"),
        _K("min_reply_length", "int", 0, 65535, since=(2, 2, 0)),
        _K("max_reply_length", "int", 0, 65535, since=(2, 2, 0)),
    ),
    "PING_CHECK": table(*_CONNECTION),
    "MISC_CHECK": table(
        *_CHECK,
        _K("misc_path", "command"),
        _K("misc_timeout", "int", 0, 4294),
        _K("misc_dynamic", "flag"),
        _K("user", "words"),
    ),
    "BFD_CHECK": table(_K("name", "word"), _K("alpha", "switch")),
    "FILE_CHECK": table(
        _K("track_file", "word"),
        _K("weight", "weight", -_WEIGHT, _WEIGHT, choices=("reverse", "noreverse")),
    ),
    "bfd_instance": table(
        _K("neighbor_ip", "address"),
        _K("neighbour_ip", "address"),
        _K("source_ip", "address"),
        _K("min_rx", "number", 1, _BFD, decimals=(2, 2, 0)),
        _K("min_tx", "number", 1, _BFD, decimals=(2, 2, 0)),
        _K("idle_tx", "number", 1000, _BFD, decimals=(2, 2, 0)),
        _K("multiplier", "int", 1, 255),
        _K("passive", "flag"),
        _K("ttl", "int", 1, 255),
        _K("hoplimit", "int", 1, 255),
        _K("max_hops", "int", -1, 255),
        _K("weight", "weight", -253, 253),
        _K("vrrp", "flag"),
        _K("checker", "flag"),
        _K("multihop", "switch", since=(2, 2, 8)),
    ),
    "SSL": table(_K("password", "word"), _K("ca", "word"), _K("certificate", "word"), _K("key", "word")),
}

#: block -> old keyword -> the one that took its place, or what to do instead
LVS_DEPRECATED: dict[str, dict[str, str]] = {
    "HTTP_GET": {"nb_get_retry": "retry"},
    "SSL_GET": {"nb_get_retry": "retry"},
}
