# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""This host, as what reads a machine needs it: files, users, and programs that end soon.

Private to this collection: no stable interface for other collections.
"""

from __future__ import annotations

import glob
import grp
import os
import pwd
import stat
import subprocess
import time
from typing import NamedTuple, Optional, Protocol

#: Seconds that a program may take.
TIMEOUT = 5


class Status(NamedTuple):
    """Of a file, links followed."""

    mode: int
    uid: int
    gid: int
    kind: str  # file, directory, other


class System(Protocol):
    """All that reading a machine needs of it; nothing of it changes anything or waits for long."""

    def run(self, *command: str) -> tuple[int, str, str]:
        """Exit status (127: there is no such program; 124: it took too long), output and errors."""

    def text(self, path: str, start: int = 0, size: int = 1048576) -> Optional[str]:
        """A part of a regular file, from its end with a negative start; None if there is none."""

    def status(self, path: str) -> Optional[Status]:
        """None if there is nothing."""

    def resolve(self, path: str) -> str:
        """The path without links and dots."""

    def glob(self, pattern: str) -> list[str]:
        """The paths that match, sorted."""

    def user(self, uid: int) -> str:
        """The name of a user, or the number."""

    def group(self, gid: int) -> str:
        """The name of a group, or the number."""

    def user_exists(self, name: str) -> bool:
        """Whether there is a user of that name or number."""

    def now(self) -> float:
        """Seconds since the epoch."""


class ThisHost:
    """The host that this runs on, as a :class:`System`."""

    def run(self, *command: str) -> tuple[int, str, str]:
        environment = {**os.environ, "LC_ALL": "C", "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
        try:
            done = subprocess.run(  # noqa: S603 - fixed commands of the collection
                list(command),
                env=environment,
                timeout=TIMEOUT,
                check=False,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
            )
        except subprocess.TimeoutExpired:
            return 124, "", "%s took more than %d s" % (command[0], TIMEOUT)
        except OSError as reason:
            return 127, "", str(reason)
        return done.returncode, done.stdout, done.stderr

    def text(self, path: str, start: int = 0, size: int = 1048576) -> Optional[str]:
        try:
            # Never waited for: it may be a named pipe.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            its = os.fstat(descriptor)
            if not stat.S_ISREG(its.st_mode):
                return None
            with open(descriptor, "rb", closefd=False) as stream:
                if start < 0:
                    stream.seek(max(0, its.st_size + start))
                return stream.read(size).decode("utf-8", "replace")
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def status(self, path: str) -> Optional[Status]:
        try:
            its = os.stat(path)
        except OSError:
            return None
        kind = "file" if stat.S_ISREG(its.st_mode) else "directory" if stat.S_ISDIR(its.st_mode) else "other"
        return Status(its.st_mode, its.st_uid, its.st_gid, kind)

    def resolve(self, path: str) -> str:
        return os.path.realpath(path)

    def glob(self, pattern: str) -> list[str]:
        return sorted(glob.glob(pattern))

    def user(self, uid: int) -> str:
        try:
            return pwd.getpwuid(uid).pw_name
        except KeyError:
            return str(uid)

    def group(self, gid: int) -> str:
        try:
            return grp.getgrgid(gid).gr_name
        except KeyError:
            return str(gid)

    def user_exists(self, name: str) -> bool:
        try:
            _user = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
        except KeyError:
            return False
        return True

    def now(self) -> float:
        return time.time()
