# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Netlink as bytes, hostile ones included, and against the kernel that is there."""

from __future__ import annotations

import contextlib
import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.failover.vip.plugins.module_utils._live import _netlink

FAMILY = 0x23
ERROR, DONE, OVERRUN = 2, 3, 4
MULTI = 2


def message(kind: int, payload: bytes, sequence: int = 7, flags: int = 0) -> bytes:
    """nlmsghdr and what follows, padded."""
    return struct.pack("=IHHII", 16 + len(payload), kind, flags, sequence, 4711) + payload + bytes(-len(payload) % 4)


def answer(attributes: bytes, sequence: int = 7, flags: int = 0) -> bytes:
    return message(FAMILY, struct.pack("=BBH", 1, 1, 0) + attributes, sequence, flags)


def status(number: int, kind: int = ERROR, sequence: int = 7) -> bytes:
    return message(kind, struct.pack("=i", -number), sequence)


class Scripted:
    """A socket that gives these datagrams, one after the other."""

    def __init__(self, *datagrams: bytes) -> None:
        self.sent: list[bytes] = []
        self.datagrams = list(datagrams)

    def send(self, data: bytes) -> object:
        self.sent.append(data)
        return len(data)

    def recv(self, size: int) -> bytes:
        assert size >= 32768
        return self.datagrams.pop(0)


QUESTION = _netlink.request(FAMILY, 4, 7, dump=True)


def test_a_question_has_both_headers_and_padded_attributes() -> None:
    made = _netlink.request(FAMILY, 8, 7, _netlink.attribute(1, b"abc\0d", nested=True), dump=True)
    inner = struct.pack("=HH", 9, 0x8001) + b"abc\0d\0\0\0"
    assert made == struct.pack("=IHHIIBBH", 32, FAMILY, 0x301, 7, 0, 8, 1, 0) + inner
    assert struct.unpack_from("=IHH", _netlink.request(FAMILY, 13, 7)) == (20, FAMILY, 1)


def test_attributes_are_read_without_flags_and_padding() -> None:
    data = _netlink.attribute(5, b"a\0b") + _netlink.attribute(6, b"", nested=True) + _netlink.attribute(5, b"last")
    assert _netlink.read_attributes(data) == {5: b"last", 6: b""}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"\x04", "1 bytes that are no attribute", id="half a header"),
        pytest.param(struct.pack("=HH", 3, 1), "an attribute of 3 bytes where 4 are left", id="too short"),
        pytest.param(struct.pack("=HH", 0, 1) * 2, "an attribute of 0 bytes where 8 are left", id="no length"),
        pytest.param(struct.pack("=HH", 9, 1) + b"abcd", "an attribute of 9 bytes where 8 are left", id="too long"),
    ],
)
def test_attributes_that_do_not_fit_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(_netlink.NetlinkError, match=reason):
        _netlink.read_attributes(data)


def test_a_dump_ends_with_done_and_may_come_in_parts() -> None:
    link = Scripted(
        answer(_netlink.attribute(1, b"one"), flags=MULTI) + answer(_netlink.attribute(1, b"two"), flags=MULTI),
        answer(_netlink.attribute(1, b"three"), flags=MULTI),
        status(0, DONE),
    )
    assert [one[1] for one in _netlink.ask(link, QUESTION)] == [b"one", b"two", b"three"]
    assert (link.sent, link.datagrams) == ([QUESTION], [])


def test_a_single_answer_ends_by_itself_and_those_to_others_are_passed_over() -> None:
    link = Scripted(answer(b"", sequence=6) + status(5, sequence=6), answer(_netlink.attribute(1, b"mine")))
    assert _netlink.ask(link, QUESTION) == [{1: b"mine"}]


def test_an_empty_dump() -> None:
    assert _netlink.ask(Scripted(message(DONE, b"")), QUESTION) == []
    assert _netlink.ask(Scripted(status(0)), QUESTION) == []


@pytest.mark.parametrize("kind", [ERROR, DONE])
def test_a_refusal_has_its_number(kind: int) -> None:
    with pytest.raises(_netlink.NetlinkError, match="Operation not permitted") as caught:
        _netlink.ask(Scripted(status(errno.EPERM, kind)), QUESTION)
    assert caught.value.number == errno.EPERM


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        pytest.param(b"", "an empty answer", id="empty"),
        pytest.param(b"\x10\0\0", "3 bytes where a header of 16 should be", id="half a header"),
        pytest.param(answer(b"")[:-1], "a message of 20 bytes where 19 are left", id="cut off"),
        pytest.param(struct.pack("=IHHII", 15, 3, 0, 7, 0), "a message of 15 bytes where 16 are left", id="too short"),
        pytest.param(message(ERROR, b"\0\0"), "an error message of 2 bytes", id="half an error"),
        pytest.param(message(OVERRUN, b""), "data was lost", id="overrun"),
        pytest.param(message(FAMILY + 1, bytes(4)), "a message of type 36 with 4 bytes", id="another family"),
        pytest.param(message(FAMILY, b"\x01"), "a message of type 35 with 1 bytes", id="half a generic header"),
        pytest.param(status(-5), "error -5", id="a number that is none"),
    ],
)
def test_answers_that_are_none(datagram: bytes, reason: str) -> None:
    with pytest.raises(_netlink.NetlinkError, match=reason):
        _netlink.ask(Scripted(datagram), QUESTION)


@given(st.one_of(st.binary(max_size=80), st.binary(max_size=40).map(answer)))
def test_garbage_is_an_answer_or_a_netlink_error(datagram: bytes) -> None:
    with contextlib.suppress(_netlink.NetlinkError):
        _netlink.ask(Scripted(datagram, status(0)), QUESTION)


def controller(attributes: bytes) -> Scripted:
    return Scripted(message(16, struct.pack("=BBH", 1, 2, 0) + attributes, sequence=1))


def test_a_family_is_found_by_its_name() -> None:
    link = controller(_netlink.attribute(2, b"IPVS\0") + _netlink.attribute(1, struct.pack("=H", FAMILY)))
    assert _netlink.find_family(link, "IPVS") == FAMILY
    assert link.sent[0].endswith(b"IPVS\0\0\0\0")
    assert _netlink.find_family(Scripted(status(errno.ENOENT, sequence=1)), "IPVS") is None
    with pytest.raises(_netlink.NetlinkError, match="the answer about the family IPVS has no number"):
        _netlink.find_family(controller(_netlink.attribute(1, b"\x23")), "IPVS")
    with pytest.raises(_netlink.NetlinkError, match="Device or resource busy"):
        _netlink.find_family(Scripted(status(errno.EBUSY, sequence=1)), "IPVS")


def test_this_kernel_answers() -> None:
    """Its controller is a family like any other, and the only one that is always there."""
    with _netlink.opened() as link:
        assert _netlink.find_family(link, "nlctrl") == 16
        assert _netlink.find_family(link, "NO-SUCH-FAMILY") is None
        families = _netlink.ask(link, _netlink.request(16, 3, 2, dump=True))
    assert b"nlctrl\0" in [family[2] for family in families]
