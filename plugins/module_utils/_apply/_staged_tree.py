# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""A tree of configuration files put in place as one thing: compared, staged, swapped whole, or left alone.

Private to this collection: no stable interface for other collections.

The upper half is pure: what a caller may ask for, what differs, what is orphaned. The lower half touches the file
system below one directory, and the directory beside it in which the tree is staged. Nothing here imports Ansible, or
starts a program: the test of a staged tree is in L{_config_test}.
"""

from __future__ import annotations

import fnmatch
import os
import posixpath
import re
import shutil
import stat
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Callable

DIRECTORY_MODE = 0o755
CONF_MODE = 0o640
PASSABLE_MODE = 0o711
#: Where files that nobody asked for are orphans: (directory, pattern of the names). Everything else is the host's own.
ORPHAN_PLACES = (("conf.d", "*.conf"), ("scripts", "*"))
MASK = "********"

_TOKEN = re.compile(r"%%[A-Za-z_]+:[^%\n]+%%")
_PLAIN_WORD = re.compile(r"[\w.+/=-]+")
_SECRET_LINE = re.compile(r"^([ \t]*(?:auth_pass|password|key)[ \t]+)(\S.*)$", re.MULTILINE)


class TreeError(Exception):
    """The tree cannot be put in place; C(details) are further values for the user (for fail_json)."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


@dataclass(frozen=True)
class WantedFile:
    """One file as it shall be. C(path) is relative to the tree, C(content) still bears tokens, C(data) the secrets."""

    path: str
    content: str
    data: bytes
    mode: int


@dataclass(frozen=True)
class LiveFile:
    """One file as it is. C(data) is None for a symbolic link, which is never followed."""

    data: bytes | None
    mode: int
    uid: int
    gid: int
    target: str | None = None


@dataclass(frozen=True)
class Change:
    """One file that differs: C(before) is None for a new file, C(after) for an orphan that goes."""

    path: str
    before: LiveFile | None
    after: WantedFile | None


# ---------------------------------------------------------------------------------------------------------------------
# pure


def wanted_files(files: Iterable[Mapping[str, Any]], secrets: Mapping[str, str]) -> list[WantedFile]:
    """Check what the caller asks for and put the secrets in.

    C(files) are mappings with path, content and mode (octal text or None), C(secrets) maps a whole token
    (C(%%auth_pass:WEB_VIP%%)) to its value. Raises L{TreeError} naming the path for a path that leaves the tree, is
    given twice, a mode that is missing or no octal number, and a token without a value.
    """
    result: dict[str, WantedFile] = {}
    for each in files:
        path, content = str(each["path"]), str(each["content"])
        _check_path(path)
        if path in result:
            raise TreeError(f"{path} is given twice")
        text = _with_secrets(path, content, secrets)
        result[path] = WantedFile(path, content, text.encode("utf-8"), _mode(path, each.get("mode")))
    for path in result:
        above = posixpath.dirname(path)
        if above in result:
            raise TreeError(f"{above} cannot be both a file and the directory of {path}")
    return sorted(result.values(), key=lambda wanted: wanted.path)


def _check_path(path: str) -> None:
    parts = path.split("/")
    if not path or path.startswith("/") or any(part in ("", ".", "..") for part in parts) or "\0" in path:
        raise TreeError(f"{path!r} must be a plain path relative to conf_dir, such as conf.d/50-web.conf")


def _mode(path: str, mode: Any) -> int:
    if mode is None:
        if path.startswith("scripts/"):
            raise TreeError(f"{path} lies in scripts/ and needs its mode, such as '0755'")
        return CONF_MODE
    if not re.fullmatch(r"0?[0-7]{3}", str(mode)):
        raise TreeError(f"{path}: mode {mode!r} must be three octal digits in quotes, such as '0755'")
    number = int(str(mode), 8)
    if number & 0o022:
        raise TreeError(f"{path}: mode {mode!r} lets others write, and keepalived disables such scripts")
    return number


