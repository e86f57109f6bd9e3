# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""Configuration files from the disk, for ``_parse.parse``: the same ones that keepalived would take.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import glob
import os
import stat

from ansible_collections.failover.vip.plugins.module_utils._conf._parse import MAX_TEXT, Source, braces


def _source(path: str) -> Source:
    # Opened before it is looked at, and never waited for: it may be a named pipe, or be replaced in between.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return Source(path, None, "cannot be read: %s" % error.strerror)
    found = os.fstat(descriptor)
    reason = ""
    if not stat.S_ISREG(found.st_mode):
        reason = "is no regular file, keepalived skips it"
    elif found.st_mode & 0o111:
        reason = "is executable, keepalived skips it"
    elif found.st_size > MAX_TEXT:
        reason = "is larger than %d bytes" % MAX_TEXT
    if reason:
        os.close(descriptor)
        return Source(path, None, reason)
    with os.fdopen(descriptor, "rb") as stream:
        return Source(path, stream.read(MAX_TEXT).decode("utf-8", "replace"))


def from_disk(pattern: str) -> list[Source]:
    """The files that a path or pattern stands for, in keepalived's order (``glob(3)`` with braces)."""
    paths: list[str] = []
    for one in braces(pattern):
        paths += sorted(glob.glob(one)) if glob.has_magic(one) else [one] * os.path.lexists(one)
    return [_source(os.path.normpath(path)) for path in paths]
