# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Rules about global_defs: mail, announcements, reload.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, INFO, WARNING
from ansible_collections.failover.vip.plugins.module_utils._model import Block, Director
from ansible_collections.failover.vip.plugins.module_utils._rules._fault import Fault, config_test_ends_itself, fault
from ansible_collections.failover.vip.plugins.module_utils._rules._rule import MAN, host_rule


@host_rule(
    "KH030",
    ERROR,
    "mail that is never sent",
    "Set notification_email, notification_email_from and smtp_server in global_defs, or drop smtp_alert.",
    MAN + ", smtp_alert",
)
def mail_without_address(director: Director) -> Iterator[Fault]:
    """keepalived sends a mail only if it knows at least one recipient and a server, and says nothing when it does not.

    Without a sender it makes one up from its own name and the host's, which most mail servers refuse. Nobody notices
    before the failover that should have been reported.
    """
    options = director.global_defs.options
    wanting: list[Block] = [
        block for block in [*director.instances, *director.sync_groups] if block.options.get("smtp_alert")
    ]
    place = director.global_defs
    keyword = next((word for word in ("smtp_alert", "smtp_alert_vrrp", "smtp_alert_checker") if options.get(word)), "")
    if not keyword and wanting:
        place, keyword = wanting[0], "smtp_alert"
    if not keyword:
        return
    missing = [word for word in ("notification_email", "smtp_server") if not options.get(word)]
    instance = place.name if place in director.instances else ""
    if missing:
        yield Fault(
            "%s without %s: no mail is ever sent" % (keyword, " and ".join(missing)),
            director.host,
            instance,
            place.place(keyword),
        )
    elif not options.get("notification_email_from"):
        yield Fault(
            "%s without notification_email_from: the mails come from an address that keepalived makes up" % keyword,
            director.host,
            instance,
            place.place(keyword),
            severity=WARNING,
        )


@host_rule(
    "KH039",
    INFO,
    "nobody is told again where the VIP is",
    "Set vrrp_higher_prio_send_advert, or vrrp_garp_master_refresh 60, in global_defs.",
    MAN + ", vrrp_garp_master_refresh",
)
def no_second_announcement(director: Director) -> Iterator[Fault]:
    """A new master announces its VIP by gratuitous ARP, twice, and then never again.

    After a split brain both directors have done so, and the network keeps the MAC of the one that spoke last, even if
    it has lost: clients then send to a host without the VIP until their ARP entries expire. A refresh mends that, and
    so does the loser's last advertisement (vrrp_higher_prio_send_advert), unless vrrp_garp_lower_prio_repeat 0 forbids
    the winner to answer it.
    """
    options = director.global_defs.options
    for instance in director.instances:
        own = instance.options
        if own.get("garp_master_refresh", options.get("vrrp_garp_master_refresh", 0)):
            continue
        silent = own.get("garp_lower_prio_repeat", options.get("vrrp_garp_lower_prio_repeat", 1)) == 0
        tells = own.get("higher_prio_send_advert", options.get("vrrp_higher_prio_send_advert", False))
        # Advice for a host that is looked at as a whole: a file alone is not blamed for keepalived's own defaults.
        if silent or (not tells and "running" in director.machine.facts):
            keyword = "garp_lower_prio_repeat" if silent else ""
            yield fault(
                director,
                instance,
                "after a split brain clients keep the MAC of whichever director spoke last: there is no %s"
                % ("gratuitous ARP for a lower priority" if silent else "refresh and no advertisement of the loser"),
                keyword,
            )
            return


@host_rule(
    "KH040",
    WARNING,
    "reload_check_config is off",
    "Set reload_check_config in global_defs.",
    MAN + ", reload_check_config",
)
def reload_unchecked(director: Director) -> Iterator[Fault]:
    """On a reload keepalived first lets go of the old configuration, and a broken new one then ends it.

    The director is out, with its VIPs possibly left behind. With reload_check_config it tests the files first and
    keeps the old configuration. Silent where keepalived is older than 2.2.0, which does not know the keyword, and from
    2.2.5 to 2.2.7 with scripts of another user than root, whose test always ends itself (KE005).
    """
    release = director.machine.release
    if release is None or release < (2, 2, 0) or director.global_defs.options.get("reload_check_config"):
        return
    if config_test_ends_itself(director):
        return
    yield Fault(
        "reload_check_config is not set: a mistake in the files ends keepalived at the next reload",
        director.host,
        origin=director.global_defs.place("reload_check_config"),
    )


@host_rule(
    "KH048",
    ERROR,
    "smtp_server that is no host",
    "Set the address of the mail server, as 127.0.0.1 for one on this host.",
    MAN + ", smtp_server",
)
def smtp_server_that_is_none(director: Director) -> Iterator[Fault]:
    """An unspecified, multicast or reserved address, or the loopback network's own, accepts no connection.

    keepalived tries in vain at each change of state, and the operator learns nothing of the failover.
    """
    server = (director.global_defs.options.get("smtp_server") or [""])[0]
    try:
        address = ipaddress.ip_address(server)
    except ValueError:
        return  # A name: what it stands for is the resolver's matter.
    if (
        address.is_unspecified
        or address.is_multicast
        or address.is_reserved
        or address == ipaddress.ip_address("127.0.0.0")
    ):
        yield Fault(
            "smtp_server %s is no host's address: no mail is ever delivered" % server,
            director.host,
            origin=director.global_defs.place("smtp_server"),
        )
