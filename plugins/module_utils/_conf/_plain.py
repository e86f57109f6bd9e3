# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The model of one host as plain data for a module's result, and back.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Callable, Optional, TypeVar

from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import BadValue, Keyword
from ansible_collections.failover.vip.plugins.module_utils._conf._keywords import BLOCKS, ROOT
from ansible_collections.failover.vip.plugins.module_utils._conf._values import (
    from_yaml,
    parse_vip,
    to_yaml,
)
from ansible_collections.failover.vip.plugins.module_utils._conf._variables_lvs import (
    virtual_server_group_to_yaml,
    virtual_server_groups,
    virtual_server_to_yaml,
    virtual_servers,
)
from ansible_collections.failover.vip.plugins.module_utils._finding import Finding, did_you_mean
from ansible_collections.failover.vip.plugins.module_utils._machine_plain import machine_from_plain
from ansible_collections.failover.vip.plugins.module_utils._model import (
    HMAC_WORDS,
    NO_FINGERPRINT,
    Block,
    Director,
    Interface,
    Origin,
    SyncGroup,
    Tracked,
    VrrpInstance,
)

#: key of the plain data -> (block of keepalived.conf, attribute of the model, its class)
LISTS: Mapping[str, tuple[str, str, type[Block]]] = {
    "vrrp_instances": ("vrrp_instance", "instances", VrrpInstance),
    "vrrp_scripts": ("vrrp_script", "scripts", Tracked),
    "track_files": ("track_file", "files", Tracked),
    "track_processes": ("vrrp_track_process", "processes", Tracked),
    "vrrp_sync_groups": ("vrrp_sync_group", "sync_groups", SyncGroup),
    "bfd_instances": ("bfd_instance", "bfd_instances", Block),
}
#: key of the plain data -> (attribute of the model, what it may hold), of what a host has once
ONCE: Mapping[str, tuple[str, Mapping[str, Keyword]]] = {
    "static": ("static", {"static_ipaddress": ROOT["static_ipaddress"]}),
    "SSL": ("ssl", BLOCKS["SSL"]),
}
_Any = TypeVar("_Any", bound=Block)


#: Takes a secret, and how many of its characters count (None: all), and gives what may be shown instead.
Mask = Callable[[str, Optional[int]], str]
#: keepalived compares as many characters of auth_pass.
_PASSWORD_LENGTH = 8
#: What auth_hmac may say beside its keys; any other line may be a part of one.
_NO_KEY = re.compile(r"\s*(%s)\s+[\w-]{1,16}\s*" % "|".join(word for word in HMAC_WORDS if word != "key"))
_KEY = re.compile(r"\s*(key\s+[0-9]{1,3})\s+(.+)", re.DOTALL)


def fingerprint(secret: str, length: Optional[int], key: str) -> str:
    """What may be shown instead of a secret: a token, which with a key differs between secrets (HMAC-SHA-256).

    :param length: how many characters of the secret count; None: all.
    """
    if not key:
        return NO_FINGERPRINT
    digest = hmac.new(key.encode(), secret[:length].encode(), hashlib.sha256).hexdigest()
    return "%%%%auth_pass:%s%%%%" % digest[:32]


def _masked_lines(lines: Iterable[str], mask: Mask) -> Iterator[str]:
    """The lines of auth_hmac without its keys."""
    for line in map(str, lines):
        key = _KEY.fullmatch(line)
        if key:
            value = key[2].strip().strip('"')
            yield "%s %s" % (key[1], value if value.startswith("file:") else mask(value, None))
        elif _NO_KEY.fullmatch(line):
            yield line.strip()
        else:
            yield "key"


def _options(options: Mapping[str, Any], mask: Optional[Mask]) -> dict[str, Any]:
    found: dict[str, Any] = to_yaml(options)
    if mask and "auth_pass" in found.get("authentication", {}):
        found["authentication"] = {
            **found["authentication"],
            "auth_pass": mask(str(found["authentication"]["auth_pass"]), _PASSWORD_LENGTH),
        }
    if mask and "password" in found:
        found["password"] = mask(str(found["password"]), None)
    if mask and "auth_hmac" in found:
        found["auth_hmac"] = list(_masked_lines(found["auth_hmac"], mask))
    return found


