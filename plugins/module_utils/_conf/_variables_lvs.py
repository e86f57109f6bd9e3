# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Virtual servers and their groups as YAML, read into the model, and the model as YAML again.

The same form serves the inventory's variables and the results of modules: keepalived's own keywords, the head of a
block as ``address`` and ``port`` (or ``fwmark``, or ``group``), the blocks in it as lists. The results add ``places``,
each keyword (``''`` for the block) to ``[file, line]``.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import BadValue
from ansible_collections.failover.vip.plugins.module_utils._conf._keywords_lvs import CHECKS
from ansible_collections.failover.vip.plugins.module_utils._conf._read_lvs import place_sorry_server, service_from_words
from ansible_collections.failover.vip.plugins.module_utils._conf._values import normalise, to_yaml
from ansible_collections.failover.vip.plugins.module_utils._conf._words_lvs import (
    entry_from_words,
    entry_words,
    server_from_words,
    server_words,
)
from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, Finding, did_you_mean
from ansible_collections.failover.vip.plugins.module_utils._model import (
    AddressRange,
    Block,
    Origin,
    RealServer,
    VirtualServer,
    VirtualServerGroup,
)

#: Keys that are no keywords of the block.
_HEAD = ("address", "port", "fwmark", "group")
_PLACES = "places"
_NAME = re.compile(r'[^\s"{}#!]+')


class _Source:
    """One run over a variable; ``with_places``: the data may say where it comes from."""

    def __init__(self, findings: list[Finding], with_places: bool) -> None:
        self.findings = findings
        self.with_places = with_places
        self.instance = ""

    def bad(self, place: str, message: str, hint: str = "", rule: str = "KH042") -> None:
        self.findings.append(Finding(rule, ERROR, message, hint, path=place, instance=self.instance))

    def items(self, value: Any, variable: str, wanted: str) -> list[tuple[str, Mapping[str, Any]]]:
        """The mappings in a list, each with its place."""
        if not isinstance(value, Sequence) or isinstance(value, str):
            self.bad(variable, "must be a list of mappings, each with %s" % wanted)
            return []
        found = []
        for index, item in enumerate(value):
            place = "%s[%d]" % (variable, index)
            if isinstance(item, Mapping):
                found.append((place, item))
            else:
                self.bad(place, "must be a mapping with %s" % wanted)
        return found

    def fill(self, block: Block, keywords: str, item: Mapping[str, Any], place: str, own: Sequence[str]) -> None:
        """Give a block the options and the places of a mapping, without its keys *own*."""
        skipped = (*own, _PLACES) if self.with_places else tuple(own)
        block.options, more = normalise(keywords, item, place, skipped, instance=self.instance)
        self.findings += more
        self.locate(block, item, place)

    def locate(self, block: Block, item: Mapping[str, Any], place: str) -> None:
        """Give a block its places: those that the data names, else those of the variable."""
        block.origin = Origin(place)
        block.places = {key: Origin("%s.%s" % (place, key)) for key in block.options}
        if not self.with_places or item.get(_PLACES) is None:
            return
        try:
            block.places = {str(key): Origin(str(path), int(line)) for key, (path, line) in item[_PLACES].items()}
        except (AttributeError, TypeError, ValueError):
            self.bad(place + "." + _PLACES, "must be keywords with [file, line]")
        block.origin = block.places.pop("", Origin())


def _words(value: Any) -> list[str]:
    """The words of one line that is written as such, or as a mapping with ``address`` and ``port``."""
    given = [value.get(key) for key in ("address", "port")] if isinstance(value, Mapping) else [value]
    if any(isinstance(word, bool) or not isinstance(word, (str, int, type(None))) for word in given):
        raise BadValue("must be a string, or a mapping with address and port")
    return " ".join(str(word) for word in given if word is not None).split()


