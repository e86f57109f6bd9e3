# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The model as keepalived.conf: which files, and what stands in them.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Union

from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import Keyword
from ansible_collections.failover.vip.plugins.module_utils._conf._keywords import BLOCKS, ROOT
from ansible_collections.failover.vip.plugins.module_utils._conf._tree import Node, quoted, text
from ansible_collections.failover.vip.plugins.module_utils._conf._values import track_words, vip_words
from ansible_collections.failover.vip.plugins.module_utils._conf._words_lvs import entry_words
from ansible_collections.failover.vip.plugins.module_utils._model import (
    AddressRange,
    Block,
    Director,
    Fwmark,
    VirtualServer,
    VirtualServerGroup,
)

HEADER = "# Managed by Ansible, collection failover.vip: what is changed here by hand is lost at the next run.\n\n"


class ConfFile(NamedTuple):
    """One file of the tree; ``path`` is relative to keepalived's directory."""

    path: str
    content: str


def _item_nodes(keyword: Keyword, value: Any) -> tuple[Node, ...]:
    """The lines inside a keyword that is written as a block."""
    if keyword.kind == "vips":
        return tuple(Node(tuple(vip_words(vip))) for vip in value)
    if keyword.kind == "tracks":
        return tuple(Node(tuple(track_words(track))) for track in value)
    if keyword.kind == "block":
        return tuple(option_nodes(keyword.block, value))
    return tuple(Node((str(item),)) for item in value)


def _number(value: float) -> str:
    """Without an exponent, which keepalived does not read; microseconds are its finest unit."""
    return ("%.6f" % value).rstrip("0").rstrip(".")


def option_nodes(block: str, options: Mapping[str, Any]) -> Iterable[Node]:
    """The keywords of a block as nodes, in the table's order."""
    for name, keyword in BLOCKS[block].items():
        if name not in options:
            continue
        value = options[name]
        if keyword.kind == "flag":
            if value:
                yield Node((name,))
        elif keyword.kind == "switch":
            yield Node((name,) if value else (name, "false"))
        elif keyword.kind == "number":
            yield Node((name, _number(value)))
        elif keyword.kind == "command":
            yield Node((name, quoted(value)))
        elif keyword.kind == "words":
            yield Node((name, *value))
        elif keyword.kind in ("server", "method"):
            yield Node((name, *value.split()))
        elif keyword.kind == "weight":
            yield Node((name, *track_words(value)[2:]))
        elif keyword.kind == "block" and keyword.many:
            yield from (Node((name,), tuple(option_nodes(keyword.block, inner))) for inner in value)
        elif keyword.kind in ("items", "vips", "tracks", "lines", "block"):
            if value:
                yield Node((name,), _item_nodes(keyword, value))
        else:
            yield Node((name, str(value)))


def block_node(block: str, item: Block) -> Node:
    """One named block."""
    words = (block, item.name) if item.name else (block,)
    return Node(words, tuple(option_nodes(block, item.options)), item.origin)


def _virtual_server_node(service: VirtualServer) -> Node:
    """One virtual server; its sorry server comes before what is said of it."""
    sorry = {"sorry_server": service.sorry_server.name} if service.sorry_server else {}
    children = list(option_nodes("virtual_server", {**service.options, **sorry}))
    for server in service.real_servers:
        inner = list(option_nodes("real_server", server.options))
        inner += [Node((check.name,), tuple(option_nodes(check.name, check.options))) for check in server.checks]
        children.append(Node(("real_server", *server.name.split()), tuple(inner), server.origin))
    head = ("group", service.group) if service.group else service.name.split()
    return Node(("virtual_server", *head), tuple(children), service.origin)


def _group_node(group: VirtualServerGroup) -> Node:
    """One group: a line for each range and each firewall mark."""
    entries: list[Union[AddressRange, Fwmark]] = [*group.addresses, *group.fwmarks]
    lines = [Node(tuple(entry_words(entry))) for entry in entries]
    return Node(("virtual_server_group", group.name), tuple(lines), group.origin)


def file_name(number: int, block: str, name: str = "") -> str:
    """``conf.d/NN-block[-name].conf`` with only letters that no shell and no glob stumbles over."""
    tail = "-" + re.sub(r"[^A-Za-z0-9_.-]", "_", name) if name else ""
    return "conf.d/%02d-%s%s.conf" % (number, block, tail)


def files(director: Director, conf_dir: str) -> list[ConfFile]:
    """The tree of one host: the main file with global_defs and the include, and one fragment per concern.

    What is tracked is defined before the instances, and the instances before their groups: keepalived 2.2.7 drops
    a sync group's track_script whose definition comes later. The checks of real servers too know only the files and
    BFD instances above them.

    :param conf_dir: where the tree will stand, for the absolute include.
    """
    head = [block_node("global_defs", director.global_defs)]
    head += [block_node("SSL", director.ssl)] if director.ssl.options else []
    if director.static_vips:
        head.append(Node(("static_ipaddress",), _item_nodes(ROOT["static_ipaddress"], director.static_vips)))
    main = "\n".join(text([node]) for node in head)
    tree = [ConfFile("keepalived.conf", HEADER + main + "\ninclude %s/conf.d/*.conf\n" % conf_dir.rstrip("/"))]
    tracked = [block_node("vrrp_script", script) for script in director.scripts]
    tracked += [block_node("track_file", file) for file in director.files]
    tracked += [block_node("vrrp_track_process", process) for process in director.processes]
    tracked += [block_node("bfd_instance", instance) for instance in director.bfd_instances]
    if tracked:
        tree.append(ConfFile(file_name(10, "tracking"), HEADER + "\n".join(text([node]) for node in tracked)))
    for instance in director.instances:
        node = block_node("vrrp_instance", instance)
        tree.append(ConfFile(file_name(20, "vrrp_instance", instance.name), HEADER + text([node])))
    if director.sync_groups:
        groups = [block_node("vrrp_sync_group", group) for group in director.sync_groups]
        tree.append(ConfFile(file_name(30, "vrrp_sync_group"), HEADER + "\n".join(text([node]) for node in groups)))
    services = [_group_node(group) for group in director.virtual_server_groups]
    services += [_virtual_server_node(service) for service in director.virtual_servers]
    if services:
        tree.append(ConfFile(file_name(40, "virtual_server"), HEADER + "\n".join(text([node]) for node in services)))
    return tree
