# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Generic netlink: questions to the kernel and its answers, as bytes.

Formats: the kernel's Documentation/userspace-api/netlink/intro.rst, linux/netlink.h and linux/genetlink.h. Numbers are
of the host's byte order. The pure part makes and reads messages, L{ask} exchanges them through one injected L{Link}.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple, Optional, Protocol

_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_GENERIC = struct.Struct("=BBH")  # genlmsghdr: command, version, reserved
_ATTRIBUTE = struct.Struct("=HH")  # nlattr: length, type

_ERROR, _DONE, _OVERRUN = 2, 3, 4  # NLMSG_*; smaller numbers than 16 are netlink's own
_REQUEST, _MULTI, _DUMP = 0x1, 0x2, 0x300  # NLM_F_*
_TYPE_MASK = 0x3FFF  # NLA_TYPE_MASK: without the flags "nested" and "network byte order"
_NESTED = 0x8000

_NETLINK_GENERIC = 16
_CONTROLLER = 16  # GENL_ID_CTRL, the family that tells the numbers of the others
_GET_FAMILY, _FAMILY_ID, _FAMILY_NAME = 3, 1, 2  # CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME

_LARGEST = 1 << 16  # more than the kernel puts into one datagram of a dump (32 KiB)
_PATIENCE = 5.0  # seconds for an answer that takes microseconds


class NetlinkError(Exception):
    """What the kernel refused, or an answer that could not be read. ``number`` is its errno, 0 if it gave none."""

    def __init__(self, message: str, number: int = 0) -> None:
        super().__init__(message)
        self.number = number


class Link(Protocol):
    """All that an exchange needs of a netlink socket."""

    def send(self, data: bytes) -> object:
        """Sends one datagram."""

    def recv(self, size: int) -> bytes:
        """Waits for one datagram."""


class Message(NamedTuple):
    """One message: its type, its flags, its sequence number and what follows the header."""

    kind: int
    flags: int
    sequence: int
    payload: bytes


def attribute(kind: int, value: bytes, nested: bool = False) -> bytes:
    """One attribute, padded to a multiple of 4 bytes."""
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind | (_NESTED if nested else 0)) + value + bytes(-length % 4)


def request(family: int, command: int, sequence: int, attributes: bytes = b"", dump: bool = False) -> bytes:
    """One question of a generic netlink family; with ``dump`` for all there is of a kind."""
    length = _HEADER.size + _GENERIC.size + len(attributes)
    header = _HEADER.pack(length, family, _REQUEST | (_DUMP if dump else 0), sequence, 0)
    return header + _GENERIC.pack(command, 1, 0) + attributes


def read_attributes(data: bytes) -> dict[int, bytes]:
    """The attributes in ``data`` by their types, without padding. Of two of one type the last counts.

    :raises NetlinkError: when a length does not fit.
    """
    found = {}
    at = 0
    while len(data) - at >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if not _ATTRIBUTE.size <= length <= len(data) - at:
            raise NetlinkError("an attribute of %d bytes where %d are left" % (length, len(data) - at))
        found[kind & _TYPE_MASK] = data[at + _ATTRIBUTE.size : at + length]
        at += length + -length % 4
    if at < len(data):
        raise NetlinkError("%d bytes that are no attribute" % (len(data) - at))
    return found


def read_messages(data: bytes) -> Iterator[Message]:
    """The messages of one datagram.

    :raises NetlinkError: when a length does not fit.
    """
    at = 0
    while at < len(data):
        if len(data) - at < _HEADER.size:
            raise NetlinkError("%d bytes where a header of %d should be" % (len(data) - at, _HEADER.size))
        length, kind, flags, sequence, _port = _HEADER.unpack_from(data, at)
        if not _HEADER.size <= length <= len(data) - at:
            raise NetlinkError("a message of %d bytes where %d are left" % (length, len(data) - at))
        yield Message(kind, flags, sequence, data[at + _HEADER.size : at + length])
        at += length + -length % 4


def _status(message: Message) -> int:
    """The errno in a message of type error or done, 0 for success."""
    if len(message.payload) < 4:
        if message.kind == _DONE:
            return 0
        raise NetlinkError("an error message of %d bytes" % len(message.payload))
    return -int(struct.unpack_from("=i", message.payload)[0])


def ask(link: Link, question: bytes) -> list[dict[int, bytes]]:
    """The attributes of each message of the answer. Other answers that come meanwhile are passed over.

    :param question: made by L{request}.
    :raises NetlinkError: when the kernel refuses, or its answer cannot be read.
    :raises OSError: when the socket does.
    """
    _length, family, _flags, sequence, _port = _HEADER.unpack_from(question)
    link.send(question)
    answers: list[dict[int, bytes]] = []
    while True:
        data = link.recv(_LARGEST)
        if not data:
            raise NetlinkError("an empty answer")
        for message in read_messages(data):
            if message.sequence != sequence:
                continue
            if message.kind in (_ERROR, _DONE):
                number = _status(message)
                if number:
                    raise NetlinkError(os.strerror(number) if number > 0 else "error %d" % number, number)
                return answers
            if message.kind == _OVERRUN:
                raise NetlinkError("data was lost")
            if message.kind != family or len(message.payload) < _GENERIC.size:
                raise NetlinkError("a message of type %d with %d bytes" % (message.kind, len(message.payload)))
            answers.append(read_attributes(message.payload[_GENERIC.size :]))
            if not message.flags & _MULTI:
                return answers


def find_family(link: Link, name: str) -> Optional[int]:
    """The number of a generic netlink family; None if the kernel has no such family.

    :raises NetlinkError: as L{ask}.
    """
    wanted = attribute(_FAMILY_NAME, name.encode() + b"\0")
    try:
        answers = ask(link, request(_CONTROLLER, _GET_FAMILY, 1, wanted))
    except NetlinkError as error:
        if error.number == 2:  # ENOENT
            return None
        raise
    number = answers[0].get(_FAMILY_ID, b"") if answers else b""
    if len(number) != 2:
        raise NetlinkError("the answer about the family %s has no number" % name)
    return int(struct.unpack("=H", number)[0])


@contextlib.contextmanager
def opened() -> Iterator[Link]:
    """A socket of generic netlink.

    :raises OSError: when there is none to be had.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_GENERIC) as sock:
        sock.bind((0, 0))
        sock.settimeout(_PATIENCE)
        yield sock