def _with_secrets(path: str, content: str, secrets: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        token = match.group(0)
        if token not in secrets:
            raise TreeError(f"{path} asks for the secret {token}, and secrets has no value for it")
        secret = secrets[token]
        # keepalived knows no escape inside quotes: a quote would end the word, a line break begin a keyword.
        if not secret or not secret.isprintable() or (path.endswith(".conf") and '"' in secret):
            raise TreeError(f"the secret {token} is empty, or has a control character or a double quote in it")
        # There # and ! begin a comment, outside quotes.
        bare = path.endswith(".conf") and content[: match.start()][-1:] != '"'
        return f'"{secret}"' if bare and not _PLAIN_WORD.fullmatch(secret) else secret

    return _TOKEN.sub(value, content)


def orphans(listing: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Return which of the listed paths lie in a place that is ours (L{ORPHAN_PLACES}) and are not wanted."""
    keep = set(wanted)
    found = []
    for path in listing:
        directory, name = posixpath.split(path)
        ours = any(directory == place and fnmatch.fnmatchcase(name, pattern) for place, pattern in ORPHAN_PLACES)
        if ours and path not in keep:
            found.append(path)
    return sorted(found)


def changes(
    wanted: Sequence[WantedFile], live: Mapping[str, LiveFile], gone: Iterable[str], owner: tuple[int, int]
) -> list[Change]:
    """Return what must be written (content, mode or owner differs) and, after that, what must go."""
    result = []
    for each in wanted:
        now = live.get(each.path)
        if now is None or (now.data, now.mode, (now.uid, now.gid)) != (each.data, each.mode, owner):
            result.append(Change(each.path, now, each))
    return result + [Change(path, live[path], None) for path in gone]


def shown(change: Change, conf_dir: str) -> dict[str, str]:
    """Return the change as a diff entry of Ansible's (before, after and their headers) without any secret."""
    before = "" if change.before is None else _masked((change.before.data or b"").decode("utf-8", "replace"))
    after = "" if change.after is None else _masked(_TOKEN.sub(MASK, change.after.content))
    if change.before is not None and change.after is not None and before == after:
        if change.before.data == change.after.data:
            before = f"mode {change.before.mode:04o}, owner {change.before.uid}:{change.before.gid}\n"
            after = f"mode {change.after.mode:04o}, the owner who installs\n"
        else:
            after = after.replace(MASK, f"{MASK} (another value)")
    path = posixpath.join(conf_dir, change.path)
    return {
        "before_header": path if change.before is not None else f"{path} (absent)",
        "after_header": path if change.after is not None else f"{path} (absent)",
        "before": before,
        "after": after,
    }


def _masked(text: str) -> str:
    return _SECRET_LINE.sub(rf"\g<1>{MASK}", text)


# ---------------------------------------------------------------------------------------------------------------------
# the file system


def directories(conf_dir: str, wanted: Iterable[WantedFile]) -> list[str]:
    """Return the tree's directories, outermost first: they are 0755, as a script's user must get through to it."""
    below = {""}
    for each in wanted:
        parts = each.path.split("/")[:-1]
        below.update("/".join(parts[: depth + 1]) for depth in range(len(parts)))
    return [posixpath.join(conf_dir, name) if name else conf_dir for name in sorted(below)]


def wrong_directories(paths: Iterable[str], owner: tuple[int, int]) -> list[str]:
    """Return which directories are missing or have another mode or owner; L{TreeError} if it is something else."""
    result = []
    for path in paths:
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            result.append(path)
            continue
        if not stat.S_ISDIR(status.st_mode):
            raise TreeError(f"{path} must be a directory, and is something else")
        if (stat.S_IMODE(status.st_mode), (status.st_uid, status.st_gid)) != (DIRECTORY_MODE, owner):
            result.append(path)
    return result


def read_tree(conf_dir: str, wanted: Iterable[str]) -> dict[str, LiveFile]:
    """Read the wanted files that exist and all files in the places that are ours, keyed by relative path."""
    paths = set(wanted)
    for place, pattern in ORPHAN_PLACES:
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(os.path.join(conf_dir, place)) as entries:
            paths.update(
                f"{place}/{entry.name}"
                for entry in entries
                if fnmatch.fnmatchcase(entry.name, pattern) and not entry.is_dir(follow_symlinks=False)
            )
    result = {}
    for path in sorted(paths):
        with suppress(FileNotFoundError, NotADirectoryError):
            result[path] = _read(os.path.join(conf_dir, path))
    return result


def _read(path: str) -> LiveFile:
    status = os.lstat(path)
    mode, uid, gid = stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid
    if stat.S_ISLNK(status.st_mode):
        return LiveFile(None, mode, uid, gid, os.readlink(path))
    if not stat.S_ISREG(status.st_mode):
        raise TreeError(f"{path} must be a file, and is something else")
    with open(path, "rb") as file:
        return LiveFile(file.read(), mode, uid, gid)


class Stage:
    """A copy of the whole tree as it will be, beside the live one, removed at the end. Use as a context manager.

    The directory above the copy is closed to others (0700); the copy itself has the modes of the final tree.
    """

    def __init__(
        self, conf_dir: str, wanted: Sequence[WantedFile], gone: Sequence[str], owner: tuple[int, int]
    ) -> None:
        self._conf_dir = conf_dir
        self._wanted = wanted
        self._gone = set(gone)
        self._owner = owner
        self._root = ""
        self.path = ""

    def __enter__(self) -> Stage:
        parent, name = os.path.split(self._conf_dir)
        self._root = tempfile.mkdtemp(prefix=f".{name}.", dir=parent)
        self.path = os.path.join(self._root, "tree")
        try:
            self._fill()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        shutil.rmtree(self._root, ignore_errors=True)

    def _fill(self) -> None:
        os.mkdir(self.path)
        os.chmod(self.path, DIRECTORY_MODE)
        if os.path.isdir(self._conf_dir):
            self._copy("")
        for directory in directories(self.path, self._wanted):
            os.makedirs(directory, exist_ok=True)
            _own(directory, DIRECTORY_MODE, self._owner)
        for each in self._wanted:
            _write(os.path.join(self.path, each.path), each.data, each.mode, self._owner)

    def _copy(self, below: str) -> None:
        """Copy what the host has beside our files: an include of it counts in the test."""
        with os.scandir(os.path.join(self._conf_dir, below)) as entries:
            for entry in entries:
                path = posixpath.join(below, entry.name)
                target = os.path.join(self.path, path)
                status = entry.stat(follow_symlinks=False)
                if path in self._gone:
                    continue
                if entry.is_symlink():
                    os.symlink(os.readlink(entry.path), target)
                elif entry.is_dir():
                    os.mkdir(target)
                    _own(target, stat.S_IMODE(status.st_mode), (status.st_uid, status.st_gid))
                    self._copy(path)
                elif entry.is_file():
                    live = _read(entry.path)
                    _write(target, live.data or b"", live.mode, (live.uid, live.gid))

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Apply a change to the text of every staged file that is no program."""
        for directory, _names, names in os.walk(self.path):
            for name in names:
                path = os.path.join(directory, name)
                if os.path.islink(path) or os.lstat(path).st_mode & 0o111:
                    continue
                live = _read(path)
                text = (live.data or b"").decode("utf-8", "surrogateescape")
                _write(path, change(text).encode("utf-8", "surrogateescape"), live.mode, (live.uid, live.gid))

    def append(self, path: str, text: str) -> None:
        """Add lines at the end of one staged file, so that the lines before keep their numbers."""
        with open(os.path.join(self.path, path), "a", encoding="utf-8") as file:
            file.write(text)

    def open_to_scripts(self) -> None:
        """Let a script's user get through to the copy (files that hold secrets stay closed by their own mode)."""
        os.chmod(self._root, PASSABLE_MODE)


def swap(
    conf_dir: str,
    todo: Sequence[Change],
    wrong_dirs: Sequence[str],
    owner: tuple[int, int],
    relabel: Callable[[str], None],
) -> None:
    """Make the changes live, each file by one rename; when one fails, undo those before it and raise L{TreeError}.

    C(relabel) is called with each new file's path before it takes its place (for SELinux).
    """
    undo: list[Callable[[], None]] = []
    try:
        for path in wrong_dirs:
            _make_directory(path, owner, undo)
        for each in todo:
            path = os.path.join(conf_dir, each.path)
            if each.after is None:
                os.unlink(path)
            else:
                _replace(path, LiveFile(each.after.data, each.after.mode, *owner), relabel)
            undo.append(_restorer(path, each.before, relabel))
    except OSError as error:
        failed = [problem for step in reversed(undo) if (problem := _problem_of(step))]
        state = "everything before it was put back" if not failed else f"and putting back failed: {'; '.join(failed)}"
        raise TreeError(f"writing the tree failed ({error}), {state}") from error


def _problem_of(step: Callable[[], None]) -> str:
    try:
        step()
    except OSError as error:
        return str(error)
    return ""


def _make_directory(path: str, owner: tuple[int, int], undo: list[Callable[[], None]]) -> None:
    try:
        before = os.lstat(path)
    except FileNotFoundError:
        os.mkdir(path)
        undo.append(lambda: os.rmdir(path))
    else:
        undo.append(lambda: _own(path, stat.S_IMODE(before.st_mode), (before.st_uid, before.st_gid)))
    _own(path, DIRECTORY_MODE, owner)


def _restorer(path: str, before: LiveFile | None, relabel: Callable[[str], None]) -> Callable[[], None]:
    if before is None:
        return lambda: os.unlink(path)
    return lambda: _replace(path, before, relabel)


def _replace(path: str, new: LiveFile, relabel: Callable[[str], None]) -> None:
    """Put a file in place by rename: a reader sees the old or the new one, whole, and no include sees the temporary."""
    directory, name = os.path.split(path)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".tmp", dir=directory)
    os.close(descriptor)
    try:
        if new.target is not None:
            os.unlink(temporary)
            os.symlink(new.target, temporary)
        else:
            _write(temporary, new.data or b"", new.mode, (new.uid, new.gid))
            relabel(temporary)
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _write(path: str, data: bytes, mode: int, owner: tuple[int, int]) -> None:
    """Write a file that nobody else can read before it has its owner and mode."""
    with suppress(FileNotFoundError):
        os.unlink(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    _own(path, mode, owner)


def _own(path: str, mode: int, owner: tuple[int, int]) -> None:
    status = os.lstat(path)
    if (status.st_uid, status.st_gid) != owner:
        os.chown(path, *owner)
    if stat.S_IMODE(status.st_mode) != mode:
        os.chmod(path, mode)
