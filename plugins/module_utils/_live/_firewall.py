# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Whether a packet filter surely drops VRRP that comes in: the rules of nftables or iptables, followed for one packet.

Three answers to each condition: it holds, it does not, or this reader cannot say (sets with names, marks, limits). Only
a packet that no such doubt could save counts as dropped.

Sources: libnftables-json(5), nft(8), iptables(8), iptables-extensions(8).

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
import json
import shlex
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Optional

#: IP protocol number of VRRP (RFC 9568 section 5.1.1.4).
VRRP = 112
_ACCEPT, _DROP, _RETURN, _DOUBT = "accept", "drop", "return", "doubt"
#: What nft calls the headers of other protocols; ``th`` is any of those with ports.
_OTHER_PROTOCOLS = ("tcp", "udp", "icmp", "icmpv6", "th", "sctp", "udplite", "dccp", "igmp")
#: Chains within chains that are followed.
_MAX_DEPTH = 32


class Packet(NamedTuple):
    """An advertisement as it comes in; ``source`` empty: not known."""

    family: int
    interface: str
    source: str
    destination: str


class Rule(NamedTuple):
    """One rule: its conditions, True, False or None (cannot say) for the packet at hand, and what it does then."""

    conditions: tuple[Optional[bool], ...]
    #: ``accept``, ``drop``, ``return``, ``doubt``, the name of a chain after ``jump `` or ``goto ``, or empty.
    verdict: str
    text: str


class Chain(NamedTuple):
    """The rules of a chain, and the policy where it is a base chain."""

    name: str
    policy: str
    rules: list[Rule]


def _follow(chains: Mapping[str, Chain], name: str, depth: int = 0) -> tuple[str, str]:
    """What becomes of the packet in a chain: the verdict, and the rule that gave it."""
    chain = chains.get(name)
    if chain is None or depth > _MAX_DEPTH:
        return _DOUBT, ""
    for rule in chain.rules:
        if False in rule.conditions or not rule.verdict:
            continue
        sure = None not in rule.conditions
        verdict, text = rule.verdict, rule.text
        if verdict.startswith(("jump ", "goto ")):
            kind, _blank, target = verdict.partition(" ")
            verdict, inner = _follow(chains, target, depth + 1)
            text = inner or text
            if verdict == _RETURN and kind == "jump":
                continue
        if verdict == _DROP and not sure:
            continue
        if not sure:
            return _DOUBT, ""
        if verdict == _RETURN:
            break
        return verdict, "%s: %s" % (chain.name, text) if verdict == _DROP and depth == 0 else text
    if chain.policy:
        return chain.policy, "%s: policy %s" % (chain.name, chain.policy)
    return _RETURN, ""


def _address_in(address: str, wanted: str) -> Optional[bool]:
    """Whether an address lies in an address, network or range as rules write it."""
    if not address:
        return None
    try:
        ip = ipaddress.ip_address(address)
        if "-" in wanted:
            low, high = (int(ipaddress.ip_address(part)) for part in wanted.split("-"))
            return low <= int(ip) <= high
        return ip in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return None


def _any(found: Iterable[Optional[bool]]) -> Optional[bool]:
    answers = list(found)
    return True if True in answers else None if None in answers else False


def _not(answer: Optional[bool]) -> Optional[bool]:
    return None if answer is None else not answer


# nftables


def _listed(right: Any) -> Optional[list[Any]]:
    """The values of a condition's right side; None: a named set, or something unheard of."""
    if isinstance(right, Mapping):
        if "set" in right and isinstance(right["set"], list):
            return [
                item["elem"]["val"] if isinstance(item, Mapping) and "elem" in item else item for item in right["set"]
            ]
        if "prefix" in right or "range" in right:
            return [right]
        return None
    if isinstance(right, list):
        return list(right)
    if isinstance(right, str) and right.startswith("@"):
        return None
    return [right]


def _text(value: Any) -> str:
    """An address, network or range as text."""
    if isinstance(value, Mapping) and "prefix" in value:
        return "%s/%s" % (value["prefix"].get("addr"), value["prefix"].get("len"))
    if isinstance(value, Mapping) and "range" in value:
        return "%s-%s" % tuple(value["range"])
    return str(value)


