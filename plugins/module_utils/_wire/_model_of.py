# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""What was heard on the wire as a model: each sender a director, with the VRRP instances that it speaks for.

The rules that compare hosts work on it as on files. A backup is silent, so a virtual router in health has one member.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.failover.vip.plugins.module_utils._model import (
    Cluster,
    Director,
    Origin,
    Vip,
    VrrpInstance,
)

#: auth_type on the wire -> in a file. keepalived's auth_hmac is no auth_type.
_AUTH = {"pass": "PASS", "ah": "AH"}


def clusters_of(
    routers: Iterable[Mapping[str, Any]], names: Mapping[str, str], instances: Mapping[tuple[str, int], str]
) -> list[Cluster]:
    """One cluster for each link and family, as these share no virtual router (RFC 9568 section 1).

    :param routers: ``routers`` as ``vrrp_advert_info`` returns them.
    :param names: address of a sender -> its host; who is not in it is called by the address.
    :param instances: (family, VRID) -> the name of the instance, where it is known.
    """
    links: dict[tuple[str, str], Cluster] = {}
    for router in routers:
        link = links.setdefault((router["interface"], router["family"]), Cluster())
        host = names.get(router["source"], router["source"])
        director = link.directors.setdefault(host, Director(host))
        director.instances.append(_instance(router, instances))
    return list(links.values())


def _instance(router: Mapping[str, Any], instances: Mapping[tuple[str, int], str]) -> VrrpInstance:
    """One sender's part of a virtual router."""
    vrid = int(router["vrid"])
    options: dict[str, Any] = {
        "interface": router["interface"],
        "virtual_router_id": vrid,
        "version": int(router["version"]),
        "priority": int(router["priority"]),
        "advert_int": float(router["advert_int"]),
        "virtual_ipaddress": [Vip(str(address)) for address in router["addresses"]],
    }
    if router["auth_type"] in _AUTH:
        options["authentication"] = {"auth_type": _AUTH[router["auth_type"]]}
    if router["transport"] == "unicast":
        options["unicast_src_ip"] = router["source"]
        options["unicast_peer"] = list(router["destinations"])
    else:
        options["mcast_dst_ip"] = router["destinations"][0]
    name = instances.get((router["family"], vrid), "VRID %d" % vrid)
    return VrrpInstance(name, options, Origin("VRRP on %s" % router["interface"]))