def _service(item: Mapping[str, Any], any_name: bool) -> VirtualServer:
    """The head of one virtual server.

    :param any_name: whether the group may have a name that only a file can hold.
    :raises BadValue: with what is wrong.
    """
    kinds = [key for key in ("address", "fwmark", "group") if item.get(key) is not None]
    if len(kinds) != 1:
        found = " and ".join("'%s'" % kind for kind in kinds) or "none"
        raise BadValue("must have one of 'address', 'fwmark' and 'group', and has %s" % found)
    if kinds[0] == "address":
        return service_from_words(_words(item)[:2])
    if item.get("port") is not None:
        raise BadValue("has a 'port', which only an 'address' takes")
    if any_name and kinds[0] == "group":
        return service_from_words(["group", str(item["group"])])
    words = _words(item[kinds[0]])
    if len(words) != 1:
        raise BadValue("must have one word as its '%s'" % kinds[0])
    return service_from_words([kinds[0], *words])


def _real_server(source: _Source, item: Mapping[str, Any], place: str) -> Optional[RealServer]:
    """One real server; None if its address is none."""
    server = RealServer()
    try:
        server.address, server.port = server_from_words(_words(item)[:2])
    except BadValue as reason:
        source.bad(place, "a real server %s" % reason, "Write 'address' and 'port'.")
    # A check without keywords of its own may be written with nothing behind it.
    given = {key: True if key in CHECKS and value is None else value for key, value in item.items()}
    checks: list[tuple[str, str, Any]] = []
    for kind in CHECKS:
        value = given.pop(kind, False)
        if isinstance(value, (list, tuple)):
            checks += [(kind, "%s.%s[%d]" % (place, kind, index), check) for index, check in enumerate(value)]
        elif value is not False:
            checks.append((kind, "%s.%s" % (place, kind), value))
    source.fill(server, "real_server", given, place, _HEAD[:2])
    for kind, where, check in checks:
        if check is not True and not isinstance(check, Mapping):
            source.bad(where, "'%s' must be a mapping of the keywords of its block" % kind)
            continue
        server.checks.append(Block(kind))
        source.fill(server.checks[-1], kind, {} if check is True else check, where, ())
    server.name = " ".join(server_words(server.address, server.port))
    return server if server.address else None


def virtual_servers(
    value: Any, findings: list[Finding], variable: str = "keepalived_virtual_servers", with_places: bool = False
) -> list[VirtualServer]:
    """Virtual servers from YAML.

    :param value: a list of mappings: ``address`` and ``port``, or ``fwmark``, or ``group``; the keywords of
        ``virtual_server``; ``real_servers``, each with ``address``, ``port``, its keywords and its checks, these as a
        mapping, a list of mappings, or true where a check has no keywords; ``sorry_server`` as one line or a mapping.
    :param findings: what is wrong is added to it (KH034 unknown keyword, KH042 bad value).
    :param variable: its name, for the findings.
    :param with_places: whether the mappings may hold ``places``.
    """
    source = _Source(findings, with_places)
    found: list[VirtualServer] = []
    for place, item in source.items(value or [], variable, "an 'address', a 'fwmark' or a 'group'"):
        source.instance = ""
        service = VirtualServer()
        try:
            service = _service(item, with_places)
        except BadValue as reason:
            source.bad(place, "a virtual server %s" % reason)
        source.instance = service.name
        given = dict(item)
        if "real_server" in given:
            source.bad(place + ".real_server", "'real_server' is no key here", "Did you mean 'real_servers'?", "KH034")
            del given["real_server"]
        source.fill(service, "virtual_server", given, place, (*_HEAD, "real_servers"))
        place_sorry_server(service, service.options)
        servers = source.items(item.get("real_servers") or [], place + ".real_servers", "an 'address'")
        service.real_servers = [server for server in (_real_server(source, one, at) for at, one in servers) if server]
        if service.name:
            found.append(service)
    return found


