# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The one table of keepalived's keywords: where each may stand, its type and range, since and until which version.

The checks of the inventory's variables, the writer and the reader of files use it. A keyword added here works
everywhere. Blocks and keywords stand in the order in which they are written.

Sources: keepalived.conf(5) of 2.2.7, the keyword registrations and the range checks in keepalived's
``global_parser.c`` and ``vrrp_parser.c`` from 2.0.10 to 2.4.3 (for ``since`` and ``until``).

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

#: What a keyword's value is, and how it is written:
#:
#: ========== =============================== ==========================================
#: kind       value                           text
#: ========== =============================== ==========================================
#: flag       True                            the bare keyword
#: switch     True or False                   the bare keyword, or ``keyword false``
#: int        a whole number in the range     ``keyword 51``
#: number     a number in the range           ``keyword 0.1``
#: choice     one of ``choices``              ``keyword MASTER``
#: word       one word                        ``keyword eth0``, quoted where needed
#: words      words, as a list or one string  ``keyword 192.0.2.1 25``
#: command    a command line                  ``keyword "/path/script argument"``
#: weight     a Track: weight and reverse     ``weight -30 reverse``
#: items      a list of words                 a block with one item a line
#: vips       a list of Vip                   a block with one address a line
#: tracks     a list of Track                 a block with one name a line
#: lines      a list of free lines            a block with the lines as they are
#: block      options of the sub-block        a block (see ``Keyword.block``)
#: ========== =============================== ==========================================
KINDS = (
    "flag",
    "switch",
    "int",
    "number",
    "choice",
    "word",
    "words",
    "command",
    "weight",
    "items",
    "vips",
    "tracks",
    "lines",
    "block",
)


class Keyword(NamedTuple):
    """One keyword of one block. ``low`` and ``high`` are inclusive; ``since`` and ``until`` are keepalived versions.

    ``header``: what stands between the keyword and the brace of a block: nothing, a ``name``, or ``words``. Outside
    blocks ``words`` may follow the value.
    ``many``: may stand more than once.
    """

    name: str
    kind: str
    low: Optional[float] = None
    high: Optional[float] = None
    choices: tuple[str, ...] = ()
    block: str = ""
    since: tuple[int, ...] = ()
    until: tuple[int, ...] = ()
    header: str = ""
    many: bool = False


def _table(*keywords: Keyword) -> dict[str, Keyword]:
    return {keyword.name: keyword for keyword in keywords}


_K = Keyword
_TRACKING = (
    _K("track_interface", "tracks", -253, 253),
    _K("track_script", "tracks", -253, 253),
    _K("track_file", "tracks", -254, 254),
    _K("track_process", "tracks", -254, 254, since=(2, 0, 11)),
    _K("track_bfd", "tracks", -253, 253),
)
_NOTIFY = (
    _K("notify_master", "command"),
    _K("notify_backup", "command"),
    _K("notify_fault", "command"),
    _K("notify_stop", "command"),
    _K("notify", "command"),
    _K("notify_priority_changes", "switch", since=(2, 0, 12)),
    _K("smtp_alert", "switch"),
)