def to_plain(director: Director, mask: Optional[Mask] = None, places: bool = False) -> dict[str, Any]:
    """One host's part under keepalived's own keywords.

    :param mask: makes of a password or key what may be shown; None: they are tokens already.
    :param places: adds to each block ``places``: keyword (``''`` for the block) to ``[file, line]``.
    """

    def block(item: Block) -> dict[str, Any]:
        found = _options(item.options, mask)
        if isinstance(item, VrrpInstance):
            found["version"] = director.version_of(item)
        if places:
            found["places"] = {name: list(origin) for name, origin in [("", item.origin), *item.places.items()]}
        return found

    found: dict[str, Any] = {"global_defs": block(director.global_defs)}
    for key, (attribute, _table) in ONCE.items():
        if getattr(director, attribute).options:
            found[key] = block(getattr(director, attribute))
    for key, (_block, attribute, _class) in LISTS.items():
        found[key] = [{"name": item.name, **block(item)} for item in getattr(director, attribute)]
    found["virtual_server_groups"] = [
        virtual_server_group_to_yaml(group, places) for group in director.virtual_server_groups
    ]
    found["virtual_servers"] = [virtual_server_to_yaml(service, places) for service in director.virtual_servers]
    return found


def _value(keyword: Keyword, value: Any) -> Any:
    """The inverse of ``to_yaml``, for values from wherever."""
    if keyword.kind == "vips" and isinstance(value, (list, tuple)):
        return [
            parse_vip({**{key: item for key, item in one.items() if key != "prefixlen"}, "address": _address(one)})
            if isinstance(one, Mapping)
            else parse_vip(one)
            for one in value
        ]
    if keyword.kind == "block":
        return _read_options(keyword.block, value)
    if keyword.kind == "words" and not value:
        return []
    return from_yaml(keyword, value)


def _address(vip: Mapping[str, Any]) -> Any:
    return "%s/%s" % (vip.get("address", ""), vip["prefixlen"]) if "prefixlen" in vip else vip.get("address", "")


def _read_options(block: str, options: Any) -> dict[str, Any]:
    if not isinstance(options, Mapping):
        raise BadValue("%s must be a mapping" % block)
    found = {}
    table = ONCE[block][1] if block in ONCE else BLOCKS[block]
    for name, value in options.items():
        keyword = table.get(name)
        if keyword is None:
            raise BadValue(("'%s' is no keyword of %s. %s" % (name, block, did_you_mean(str(name), table))).strip())
        try:
            found[name] = _value(keyword, value)
        except BadValue as reason:
            raise BadValue("'%s' of %s %s" % (name, block, reason)) from None
    return found


def _origin(place: Any) -> Origin:
    path, line = place
    return Origin(str(path), int(line))


def _block(block: str, kind: type[_Any], item: Any) -> _Any:
    if not isinstance(item, Mapping):
        raise BadValue("%s must be a mapping" % block)
    try:
        places = {str(name): _origin(place) for name, place in dict(item.get("places") or {}).items()}
    except (TypeError, ValueError):
        raise BadValue("'places' of %s must be keywords with [file, line]" % block) from None
    origin = places.pop("", Origin())
    options = {name: value for name, value in item.items() if name not in ("name", "places")}
    return kind(str(item.get("name", "")), _read_options(block, options), origin, places)


def from_plain(host: str, data: Mapping[str, Any], interfaces: Optional[dict[str, Interface]] = None) -> Director:
    """The inverse of :func:`to_plain`.

    :raises BadValue: if the data does not have that shape.
    """
    known = [*LISTS, *ONCE, "global_defs", "virtual_server_groups", "virtual_servers", "machine"]
    unknown = [key for key in data if key not in known]
    if unknown:
        raise BadValue("unknown key '%s'. %s" % (unknown[0], did_you_mean(str(unknown[0]), known)))
    director = Director(host, _block("global_defs", Block, data.get("global_defs") or {}), interfaces=interfaces)
    for key, (attribute, _table) in ONCE.items():
        setattr(director, attribute, _block(key, Block, data.get(key) or {}))
    for key, (block, attribute, kind) in LISTS.items():
        items = data.get(key) or []
        if not isinstance(items, Iterable) or isinstance(items, (str, Mapping)):
            raise BadValue("'%s' must be a list" % key)
        setattr(director, attribute, [_block(block, kind, item) for item in items])
    findings: list[Finding] = []
    director.virtual_server_groups = virtual_server_groups(
        data.get("virtual_server_groups"), findings, "virtual_server_groups", with_places=True
    )
    director.virtual_servers = virtual_servers(
        data.get("virtual_servers"), findings, "virtual_servers", with_places=True
    )
    if findings:
        raise BadValue("%s %s" % (findings[0].path, findings[0].message))
    try:
        director.machine = machine_from_plain(data.get("machine", {}))
    except ValueError as reason:
        raise BadValue(str(reason)) from None
    return director
