#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module vrrp_advert_info: see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_advert_info
short_description: Listen who speaks VRRP on the links of a host
description:
  - Listens for VRRP advertisements and tells of each router that speaks. Version 2 and 3, IPv4 and IPv6, to a group,
    to this host alone, and sent by this host itself.
  - In a healthy cluster one router speaks for each virtual router, and the others are silent. Two that speak are a
    split brain, or two clusters that took the same VRID. RV(split) has them.
  - Routers that nobody told of are in RV(strangers).
  - Needs no keepalived and disturbs none. The kernel hands over nothing but VRRP, so that a busy link does not matter.
version_added: 1.0.0
extends_documentation_fragment:
  - failover.vip._attributes
  - failover.vip._attributes.info_module
  - failover.vip._attributes.linux
  - failover.vip._attributes.action_group
options:
  interfaces:
    description:
      - The interfaces to listen on.
      - Without it, all that are up. Left out are loopback, the ports of a bridge, bond or team, and the interfaces that
        keepalived's C(use_vmac) makes, which hear what the interface below them hears.
    type: list
    elements: str
    default: []
  timeout:
    description:
      - How long to listen, in seconds. All of it is used, since silence is known only at the end.
      - Routers speak once in their advertisement interval, which is a second unless they were told otherwise. The
        default leaves time for three advertisements and a bit, so that a lost one does not hide a router. Where the
        interval is longer, so must this be.
    type: float
    default: 4.0
  max_packets:
    description:
      - After how many packets to stop early, so that a flood fills no memory. RV(complete) tells.
    type: int
    default: 10000
  known:
    description:
      - The addresses of the routers that are expected, such as a cluster's members. They are no strangers.
      - A router is known by the address it sends from. With IPv6 that is a link-local one.
      - A prefix length is allowed and ignored.
    type: list
    elements: str
    default: []
  vrids:
    description:
      - Report these virtual router IDs alone. Without it, all.
    type: list
    elements: int
    default: []
requirements:
  - iproute2 on the host (the command C(ip))
  - the capability CAP_NET_RAW, which root has