#: block name -> keyword name -> keyword
BLOCKS: dict[str, dict[str, Keyword]] = {
    "global_defs": _table(
        _K("router_id", "word"),
        _K("notification_email", "items"),
        _K("notification_email_from", "word"),
        _K("smtp_server", "words"),
        _K("smtp_helo_name", "word"),
        _K("smtp_connect_timeout", "int", 1),
        _K("smtp_alert", "switch"),
        _K("smtp_alert_vrrp", "switch"),
        _K("smtp_alert_checker", "switch"),
        _K("no_email_faults", "flag"),
        _K("no_checker_emails", "flag"),
        _K("checker_log_all_failures", "switch", since=(2, 0, 11)),
        _K("enable_script_security", "flag"),
        _K("script_user", "words"),
        _K("reload_check_config", "switch", since=(2, 2, 0)),
        _K("reload_time_file", "word", since=(2, 1, 0)),
        _K("reload_repeat", "flag", since=(2, 1, 0)),
        _K("reload_file", "word", since=(2, 2, 0)),
        _K("include_check", "words", since=(2, 2, 0)),
        _K("tmp_config_directory", "word", since=(2, 2, 0)),
        _K("config_save_dir", "word", since=(2, 2, 3)),
        _K("startup_script", "command", since=(2, 1, 0)),
        _K("startup_script_timeout", "int", 1, 1000, since=(2, 1, 0)),
        _K("shutdown_script", "command", since=(2, 1, 0)),
        _K("shutdown_script_timeout", "int", 1, 1000, since=(2, 1, 0)),
        _K("process_names", "flag", since=(2, 0, 11)),
        _K("process_name", "word", since=(2, 0, 11)),
        _K("vrrp_process_name", "word", since=(2, 0, 11)),
        _K("checker_process_name", "word", since=(2, 2, 0)),
        _K("bfd_process_name", "word", since=(2, 0, 11)),
        _K("default_interface", "word"),
        _K("dynamic_interfaces", "words"),
        _K("lvs_sync_daemon", "words"),
        _K("lvs_timeouts", "words"),
        _K("lvs_flush", "flag"),
        _K("lvs_flush_on_stop", "words", since=(2, 2, 0)),
        _K("vrrp_version", "int", 2, 3),
        _K("vrrp_mcast_group4", "word"),
        _K("vrrp_mcast_group6", "word"),
        _K("vrrp_garp_master_delay", "int", 0),
        _K("vrrp_garp_master_repeat", "int", 1),
        _K("vrrp_garp_master_refresh", "int", 0),
        _K("vrrp_garp_master_refresh_repeat", "int", 1),
        _K("vrrp_garp_lower_prio_delay", "int", 0),
        _K("vrrp_garp_lower_prio_repeat", "int", 0),
        _K("vrrp_garp_interval", "number", 0),
        _K("vrrp_gna_interval", "number", 0),
        _K("vrrp_min_garp", "switch", since=(2, 0, 11)),
        _K("vrrp_garp_extra_if", "words", since=(2, 2, 3)),
        _K("vrrp_down_timer_adverts", "int", 1, 100, since=(2, 2, 3)),
        _K("vrrp_lower_prio_no_advert", "switch"),
        _K("vrrp_higher_prio_send_advert", "switch"),
        _K("vrrp_owner_ignore_adverts", "flag", since=(2, 3, 3)),
        _K("vrrp_check_unicast_src", "flag"),
        _K("vrrp_skip_check_adv_addr", "flag"),
        _K("vrrp_strict", "flag"),
        _K("vrrp_notify_priority_changes", "switch", since=(2, 0, 12)),
        _K("vrrp_iptables", "words"),
        _K("vrrp_ipsets", "words"),
        _K("nftables", "words", since=(2, 0, 11)),
        _K("nftables_priority", "int", since=(2, 0, 11)),
        _K("nftables_counters", "flag", since=(2, 0, 11)),
        _K("nftables_ifindex", "flag", since=(2, 0, 11)),
        _K("nftables_ipvs", "words", since=(2, 2, 2)),
        _K("nftables_ipvs_priority", "int", since=(2, 2, 2)),
        _K("nftables_ipvs_start_fwmark", "int", 1, since=(2, 2, 2)),
        _K("disable_local_igmp", "flag", since=(2, 2, 0)),
        _K("max_auto_priority", "int", -1, 99, since=(2, 1, 0)),
        _K("min_auto_priority_delay", "int", 1, 10000000, since=(2, 1, 0)),
        _K("vrrp_priority", "int", -20, 19),
        _K("vrrp_no_swap", "flag"),
        _K("vrrp_rt_priority", "int", 1, 99),
        _K("vrrp_cpu_affinity", "words", since=(2, 0, 11)),
        _K("vrrp_rlimit_rttime", "int", 1, since=(2, 1, 0)),
        _K("checker_priority", "int", -20, 19),
        _K("checker_no_swap", "flag"),
        _K("checker_rt_priority", "int", 1, 99),
        _K("checker_cpu_affinity", "words", since=(2, 0, 11)),
        _K("checker_rlimit_rttime", "int", 1, since=(2, 1, 0)),
        _K("bfd_priority", "int", -20, 19),
        _K("bfd_no_swap", "flag"),
        _K("bfd_rt_priority", "int", 1, 99),
        _K("bfd_cpu_affinity", "words", since=(2, 0, 11)),
        _K("bfd_rlimit_rttime", "int", 1, since=(2, 1, 0)),
        _K("vrrp_netlink_cmd_rcv_bufs", "int", 1),
        _K("vrrp_netlink_cmd_rcv_bufs_force", "switch"),
        _K("vrrp_netlink_monitor_rcv_bufs", "int", 1),
        _K("vrrp_netlink_monitor_rcv_bufs_force", "switch"),
        _K("lvs_netlink_cmd_rcv_bufs", "int", 1),
        _K("lvs_netlink_cmd_rcv_bufs_force", "switch"),
        _K("lvs_netlink_monitor_rcv_bufs", "int", 1),
        _K("lvs_netlink_monitor_rcv_bufs_force", "switch"),
        _K("process_monitor_rcv_bufs", "int", 1, since=(2, 0, 11)),
        _K("process_monitor_rcv_bufs_force", "switch", since=(2, 0, 11)),
        _K("vrrp_rx_bufs_policy", "word"),
        _K("vrrp_rx_bufs_multiplier", "int", 1),
        _K("notify_fifo", "words"),
        _K("notify_fifo_script", "command"),
        _K("vrrp_notify_fifo", "words"),
        _K("vrrp_notify_fifo_script", "command"),
        _K("lvs_notify_fifo", "words"),
        _K("lvs_notify_fifo_script", "command"),
        _K("fifo_write_vrrp_states_on_reload", "flag", since=(2, 2, 5)),
        _K("snmp_socket", "word"),
        _K("enable_traps", "flag"),
        _K("enable_snmp_vrrp", "flag"),
        _K("enable_snmp_checker", "flag"),
        _K("enable_snmp_rfc", "flag"),
        _K("enable_snmp_rfcv2", "flag"),
        _K("enable_snmp_rfcv3", "flag"),
        _K("enable_dbus", "flag"),
        _K("dbus_service_name", "word"),
        _K("rs_init_notifies", "flag"),
        _K("umask", "word"),
        _K("vrrp_startup_delay", "number", 0, since=(2, 0, 11)),
        _K("vrrp_delay_after_boot", "number", 0, since=(2, 4, 0)),
        _K("log_unknown_vrids", "flag", since=(2, 0, 11)),
        _K("vmac_prefix", "word", since=(2, 2, 0)),
        _K("vmac_addr_prefix", "word", since=(2, 2, 0)),
        _K("random_seed", "int", 0, since=(2, 0, 11)),
        _K("data_use_instance", "switch", since=(2, 2, 3)),
        _K("json_version", "int", 1, 2, since=(2, 2, 8)),
        _K("v3_checksum_as_v2", "switch", since=(2, 2, 8)),
        _K("use_symlink_paths", "switch", since=(2, 3, 0)),
        _K("state_dump_file", "word", since=(2, 3, 3)),
        _K("stats_dump_file", "word", since=(2, 3, 3)),
        _K("json_dump_file", "word", since=(2, 3, 3)),
        _K("thread_timer_expired", "words", since=(2, 3, 2)),
        _K("dbus_no_interface_name", "flag", since=(2, 3, 0)),
        _K("snmp_vs_stats_update_interval", "number", 0, since=(2, 3, 0)),
        _K("snmp_rs_stats_update_interval", "number", 0, since=(2, 3, 0)),
    ),
    "vrrp_script": _table(
        _K("script", "command"),
        _K("interval", "number", 0.001),
        _K("timeout", "number", 0),
        _K("weight", "weight", -253, 253),
        _K("rise", "int", 1),
        _K("fall", "int", 1),
        _K("user", "words"),
        _K("init_fail", "flag"),
    ),
    "track_file": _table(
        _K("file", "word"),
        _K("weight", "weight", -254, 254),
        _K("init_file", "words"),
    ),
    "vrrp_track_process": _table(
        _K("process", "words"),
        _K("param_match", "words"),
        _K("weight", "weight", -254, 254),
        _K("quorum", "int", 1, 65535),
        _K("quorum_max", "int", 0, 65535),
        _K("delay", "number", 0.000001, 3600),
        _K("terminate_delay", "number", 0.000001, 3600),
        _K("fork_delay", "number", 0.000001, 3600),
        _K("full_command", "flag"),
    ),
    "vrrp_sync_group": _table(
        _K("group", "items"),
        *_TRACKING,
        *_NOTIFY,
        _K("global_tracking", "flag"),
        _K("sync_group_tracking_weight", "flag"),
    ),
    "vrrp_instance": _table(
        _K("state", "choice", choices=("MASTER", "BACKUP")),
        _K("interface", "word"),
        _K("vrf", "word", since=(2, 2, 5)),
        _K("use_vmac", "words"),
        _K("use_vmac_addr", "flag", since=(2, 2, 0)),
        _K("vmac_xmit_base", "flag"),
        _K("use_ipvlan", "words", since=(2, 0, 11)),
        _K("version", "int", 2, 3),
        _K("virtual_router_id", "int", 1, 255),
        _K("priority", "int", 1, 255),
        _K("advert_int", "number", 0.01, 255),
        _K("nopreempt", "flag"),
        _K("preempt", "flag"),
        _K("preempt_delay", "number", 0, 1000),
        _K("mcast_src_ip", "word"),
        _K("mcast_dst_ip", "word", since=(2, 2, 5)),
        _K("unicast_src_ip", "word"),
        _K("track_src_ip", "flag"),
        _K("unicast_peer", "items"),
        _K("unicast_fault_no_peer", "flag", since=(2, 2, 5)),
        _K("unicast_ttl", "int", 0, 255, since=(2, 1, 0)),
        _K("check_unicast_src", "switch", since=(2, 1, 0)),
        _K("old_unicast_checksum", "words"),
        _K("v3_checksum_as_v2", "switch", since=(2, 2, 8)),
        _K("authentication", "block", block="authentication"),
        _K("auth_hmac", "lines", since=(2, 4, 0)),
        _K("virtual_ipaddress", "vips"),
        _K("virtual_ipaddress_excluded", "vips"),
        _K("no_virtual_ipaddress", "flag", since=(2, 2, 8)),
        _K("promote_secondaries", "flag"),
        _K("virtual_routes", "lines"),
        _K("virtual_rules", "lines"),
        _K("accept", "flag"),
        _K("no_accept", "flag"),
        _K("skip_check_adv_addr", "switch"),
        _K("strict_mode", "switch"),
        _K("dont_track_primary", "flag"),
        *_TRACKING,
        _K("lvs_sync_daemon_interface", "word"),
        _K("garp_master_delay", "int", 0),
        _K("garp_master_repeat", "int", 1),
        _K("garp_master_refresh", "int", 0),
        _K("garp_master_refresh_repeat", "int", 1),
        _K("garp_lower_prio_delay", "int", 0),
        _K("garp_lower_prio_repeat", "int", 0),
        _K("garp_extra_if", "words", since=(2, 2, 3)),
        _K("down_timer_adverts", "int", 1, 100, since=(2, 2, 3)),
        _K("timer_expired_backup", "switch", since=(2, 2, 8)),
        _K("lower_prio_no_advert", "switch"),
        _K("higher_prio_send_advert", "switch"),
        _K("owner_ignore_adverts", "switch", since=(2, 3, 3)),
        _K("kernel_rx_buf_size", "int", 0),
        _K("debug", "int", 0, 4),
        *_NOTIFY,
        _K("notify_master_rx_lower_pri", "command"),
        _K("notify_deleted", "command", since=(2, 1, 0)),
    ),
    "authentication": _table(
        _K("auth_type", "choice", choices=("PASS", "AH")),
        _K("auth_pass", "word"),
    ),
}

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

