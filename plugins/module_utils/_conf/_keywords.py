# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The one table of keepalived's keywords: where each may stand, its type and range, since and until which version.

The checks of the inventory's variables and the writer read it; so will the parser and the linter. A keyword added
here works everywhere. Blocks and keywords stand in the order in which they are written.

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
    """One keyword of one block. ``low`` and ``high`` are inclusive; ``since`` and ``until`` are keepalived versions."""

    name: str
    kind: str
    low: Optional[float] = None
    high: Optional[float] = None
    choices: tuple[str, ...] = ()
    block: str = ""
    since: tuple[int, ...] = ()
    until: tuple[int, ...] = ()


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
        _K("process", "command"),
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