notes:
  - Unicast advertisements between other hosts cannot be heard, as a switch does not send them here.
  - Packets in a VLAN are heard on the VLAN's interface, not on the one below it.
  - For the time of listening the host joins VRRP's IPv6 group, as a switch might keep its packets away otherwise. Other
    groups (keepalived's C(vrrp_mcast_group4)) are heard where the network card lets them through, which it does where
    keepalived runs with them.
  - Passwords are seen on the wire and are in no result.
seealso:
  - module: failover.vip.vip_owner_info
author:
  - failover.vip contributors (@failover-vip)
"""

EXAMPLES = r"""
---
- name: Listen on all interfaces
  failover.vip.vrrp_advert_info:
  register: wire

- name: Refuse a VRID that somebody else uses
  failover.vip.vrrp_advert_info:
    interfaces: [eth0]
    known: [192.0.2.1, 192.0.2.2]
    vrids: [51]
  register: wire
  failed_when: wire.strangers | length > 0

- name: Wait for routers that speak every five seconds
  failover.vip.vrrp_advert_info:
    timeout: 16

- name: Stop if two routers go on speaking for one virtual router
  ansible.builtin.assert:
    that: wire.split | selectattr('at_once') | length == 0
"""

RETURN = r"""
routers:
  description:
    - Who spoke, by interface, family and VRID, first come first.
    - One entry for each sender of a virtual router. If it changes its priority meanwhile, the last word counts.
  returned: success
  type: list
  elements: dict
  contains:
    interface:
      description: Where it was heard.
      type: str
      sample: eth0
    family:
      description: V(ipv4) or V(ipv6). The two have virtual routers of their own.
      type: str
      sample: ipv4
    vrid:
      description: The virtual router's ID.
      type: int
      sample: 51
    version:
      description: Version of VRRP, 2 or 3.
      type: int
      sample: 3
    source:
      description: The address it sends from.
      type: str
      sample: 192.0.2.1
    mac:
      description: The hardware address it sends from; empty on a link without such addresses.
      type: str
      sample: 52:54:00:00:00:01
    priority:
      description: Its priority. V(0) means that it was going.
      type: int
      sample: 254
    advert_int:
      description: The advertisement interval it tells of, in seconds.
      type: float
      sample: 1.0
    addresses:
      description: The virtual addresses it tells of.
      type: list
      elements: str
      sample: [192.0.2.100]
    auth_type:
      description:
        - V(none), V(pass), V(ah) (the authentication types of version 2), V(hmac) (keepalived's C(auth_hmac)), or a
          number that has no name.
      type: str
      sample: none
    password:
      description: Whether there is a password, which version 2 sends in plain text.
      type: bool
      sample: false
    checksum:
      description:
        - V(ok), or V(bad) if one of its packets was.
        - V(ok_no_pseudo_header) is version 3 over IPv4 without a pseudo header, as RFC 9568 has it, some hardware does,
          and keepalived does with C(v3_checksum_as_v2). Routers that do it in different ways do not hear each other.
        - V(ok_old_unicast) is what keepalived to 1.3.6 made of unicast in version 3, and later ones with
          C(old_unicast_checksum).
      type: str
      sample: ok
    ttl:
      description:
        - Time to live (hop limit) as it came. With multicast it must be 255, as a packet that came through a router is
          refused.
      type: int
      sample: 255
    transport:
      description: V(multicast) or V(unicast).
      type: str
      sample: unicast
    destinations:
      description: The addresses it sends to. Those of other hosts are seen only if this host is the sender.
      type: list
      elements: str
      sample: [192.0.2.2]
    packets:
      description: How many of its packets were heard.
      type: int
      sample: 4
    first_ms:
      description: Milliseconds from the start to the first of them.
      type: float
      sample: 310.442
    last_ms:
      description: Milliseconds from the start to the last of them.
      type: float
      sample: 3310.871
    own:
      description: Whether this host is the sender.
      type: bool
      sample: false
    stranger:
      description: Whether it is neither this host nor one of O(known).
      type: bool
      sample: false
strangers:
  description: Those of RV(routers) that are strangers.
  returned: success
  type: list
  elements: dict
  sample: []
split:
  description: The virtual routers for which more than one router spoke.
  returned: success
  type: list
  elements: dict
  contains:
    interface:
      description: Where they were heard.
      type: str
      sample: eth0
    family:
      description: V(ipv4) or V(ipv6).
      type: str
      sample: ipv4
    vrid:
      description: The virtual router's ID.
      type: int
      sample: 51
    senders:
      description: The addresses they send from.
      type: list
      elements: str
      sample: [192.0.2.1, 192.0.2.2]
    at_once:
      description:
        - Whether one spoke before and after another did, so that both have the addresses.
        - If not, one handed over to the other, or too few packets were heard to tell.
      type: bool
      sample: true
undecoded:
  description: Packets of VRRP's protocol number that are no advertisement.
  returned: success
  type: list
  elements: dict
  contains:
    interface:
      description: Where they were heard.
      type: str
      sample: eth0
    mac:
      description: The hardware address they came from.
      type: str
      sample: 52:54:00:00:00:03
    source:
      description: The address they came from; empty if that could not be read either.
      type: str
      sample: 192.0.2.3
    reason:
      description: Why they are none.
      type: str
      sample: VRRP version 4, which is not known
    packets:
      description: How many of them were heard.
      type: int
      sample: 4
interfaces:
  description: The interfaces that were listened on.
  returned: success
  type: list
  elements: str
  sample: [eth0]
packets:
  description: How many packets were heard.
  returned: success
  type: int
  sample: 4
complete:
  description: Whether all of O(timeout) was used, V(false) when O(max_packets) came before its end.
  returned: success
  type: bool
  sample: true
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.failover.vip.plugins.module_utils._wire._listen import (
    ListenError,
    collect,
    interfaces_of,
    opened,
    parse_known,
    report,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "interfaces": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "float", "default": 4.0},
            "max_packets": {"type": "int", "default": 10000},
            "known": {"type": "list", "elements": "str", "default": []},
            "vrids": {"type": "list", "elements": "int", "default": []},
        },
        supports_check_mode=True,
    )
    timeout, max_packets, vrids = (module.params[name] for name in ("timeout", "max_packets", "vrids"))
    if not 0.01 <= timeout <= 3600 or not 1 <= max_packets <= 1_000_000:
        module.fail_json(msg="timeout must be 0.01 to 3600 seconds, and max_packets 1 to 1000000")
    wrong = [vrid for vrid in vrids if not 1 <= vrid <= 255]
    if wrong:
        module.fail_json(msg=f"vrids has {wrong[0]}, but a VRID is from 1 to 255")
    ip = module.get_bin_path("ip", required=True, opt_dirs=["/sbin", "/usr/sbin"])
    _rc, links, _err = module.run_command(
        [ip, "-j", "-d", "link", "show"], check_rc=True, environ_update={"LC_ALL": "C"}
    )
    try:
        known = parse_known(module.params["known"])
        interfaces = interfaces_of(links, module.params["interfaces"])
        with opened(interfaces) as receive:
            heard = collect(receive, timeout, max_packets)
        module.exit_json(changed=False, interfaces=interfaces, **report(heard, known, vrids))
    except ListenError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