#: The blocks that files may have and the model does not: known, and their values checked.
READ_ONLY_BLOCKS: dict[str, dict[str, Keyword]] = {
    "virtual_server": _table(
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
    "real_server": _table(
        *_SERVER,
        _K("lvs_method", "choice", choices=_METHODS, header="words"),
        _K("uthreshold", "int", 0),
        _K("lthreshold", "int", 0),
        _K("notify_up", "command"),
        _K("notify_down", "command"),
        *_CHECKS,
    ),
    "HTTP_GET": _table(*_HTTP),
    "SSL_GET": _table(*_HTTP),
    "url": _table(
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
    "TCP_CHECK": _table(*_CHECKER),
    "SMTP_CHECK": _table(*_CHECKER, _K("helo_name", "word"), _K("host", "block", block="host", many=True)),
    "host": _table(*_CHECKER),
    "DNS_CHECK": _table(*_CHECKER, _K("type", "word"), _K("name", "word")),
    "MISC_CHECK": _table(
        *_RETRIES,
        _K("log_all_failures", "switch"),
        _K("misc_path", "command"),
        _K("misc_timeout", "number", 0),
        _K("misc_dynamic", "switch"),
        _K("user", "words"),
    ),
    "PING_CHECK": _table(*_CHECKER),
    "UDP_CHECK": _table(
        *_CHECKER,
        _K("payload", "words"),
        _K("require_reply", "words"),
        _K("min_reply_length", "int", 0, 65535),
        _K("max_reply_length", "int", 0, 65535),
    ),
    "FILE_CHECK": _table(
        _K("track_file", "word"), _K("weight", "weight", -2147483647, 2147483647), _K("alpha", "switch")
    ),
    "BFD_CHECK": _table(_K("name", "word"), _K("alpha", "switch")),
    "bfd_instance": _table(
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
    "garp_group": _table(
        _K("garp_interval", "number", 0),
        _K("gna_interval", "number", 0),
        _K("interface", "word"),
        _K("interfaces", "items"),
    ),
    "track_group": _table(_K("group", "items")),
    "SSL": _table(_K("password", "word"), _K("ca", "word"), _K("certificate", "word"), _K("key", "word")),
}

#: What may stand outside all blocks.
ROOT = _table(
    _K("global_defs", "block", block="global_defs", many=True),
    *(
        _K(name, "block", block=name, header="name", many=True)
        for name in (
            "vrrp_script",
            "track_file",
            "vrrp_track_process",
            "vrrp_instance",
            "vrrp_sync_group",
            "bfd_instance",
            "track_group",
        )
    ),
    _K("virtual_server_group", "lines", header="name", many=True),
    _K("virtual_server", "block", block="virtual_server", header="words", many=True),
    _K("SSL", "block", block="SSL"),
    _K("static_ipaddress", "vips", many=True),
    _K("static_routes", "lines", many=True),
    _K("static_rules", "lines", many=True),
    _K("garp_group", "block", block="garp_group", many=True),
    _K("linkbeat_interfaces", "lines", many=True),
    _K("interface_up_down_delays", "lines", many=True),
    _K("net_namespace", "word"),
    _K("net_namespace_ipvs", "word"),
    _K("namespace_with_ipsets", "flag"),
    _K("use_pid_dir", "flag"),
    _K("instance", "word"),
    _K("child_wait_time", "int", 0),
    _K("iproute_usr_dir", "word", since=(2, 3, 2)),
    _K("iproute_etc_dir", "word", since=(2, 3, 2)),
)

#: block ('' for outside all blocks) -> old keyword -> the one that took its place, or what to do instead
DEPRECATED: dict[str, dict[str, str]] = {
    "": {"vrrp_track_file": "track_file", "linkbeat_use_polling": ""},
    "global_defs": {
        "lvs_process_name": "checker_process_name",
        "lvs_flush_onstop": "lvs_flush_on_stop",
        "vrrp_vmac_garp_intvl": "vrrp_garp_extra_if",
        "vrrp_rlimit_rtime": "vrrp_rlimit_rttime",
        "checker_rlimit_rtime": "checker_rlimit_rttime",
        "bfd_rlimit_rtime": "bfd_rlimit_rttime",
        "enable_snmp_keepalived": "enable_snmp_vrrp",
    },
    "vrrp_instance": {
        "vmac_garp_intvl": "garp_extra_if",
        "native_ipv6": "",
        "linkbeat_use_polling": "",
    },
    "HTTP_GET": {"nb_get_retry": "retry"},
    "SSL_GET": {"nb_get_retry": "retry"},
}
