# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The LVS half of the keyword table: virtual servers, real servers, their checks, and BFD.

Sources: keepalived.conf(5), and the keyword registrations and range checks in keepalived's ``check_*.c`` and
``bfd_parser.c``, both of 2.2.7 and 2.3.3.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import Keyword, table

_K = Keyword
_SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos")
_METHODS = ("NAT", "DR", "TUN")
_RETRIES = (
    _K("retry", "int", 0),
    _K("delay_before_retry", "number", 0),
    _K("warmup", "number", 0),
    _K("connect_timeout", "number", 0.000001),
    _K("delay_loop", "number", 0.000001),
    _K("alpha", "switch"),
)
_SERVER = (
    *_RETRIES,
    _K("weight", "int", 0, 65535),
    _K("inhibit_on_failure", "switch"),
    _K("virtualhost", "word"),
    _K("smtp_alert", "switch"),
    _K("snmp_name", "word"),
)
_CHECKER = (
    _K("connect_ip", "word"),
    _K("connect_port", "int", 1, 65535),
    _K("bindto", "word"),
    _K("bind_port", "int", 1, 65535),
    _K("bind_if", "word"),
    _K("fwmark", "int", 0),
    *_RETRIES,
    _K("log_all_failures", "switch"),
)
_HTTP = (
    *_CHECKER,
    _K("virtualhost", "word"),
    _K("http_protocol", "word"),
    _K("enable_sni", "switch"),
    _K("tls_compliant", "switch"),
    _K("fast_recovery", "switch"),
    _K("url", "block", block="url", many=True),
)
_CHECKS = tuple(
    _K(name, "block", block=name, many=True)
    for name in (
        "HTTP_GET",
        "SSL_GET",
        "TCP_CHECK",
        "SMTP_CHECK",
        "DNS_CHECK",
        "MISC_CHECK",
        "PING_CHECK",
        "UDP_CHECK",
        "FILE_CHECK",
        "BFD_CHECK",
    )
)

#: block name -> keyword name -> keyword
LVS_BLOCKS: dict[str, dict[str, Keyword]] = {
    "virtual_server": table(
        _K("ip_family", "choice", choices=("inet", "inet6")),
        *_SERVER,
        _K("lb_algo", "choice", choices=_SCHEDULERS),
        _K("lvs_sched", "choice", choices=_SCHEDULERS),
        *(
            _K(name, "flag")
            for name in (
                "hashed",
                "ops",
                "flag-1",
                "flag-2",
                "flag-3",
                "sh-port",
                "sh-fallback",
                "mh-port",
                "mh-fallback",
            )
        ),
        _K("lb_kind", "choice", choices=_METHODS, header="words"),
        _K("lvs_method", "choice", choices=_METHODS, header="words"),
        _K("persistence_engine", "word"),
        _K("persistence_timeout", "int", 1, 2678400),
        _K("persistence_granularity", "word"),
        _K("protocol", "choice", choices=("TCP", "UDP", "SCTP")),
        _K("ha_suspend", "flag"),
        _K("omega", "switch"),
        _K("quorum", "int", 1),
        _K("hysteresis", "int", 0),
        _K("quorum_up", "command"),
        _K("quorum_down", "command"),
        _K("sorry_server", "words"),
        _K("sorry_server_inhibit", "flag"),
        _K("sorry_server_lvs_method", "choice", choices=_METHODS, header="words"),
        _K("real_server", "block", block="real_server", header="words", many=True),
        *_CHECKS,
    ),
    "real_server": table(
        *_SERVER,
        _K("lvs_method", "choice", choices=_METHODS, header="words"),
        _K("uthreshold", "int", 0),
        _K("lthreshold", "int", 0),
        _K("notify_up", "command"),
        _K("notify_down", "command"),
        *_CHECKS,
    ),
    "HTTP_GET": table(*_HTTP),
    "SSL_GET": table(*_HTTP),
    "url": table(
        _K("path", "word"),
        _K("digest", "word"),
        _K("status_code", "words"),
        _K("virtualhost", "word"),
        _K("regex", "command"),
        _K("regex_no_match", "switch"),
        _K("regex_options", "words"),
        _K("regex_min_offset", "int", 0),
        _K("regex_max_offset", "int", 0),
        _K("regex_stack", "words"),
        _K("tls_compliant", "switch"),
    ),
    "TCP_CHECK": table(*_CHECKER),
    "SMTP_CHECK": table(*_CHECKER, _K("helo_name", "word"), _K("host", "block", block="host", many=True)),
    "host": table(*_CHECKER),
    "DNS_CHECK": table(*_CHECKER, _K("type", "word"), _K("name", "word")),
    "MISC_CHECK": table(
        *_RETRIES,
        _K("log_all_failures", "switch"),
        _K("misc_path", "command"),
        _K("misc_timeout", "number", 0),
        _K("misc_dynamic", "switch"),
        _K("user", "words"),
    ),
    "PING_CHECK": table(*_CHECKER),
    "UDP_CHECK": table(
        *_CHECKER,
        _K("payload", "words"),
        _K("require_reply", "words"),
        _K("min_reply_length", "int", 0, 65535),
        _K("max_reply_length", "int", 0, 65535),
    ),
    "FILE_CHECK": table(
        _K("track_file", "word"), _K("weight", "weight", -2147483647, 2147483647), _K("alpha", "switch")
    ),
    "BFD_CHECK": table(_K("name", "word"), _K("alpha", "switch")),
    "bfd_instance": table(
        _K("neighbor_ip", "word"),
        _K("neighbour_ip", "word"),
        _K("source_ip", "word"),
        _K("min_rx", "number", 0),
        _K("min_tx", "number", 0),
        _K("idle_tx", "number", 0),
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