def _is_vrrp(value: Any) -> Optional[bool]:
    if isinstance(value, Mapping):
        low, high = value.get("range", (None, None))
        return low <= VRRP <= high if isinstance(low, int) and isinstance(high, int) else None
    return str(value) in ("vrrp", "112", "carp")


def _interface_is(name: str, wanted: Any) -> bool:
    pattern = str(wanted)
    return name.startswith(pattern[:-1]) if pattern.endswith(("*", "+")) else name == pattern


def _one(left: Any, value: Any, packet: Packet) -> Optional[bool]:
    """Whether what stands left has this value in the packet."""
    if not isinstance(left, Mapping):
        return None
    meta = (left.get("meta") or {}).get("key")
    if meta == "l4proto":
        return _is_vrrp(value)
    if meta in ("iifname", "iif"):
        return _interface_is(packet.interface, value)
    if meta == "nfproto":
        return str(value) == "ipv%d" % packet.family
    if meta == "pkttype":
        multicast = ipaddress.ip_address(packet.destination).is_multicast
        return str(value) == ("multicast" if multicast else "host")
    tracked = (left.get("ct") or {}).get("key")
    if tracked == "state":
        return str(value) == "new"
    if tracked == "status":
        # Nobody translates VRRP's addresses; the rest of what there may be is not known.
        return False if value in ("dnat", "snat") else None
    payload = left.get("payload") or {}
    protocol, field = payload.get("protocol"), payload.get("field")
    if protocol in ("ip", "ip6"):
        if protocol != ("ip6" if packet.family == 6 else "ip"):
            return False
        if field in ("protocol", "nexthdr"):
            return _is_vrrp(value)
        if field in ("saddr", "daddr"):
            return _address_in(packet.source if field == "saddr" else packet.destination, _text(value))
    return None


def _condition(match: Mapping[str, Any], packet: Packet) -> Optional[bool]:
    left = match.get("left")
    if isinstance(left, Mapping) and (left.get("payload") or {}).get("protocol") in _OTHER_PROTOCOLS:
        return False
    values = _listed(match.get("right"))
    if values is None or match.get("op") not in ("==", "!=", "in"):
        return None
    answer = _any(_one(left, value, packet) for value in values)
    return _not(answer) if match.get("op") == "!=" else answer


def _verdict(word: str, detail: Any) -> str:
    if word in (_ACCEPT, _DROP, _RETURN):
        return word
    if word == "reject":
        return _DROP
    if word in ("jump", "goto") and isinstance(detail, Mapping):
        return "%s %s" % (word, detail.get("target"))
    return ""


def _nft_rules(expressions: Iterable[Any], packet: Packet) -> list[Rule]:
    """A rule's expressions; a map of verdicts becomes one rule for each of its entries."""
    conditions: list[Optional[bool]] = []
    found: list[Rule] = []
    for expression in expressions:
        if not isinstance(expression, Mapping):
            continue
        for word, detail in expression.items():
            if word == "match":
                conditions.append(_condition(detail, packet))
            elif word == "vmap":
                data = (detail.get("data") or {}).get("set") if isinstance(detail.get("data"), Mapping) else None
                for key, verdict in data or []:
                    answer = _any(_one(detail.get("key"), value, packet) for value in _listed(key) or [None])
                    what = next((_verdict(*item) for item in verdict.items()), "")
                    found.append(Rule((*conditions, answer), what, "a map of verdicts"))
                if data is None:
                    found.append(Rule((*conditions, None), _ACCEPT, "a map of verdicts"))
            elif word in ("limit", "xt", "quota", "socket", "fib", "synproxy"):
                conditions.append(None)
            elif _verdict(word, detail):
                found.append(Rule(tuple(conditions), _verdict(word, detail), word))
    return found


