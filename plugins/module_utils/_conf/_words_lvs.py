# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""The values of LVS from the words of a line, and back: servers, forwarding methods, lines of a group.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Union

from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import BadValue
from ansible_collections.failover.vip.plugins.module_utils._model import AddressRange, Fwmark

LVS_METHODS = ("NAT", "DR", "TUN")
_MARK = 4294967295


def address(word: str) -> str:
    """An IP address in its usual form.

    :raises BadValue: if it is none.
    """
    try:
        if "%" not in word:
            return str(ipaddress.ip_address(word))
    except ValueError:
        pass
    raise BadValue("'%s' is no IP address" % word)


def port(word: str) -> int:
    """A port number; 0 stands for none, as in keepalived's files since 2.0.7.

    :raises BadValue: if it is none.
    """
    if not (word.isascii() and word.isdigit()) or int(word[:7]) > 65535:
        raise BadValue("has the port '%s', which is no number from 1 to 65535" % word)
    return int(word[:7])


def server_from_words(words: Sequence[str]) -> tuple[str, int]:
    """``ADDRESS [PORT]`` of a virtual, real or sorry server; the port is 0 where none is written.

    :raises BadValue: with what is wrong.
    """
    if not words:
        raise BadValue("has no address")
    return address(words[0]), port(words[1]) if len(words) > 1 else 0


def server_words(address: str, port: int) -> list[str]:
    """The inverse of :func:`server_from_words`."""
    return [address, str(port)] if port else [address]


def method_from_words(words: Sequence[str]) -> str:
    """A forwarding method: ``NAT``, ``DR`` or ``TUN``, that one with the options of keepalived.conf(5), lvs_method.

    :raises BadValue: with what is wrong.
    """
    if not words:
        raise BadValue("has no value")
    method, rest = words[0], list(words[1:])
    if method not in LVS_METHODS:
        # Their spelling counts: keepalived refuses 'dr'.
        hint = ". Write '%s'." % method.upper() if method.upper() in LVS_METHODS else ""
        raise BadValue("is '%s', but must be NAT, DR or TUN%s" % (method, hint))
    if rest and method != "TUN":
        raise BadValue("has options after '%s', which only TUN takes" % method)
    options: dict[str, str] = {}
    while rest:
        word = rest.pop(0)
        if word in ("type", "port"):
            options[word] = rest.pop(0) if rest else ""
        elif word in ("nocsum", "csum", "remcsum"):
            options["checksum"] = word
        else:
            raise BadValue("has the unknown tunnel option '%s'" % word)
    kind, checksum = options.get("type", "ipip"), options.get("checksum", "nocsum")
    if kind not in ("ipip", "gue", "gre"):
        raise BadValue("has the tunnel type '%s', but keepalived knows ipip, gue and gre" % kind)
    if "port" in options and not port(options["port"] or "none"):
        raise BadValue("has the port 0")
    if (kind == "gue") != ("port" in options):
        raise BadValue("must have a port with the tunnel type gue, and none with others")
    if (kind, checksum) in (("ipip", "csum"), ("ipip", "remcsum"), ("gre", "remcsum")):
        raise BadValue("has the checksum option %s, which the tunnel type %s does not take" % (checksum, kind))
    return " ".join(words)


def _bounds(word: str) -> tuple[str, str]:
    """First and last address of one line's first word: an address, a range in one of its two forms, or a network."""
    start, slash, prefix = word.partition("/")
    if slash:
        try:
            network = ipaddress.ip_network(word)
        except ValueError:
            raise BadValue("'%s' is no network; the bits after the prefix must be 0" % word) from None
        if not prefix.isdigit() or not network.prefixlen:
            raise BadValue("'%s' has no prefix length of 1 or more" % word)
        return str(network[0]), str(network[-1])
    start, dash, end = word.partition("-")
    first = address(start)
    if not dash:
        return first, first
    separator = ":" if ":" in first else "."
    if separator not in end:
        # The short form names the last part alone: decimal in IPv4, hexadecimal in IPv6.
        head = str(ipaddress.ip_address(first).exploded).rpartition(separator)[0]
        end = head + separator + end
    last = address(end)
    if (":" in first) != (":" in last):
        raise BadValue("'%s' has ends of two families" % word)
    if ipaddress.ip_address(last).packed < ipaddress.ip_address(first).packed:
        raise BadValue("'%s' ends before it starts" % word)
    return first, last


def entry_from_words(words: Sequence[str]) -> Union[AddressRange, Fwmark]:
    """One line of a ``virtual_server_group``: ``RANGE [PORT]`` or ``fwmark NUMBER [inet|inet6]``.

    :raises BadValue: with what is wrong.
    """
    if words[0] != "fwmark":
        return AddressRange(*_bounds(words[0]), port(words[1]) if len(words) > 1 else 0)
    mark, family = (*words[1:3], "", "")[:2]
    if family not in ("", "inet", "inet6"):
        raise BadValue("has the family '%s', but must have inet, inet6 or none" % family)
    return Fwmark(fwmark(mark), family)


def fwmark(word: str) -> int:
    """A firewall mark.

    :raises BadValue: if it is none.
    """
    if not (word.isascii() and word.isdigit()) or int(word[:11]) > _MARK:
        raise BadValue("has the firewall mark '%s', which is no number from 0 to %d" % (word, _MARK))
    return int(word[:11])


def entry_words(entry: Union[AddressRange, Fwmark]) -> list[str]:
    """The words of one line of a ``virtual_server_group``; ranges in the short form, which every keepalived reads."""
    if isinstance(entry, Fwmark):
        return ["fwmark", str(entry.mark), *([entry.family] if entry.family else [])]
    separator = ":" if ":" in entry.first else "."
    first, last = (str(ipaddress.ip_address(end).exploded) for end in entry[:2])
    if entry.first == entry.last:
        written = entry.first
    elif first.rpartition(separator)[0] == last.rpartition(separator)[0]:
        written = "%s-%s" % (entry.first, last.rpartition(separator)[2].lstrip("0") or "0")
    else:
        written = "%s-%s" % (entry.first, entry.last)
    return server_words(written, entry.port)