def virtual_server_groups(
    value: Any, findings: list[Finding], variable: str = "keepalived_virtual_server_groups", with_places: bool = False
) -> list[VirtualServerGroup]:
    """Groups from YAML: a list of mappings with ``name``, ``addresses`` and ``fwmarks``.

    :param value: ``addresses`` are keepalived's own lines (``192.0.2.10-20 80``) or mappings with ``address`` and
        ``port``; ``fwmarks`` are numbers, or lines as ``7 inet6``.
    :param findings: what is wrong is added to it.
    :param variable: its name, for the findings.
    :param with_places: whether the mappings may hold ``places``.
    """
    source = _Source(findings, with_places)
    found: list[VirtualServerGroup] = []
    keys = ("name", "addresses", "fwmarks", *([_PLACES] if with_places else []))
    for place, item in source.items(value or [], variable, "a 'name'"):
        name = item.get("name")
        if not isinstance(name, str) or not (with_places or _NAME.fullmatch(name)):
            source.bad(place + ".name", "must be one word: %r" % (name,))
            continue
        source.instance = "group " + name
        for key in item:
            if key not in keys:
                source.bad(
                    "%s.%s" % (place, key), "'%s' is no key of a group" % key, did_you_mean(str(key), keys), "KH034"
                )
        group = VirtualServerGroup(name)
        source.locate(group, item, place)
        for key in ("addresses", "fwmarks"):
            lines = item.get(key) or []
            if not isinstance(lines, Sequence) or isinstance(lines, str):
                source.bad("%s.%s" % (place, key), "'%s' must be a list" % key)
                continue
            for index, line in enumerate(lines):
                try:
                    words = _words(line)
                    entry = entry_from_words(["fwmark", *words] if key == "fwmarks" else words or [""])
                    if isinstance(entry, AddressRange) == (key == "fwmarks"):
                        raise BadValue("holds a firewall mark; write it among 'fwmarks'")
                except BadValue as reason:
                    source.bad("%s.%s[%d]" % (place, key, index), "'%s' %s" % (key, reason))
                    continue
                if isinstance(entry, AddressRange):
                    group.addresses.append(entry)
                else:
                    group.fwmarks.append(entry)
        found.append(group)
    return found


def _places(block: Block, wanted: bool) -> dict[str, Any]:
    if not wanted:
        return {}
    return {_PLACES: {name: list(origin) for name, origin in [("", block.origin), *block.places.items()]}}


def _yaml(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as YAML; a keyword that may have words and has none is true."""
    return {key: True if value == [] else to_yaml(value) for key, value in options.items()}


def _server_to_yaml(server: RealServer, places: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"address": server.address}
    if server.port:
        found["port"] = server.port
    found.update(_yaml(server.options))
    for check in server.checks:
        found.setdefault(check.name, []).append({**_yaml(check.options), **_places(check, places)})
    return {**found, **_places(server, places)}


def virtual_server_to_yaml(service: VirtualServer, places: bool = False) -> dict[str, Any]:
    """The inverse of :func:`virtual_servers`, for one of them."""
    found: dict[str, Any] = {}
    if service.address:
        found = {"address": service.address, **({"port": service.port} if service.port else {})}
    elif service.group:
        found["group"] = service.group
    else:
        found["fwmark"] = service.fwmark
    found.update(_yaml(service.options))
    if service.sorry_server:
        found["sorry_server"] = service.sorry_server.name
    found["real_servers"] = [_server_to_yaml(server, places) for server in service.real_servers]
    return {**found, **_places(service, places)}


def virtual_server_group_to_yaml(group: VirtualServerGroup, places: bool = False) -> dict[str, Any]:
    """The inverse of :func:`virtual_server_groups`, for one of them."""
    return {
        "name": group.name,
        "addresses": [" ".join(entry_words(entry)) for entry in group.addresses],
        "fwmarks": ["%d %s" % mark if mark.family else mark.mark for mark in group.fwmarks],
        **_places(group, places),
    }
