# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Values of keywords: from YAML to what the model holds, and from there to the words of a line.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Optional, cast

from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import BadValue, Keyword
from ansible_collections.failover.vip.plugins.module_utils._conf._keywords import BLOCKS
from ansible_collections.failover.vip.plugins.module_utils._conf._words_lvs import (
    address,
    method_from_words,
    server_from_words,
    server_words,
)
from ansible_collections.failover.vip.plugins.module_utils._finding import ERROR, Finding, did_you_mean
from ansible_collections.failover.vip.plugins.module_utils._model import Track, Vip

#: A place among the variables of the inventory.
Place = str

_VIP_KEYS = ("address", "dev", "label", "scope", "brd", "peer")
_VIP_FLAGS = ("home", "-nodad", "mngtmpaddr", "noprefixroute", "autojoin", "no_track", "use_vmac")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _words(value: Any) -> list[str]:
    """Words of a value that is written on one line."""
    words = [_word(item) for item in value] if isinstance(value, (list, tuple)) else _word(value).split()
    if not words:
        raise BadValue("must not be empty")
    return words


def _word(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise BadValue("must be a string, not %s" % type(value).__name__)
    text = str(value)
    if _CONTROL.search(text) or '"' in text:
        raise BadValue("must not contain line breaks, control characters or double quotes")
    if not text.strip():
        raise BadValue("must not be empty")
    return text


def _number(keyword: Keyword, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise BadValue("must be a number, not %s" % type(value).__name__)
    try:
        number = float(value)
    except ValueError:
        raise BadValue("must be a number, not '%s'" % value) from None
    if not math.isfinite(number):
        raise BadValue("must be a finite number")
    if keyword.kind != "number" and number != int(number):
        raise BadValue("must be a whole number, not %s" % value)
    if (keyword.low is not None and number < keyword.low) or (keyword.high is not None and number > keyword.high):
        low = "" if keyword.low is None else _plainly(keyword.low)
        high = "" if keyword.high is None else _plainly(keyword.high)
        bounds = (
            "from %s to %s" % (low, high) if low and high else ("at least %s" % low if low else "at most %s" % high)
        )
        raise BadValue("is %s, but must be %s" % (value, bounds))
    return number if keyword.kind == "number" else int(number)


def _plainly(number: float) -> str:
    """A number without an exponent, to the microsecond."""
    return ("%.6f" % number).rstrip("0").rstrip(".")


def number_from_word(keyword: Keyword, word: str) -> float:
    """A number as keepalived reads it: decimal, without an exponent.

    :raises BadValue: with what the keyword takes.
    """
    if not _NUMBER.match(word):
        raise BadValue("must be a %s, not '%s'" % ("number" if keyword.kind == "number" else "whole number", word))
    return _number(keyword, word[:40])


def shaped(keyword: Keyword, word: str) -> str:
    """The word, if it has the keyword's pattern.

    :raises BadValue: with what it must be.
    """
    if keyword.pattern and not re.fullmatch(keyword.pattern, word):
        raise BadValue("is '%s', but must be %s" % (word, keyword.shape))
    return word


def choice(keyword: Keyword, word: Any) -> str:
    """One of the keyword's choices, as the table spells it.

    :raises BadValue: with what it must be.
    """
    for known in keyword.choices:
        if word == known or (keyword.fold and str(word).upper() == known):
            return known
    hint = did_you_mean(str(word), keyword.choices) if len(keyword.choices) > 2 else ""
    raise BadValue(("is '%s', but must be %s. %s" % (word, " or ".join(keyword.choices), hint)).strip())


def _server(value: Any) -> str:
    """A server as keepalived's own line, or a mapping with ``address`` and ``port``."""
    if isinstance(value, Mapping):
        unknown = [key for key in value if key not in ("address", "port")]
        if unknown:
            raise BadValue(
                "has the unknown key '%s'. %s" % (unknown[0], did_you_mean(str(unknown[0]), ("address", "port")))
            )
        words = [_word(value[key]) for key in ("address", "port") if value.get(key) is not None]
    else:
        words = _words(value)
    return " ".join(server_words(*server_from_words(words)))


def _switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise BadValue("must be true or false, not '%s'" % (value,))


def parse_vip(value: Any) -> Vip:
    """One address of ``virtual_ipaddress``: keepalived's own line as a string, or a mapping with its words as keys.

    :raises BadValue: with what is wrong.
    """
    if isinstance(value, Mapping):
        options = dict(value)
        unknown = [key for key in options if key not in _VIP_KEYS and key not in ("prefix", "flags")]
        if unknown:
            raise BadValue(
                (
                    "has the unknown key '%s'. %s" % (unknown[0], did_you_mean(str(unknown[0]), (*_VIP_KEYS, "flags")))
                ).strip()
            )
        if "address" not in options:
            raise BadValue("has no 'address'")
        words = _words(options.pop("address"))
        for key, item in options.items():
            if key == "flags":
                words += _words(item)
            elif item not in (None, ""):
                words += [str(key), _word(item)]
    else:
        words = _words(value)
    return vip_from_words(words)


def vip_from_words(words: Sequence[str]) -> Vip:
    """One line of ``virtual_ipaddress`` from its words (keepalived.conf(5), virtual_ipaddress).

    :raises BadValue: with what is wrong.
    """
    address, slash, prefix = words[0].partition("/")
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        raise BadValue("'%s' is no IP address" % words[0]) from None
    prefixlen: Optional[int] = None
    if slash:
        if not prefix.isdigit() or int(prefix) > ip.max_prefixlen:
            raise BadValue("'%s' has no valid prefix length (0 to %d)" % (words[0], ip.max_prefixlen))
        prefixlen = int(prefix)
    named: dict[str, str] = {}
    flags: list[str] = []
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        if word in _VIP_FLAGS:
            flags.append(word)
        elif (word in _VIP_KEYS and word != "address") or word in ("preferred_lft", "track_group", "broadcast"):
            if not rest:
                raise BadValue("'%s' has no value" % word)
            argument = rest.pop(0)
            if word in ("preferred_lft", "track_group"):
                flags += [word, argument]
            else:
                named["brd" if word == "broadcast" else word] = argument
        else:
            raise BadValue(
                ("has the unknown word '%s'. %s" % (word, did_you_mean(word, _VIP_KEYS + _VIP_FLAGS))).strip()
            )
    return Vip(str(ip), prefixlen, flags=tuple(flags), **named)


def vip_words(vip: Vip) -> list[str]:
    """The words of one line of ``virtual_ipaddress``."""
    words = [vip.address if vip.prefixlen is None else "%s/%d" % (vip.address, vip.prefixlen)]
    for key in ("brd", "dev", "scope", "label", "peer"):
        value = str(getattr(vip, key))
        if value:
            words += [key, value]
    return words + list(vip.flags)


def _track(keyword: Keyword, value: Any) -> Track:
    """A line of ``track_script`` and its kin: a name, keepalived's own line, or {name:, weight:, reverse:}."""
    if isinstance(value, Mapping):
        unknown = [key for key in value if key not in ("name", "weight", "reverse")]
        if unknown:
            raise BadValue(
                (
                    "has the unknown key '%s'. %s"
                    % (unknown[0], did_you_mean(str(unknown[0]), ("name", "weight", "reverse")))
                ).strip()
            )
        if "name" not in value:
            raise BadValue("has no 'name'")
        weight = value.get("weight")
        return Track(
            _word(value["name"]),
            None if weight is None else int(_number(keyword, weight)),
            _switch(value.get("reverse", False)),
        )
    words = _words(value)
    return track_from_words(keyword, words)


def track_from_words(keyword: Keyword, words: Sequence[str]) -> Track:
    """``NAME [weight N] [reverse|noreverse]`` from its words.

    Of definitions ``reverse`` alone may stand behind the weight, where the keyword has no other choices.

    :raises BadValue: with what is wrong.
    """
    name, rest = words[0], list(words[1:])
    known = ("reverse", "noreverse", "no_reverse") if keyword.kind == "tracks" else keyword.choices or ("reverse",)
    weight: Optional[int] = None
    reverse = False
    while rest:
        word = rest.pop(0)
        if word == "weight" and rest:
            weight = int(number_from_word(keyword, rest.pop(0)))
        elif word in known:
            reverse = word == "reverse"
        else:
            raise BadValue("has the unknown word '%s' after the name; keepalived knows 'weight N' and 'reverse'" % word)
    return Track(name, weight, reverse)


def track_words(track: Track) -> list[str]:
    """The words of one line of ``track_script`` and its kin."""
    words = [track.name]
    if track.weight is not None:
        words += ["weight", str(track.weight)]
    return words + (["reverse"] if track.reverse else [])


def _list(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return list(value)
    raise BadValue("must be a list")


def _weight(keyword: Keyword, value: Any) -> Track:
    if isinstance(value, str) and value.split()[1:]:
        return track_from_words(keyword, ["", "weight", *value.split()])
    return Track("", int(_number(keyword, value)))


def from_yaml(keyword: Keyword, value: Any) -> Any:
    """A keyword's value as the model holds it.

    :raises BadValue: with what the keyword takes instead.
    """
    kind = keyword.kind
    if kind in ("flag", "switch"):
        return _switch(value)
    if kind in ("int", "number"):
        return _number(keyword, value)
    if kind == "choice":
        return choice(keyword, value)
    if kind == "word":
        return shaped(keyword, _word(value))
    if kind == "words":
        return [] if value is True else [shaped(keyword, word) for word in _words(value)]
    if kind == "address":
        return address(_word(value))
    if kind == "server":
        return _server(value)
    if kind == "method":
        return method_from_words(_words(value))
    if kind == "command":
        if not isinstance(value, str) or not value.strip() or _CONTROL.search(value):
            raise BadValue("must be a command line in one string, without line breaks")
        return value
    if kind == "weight":
        return _weight(keyword, value)
    if kind == "items":
        return [_word(item) for item in _list(value)]
    if kind == "vips":
        return [parse_vip(item) for item in _list(value)]
    if kind == "tracks":
        return [_track(keyword, item) for item in _list(value)]
    if kind == "lines":
        return [_line(item) for item in _list(value)]
    raise AssertionError("kind %s of %s is a block" % (kind, keyword.name))


def _line(value: Any) -> str:
    if not isinstance(value, str) or _CONTROL.search(value) or "{" in value or "}" in value:
        raise BadValue("must be a list of lines without braces")
    return value


def normalise(
    block: str,
    options: Mapping[str, Any],
    place: Place,
    plan_only: Sequence[str] = (),
    instance: str = "",
    host: str = "",
) -> tuple[dict[str, Any], list[Finding]]:
    """Options of a block from YAML to the model's values, with a finding for each that keepalived would not take.

    :param block: a name of ``_keywords.BLOCKS``.
    :param place: the variable they stand in, for the findings.
    :param plan_only: keys that belong to the plan and are left out without a finding.
    :returns: the good options in the table's order, and the findings (KH034 unknown keyword, KH042 bad value).
    """
    table = BLOCKS[block]
    good: dict[str, Any] = {}
    findings: list[Finding] = []

    def bad(rule: str, keyword: str, message: str, hint: str = "") -> None:
        findings.append(
            Finding(rule, ERROR, message, hint, path="%s.%s" % (place, keyword), instance=instance, host=host)
        )

    for key, value in options.items():
        keyword = table.get(key)
        if key in plan_only or value is None:
            continue
        if keyword is None:
            bad("KH034", key, "'%s' is no keyword of %s" % (key, block), did_you_mean(str(key), [*table, *plan_only]))
            continue
        if keyword.kind == "block":
            # One of several blocks may stand alone, and a block without keywords as true.
            several = keyword.many and isinstance(value, (list, tuple))
            inner = []
            for index, item in enumerate(value if several else [value]):
                where = "%s[%d]" % (key, index) if several else key
                bare = keyword.many and item is True
                if not bare and not isinstance(item, Mapping):
                    bad("KH042", where, "'%s' must be a mapping of the keywords of its block" % key)
                    continue
                found, more = normalise(
                    keyword.block, {} if bare else item, "%s.%s" % (place, where), instance=instance, host=host
                )
                inner.append(found)
                findings += more
            if keyword.many:
                good[key] = inner
            elif inner:
                good[key] = inner[0]
            continue
        if keyword.kind == "words" and value is False:
            continue
        try:
            good[key] = from_yaml(keyword, value)
        except BadValue as reason:
            bad("KH042", key, "'%s' %s" % (key, reason))
    return {name: good[name] for name in table if name in good}, findings


def to_yaml(value: Any) -> Any:
    """A value of the model as plain data again, for a module's result."""
    if isinstance(value, Vip):
        shown = {key: item for key, item in value._asdict().items() if item not in (None, "", ())}
        return {**shown, "flags": list(value.flags)} if value.flags else shown
    if isinstance(value, Track) and not value.name:
        return "%d reverse" % (value.weight or 0) if value.reverse else value.weight
    if isinstance(value, Track):
        # A weight of 0 stays: it is written, and equal to False.
        return {key: item for key, item in value._asdict().items() if item is not None and item is not False}
    if isinstance(value, Mapping):
        return {key: to_yaml(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_yaml(item) for item in cast("Sequence[Any]", value)]
    return value