def dropped_by_nft(text: str, packets: Iterable[Packet]) -> dict[str, str]:
    """Of each family ("4", "6") whose packets are surely dropped: by what. Takes ``nft -j list ruleset``.

    :raises ValueError: when the text is no such document.
    """
    document = json.loads(text)
    if not isinstance(document, Mapping) or not isinstance(document.get("nftables"), list):
        raise ValueError("it has no list of nftables")
    items = [item for item in document["nftables"] if isinstance(item, Mapping)]
    found: dict[str, str] = {}
    for packet in packets:
        families = ("inet", "ip6" if packet.family == 6 else "ip")
        chains: dict[tuple[str, str], dict[str, Chain]] = {}
        entries: list[tuple[tuple[str, str], str]] = []
        for item in items:
            chain, rule = item.get("chain"), item.get("rule")
            if isinstance(chain, Mapping) and chain.get("family") in families:
                table = (str(chain["family"]), str(chain["table"]))
                name = str(chain["name"])
                policy = str(chain.get("policy", _ACCEPT)) if chain.get("hook") else ""
                title = "table %s %s, chain %s" % (*table, name)
                chains.setdefault(table, {})[name] = Chain(title, policy, [])
                if chain.get("hook") == "input" and chain.get("type") == "filter":
                    entries.append((table, name))
            elif isinstance(rule, Mapping) and rule.get("family") in families:
                own = chains.get((str(rule["family"]), str(rule["table"])), {}).get(str(rule["chain"]))
                if own:
                    own.rules.extend(_nft_rules(rule.get("expr", []), packet))
        _judge(found, packet, ((chains[table], name) for table, name in entries))
    return found


def _judge(found: dict[str, str], packet: Packet, entries: Iterable[tuple[Mapping[str, Chain], str]]) -> None:
    """Any base chain may drop the packet, whatever the others say."""
    for chains, name in entries:
        verdict, text = _follow(chains, name)
        if verdict == _DROP:
            found.setdefault(str(packet.family), text)


# iptables


def _iptables_rule(words: list[str], packet: Packet) -> Rule:
    """One line ``-A CHAIN …`` without these two words."""
    conditions: list[Optional[bool]] = []
    verdict, invert = "", False
    index = 0
    while index < len(words):
        word = words[index]
        value = words[index + 1] if index + 1 < len(words) else ""
        index += 1
        answer: Optional[bool] = None
        if word == "!":
            invert = True
            continue
        if word in ("-j", "-g"):
            index += 1
            verdict = {"ACCEPT": _ACCEPT, "DROP": _DROP, "REJECT": _DROP, "RETURN": _RETURN}.get(value, "")
            if not verdict and value not in ("LOG", "NFLOG", "MARK", "CONNMARK", "TRACE"):
                verdict = "%s %s" % ("goto" if word == "-g" else "jump", value)
            # What a target is told is no condition.
            break
        if word in ("-m", "--comment", "--reject-with", "--log-prefix"):
            index += 1
            continue
        if word in ("-i", "-s", "-d", "-p", "--state", "--ctstate", "--src-range", "--dst-range"):
            index += 1
        if word == "-i":
            answer = _interface_is(packet.interface, value)
        elif word in ("-s", "--src-range"):
            answer = _address_in(packet.source, value)
        elif word in ("-d", "--dst-range"):
            answer = _address_in(packet.destination, value)
        elif word == "-p":
            answer = True if value == "all" else _is_vrrp(value)
        elif word in ("--state", "--ctstate"):
            answer = "NEW" in value.split(",")
        elif not word.startswith("-"):
            # The value of an option that is not known here.
            continue
        conditions.append(_not(answer) if invert else answer)
        invert = False
    return Rule(tuple(conditions), verdict, " ".join(words))


def dropped_by_iptables(text: str, packets: Iterable[Packet], family: int) -> dict[str, str]:
    """The same from ``iptables-save`` (family 4) or ``ip6tables-save`` (6); their tables ``filter`` alone count."""
    found: dict[str, str] = {}
    for packet in packets:
        if packet.family != family:
            continue
        chains: dict[str, Chain] = {}
        table = ""
        for line in text.splitlines():
            if line.startswith("*"):
                table = line[1:].strip()
            elif table != "filter" or not line.strip():
                continue
            elif line.startswith(":"):
                name, policy = line[1:].split()[:2]
                policy = {"ACCEPT": _ACCEPT, "DROP": _DROP}.get(policy, "")
                chains[name] = Chain("iptables chain %s" % name, policy, [])
            elif line.startswith("-A "):
                try:
                    _append, name, *words = shlex.split(line)
                except ValueError:
                    _append, name, *words = line.split()
                if name in chains:
                    chains[name].rules.append(_iptables_rule(words, packet))
        _judge(found, packet, [(chains, "INPUT")])
    return found
