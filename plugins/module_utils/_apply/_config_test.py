# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""keepalived's own test of a staged tree: how it is run, and what its exit codes and its lines say.

Private to this collection: no stable interface for other collections.

All is pure but L{examine}, which starts programs only through the injected L{Runner}. Nothing here imports Ansible.
"""

from __future__ import annotations

import enum
import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from ansible_collections.failover.vip.plugins.module_utils._apply._staged_tree import Stage, TreeError

#: Runs a command given as a list and returns its exit code (negative for a signal), standard output and standard error.
Runner = Callable[[Sequence[str]], "tuple[int, str, str]"]

MAIN_FILE = "keepalived.conf"
TEST_SECONDS = 60

# The words are positional parameters, so nothing in them is ever read as shell.
_BIND = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
_MESSAGE = re.compile(r"^(?:\w{3} +\d+ [\d:]{8} )?\((?P<path>/[^:]*): Line (?P<line>\d+)\) (?P<message>.*)$")
_VERSION = re.compile(r"\bv(\d+)\.(\d+)\.(\d+)")
_SIGTERM_CODES = (-15, 143)


class Verdict(enum.Enum):
    """What an exit code of C(keepalived -t) says about the tree."""

    GOOD = "good"
    BAD = "bad"
    NOT_CONCLUSIVE = "not conclusive"


@dataclass(frozen=True)
class Examined:
    """C(how) names the way the tree was tested, C(lines) are keepalived's own, with the final paths."""

    how: str
    lines: list[str]


def version(text: str) -> tuple[int, int, int] | None:
    """Return keepalived's version from what C(keepalived --version) prints, or None."""
    match = _VERSION.search(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def verdict(code: int, number: tuple[int, int, int] | None) -> Verdict:
    """Say what the exit code means.

    Zero is good, and any other code is bad (the manual page's list is not what the program does). But keepalived 2.2.5
    to 2.2.7 terminates itself when it tests a script that runs as somebody other than root: that says nothing.
    """
    if code == 0:
        return Verdict.GOOD
    if code in _SIGTERM_CODES and number is not None and (2, 2, 5) <= number <= (2, 2, 7):
        return Verdict.NOT_CONCLUSIVE
    return Verdict.BAD


def with_root_as_script_user(text: str) -> str:
    """Return a configuration in which every script runs as root, line for line, for a test only."""
    text = re.sub(r"^([ \t]*(?:script_user|user)[ \t]+).*$", r"\1root", text, flags=re.MULTILINE)
    return re.sub(r'^([ \t]*notify\w*[ \t]+(?:"[^"\n]*"|[^\s"]+))[ \t]+[^\s#!].*$', r"\1", text, flags=re.MULTILINE)


def moved(text: str, old: str, new: str) -> str:
    """Return the text with the directory C(old) replaced by C(new) wherever it stands as a whole path component."""
    return re.sub(rf"(?<![\w./-]){re.escape(old)}(?=[/\"'\s]|$)", lambda _match: new, text, flags=re.MULTILINE)


def lines_of(output: str, test_dir: str, conf_dir: str) -> list[str]:
    """Return keepalived's lines, each once (it repeats itself), with the tested directory's name made the final one."""
    mapped = output.replace(test_dir + "/", conf_dir + "/")
    return list(dict.fromkeys(line.rstrip() for line in mapped.splitlines() if line.strip()))


def messages(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Return the lines as C({path, line, message}); path and line are None where keepalived names none."""
    result: list[dict[str, Any]] = []
    for text in lines:
        match = _MESSAGE.match(text)
        if match:
            result.append({"path": match["path"], "line": int(match["line"]), "message": match["message"]})
        else:
            result.append({"path": None, "line": None, "message": text})
    return result


def examine(stage: Stage, conf_dir: str, keepalived: str, run: Runner) -> Examined:
    """Run C(keepalived -t -e) on the staged tree.

    In a private mount namespace the copy lies over the final directory, so exact bytes on exact paths are tested and
    nobody else sees it. Where the kernel forbids that, the copy's texts are rewritten to its own directory. Raises
    L{TreeError} with keepalived's lines when the tree is bad.
    """
    number = version("".join(run([keepalived, "--version"])[1:]))
    bind = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _BIND, "sh", stage.path, conf_dir]
    code, _out, err = run([*bind, "true"])
    if code == 0:
        how = "yes, with the final paths, in a private mount namespace"
        prefix, test_dir = bind, conf_dir
    else:
        how = f"yes, on a copy with its own paths, as it cannot be laid over {conf_dir} here ({err.strip()})"
        prefix, test_dir = [], stage.path
        stage.open_to_scripts()
        stage.rewrite(lambda text: moved(text, conf_dir, stage.path))
    command = [*prefix, "timeout", str(TEST_SECONDS), keepalived, "-t", "-e", "-f", posixpath.join(test_dir, MAIN_FILE)]

    code, out, err = run(command)
    result = verdict(code, number)
    if result is Verdict.NOT_CONCLUSIVE:
        # Measured: such a run stops at the first script, so only a second one with root's scripts sees the whole tree.
        how += ", with root as the user of scripts, as this version's test ends itself over a script of another user"
        stage.rewrite(with_root_as_script_user)
        stage.append(MAIN_FILE, "\nglobal_defs {\n    script_user root\n}\n")
        code, out, err = run(command)
        result = verdict(code, None)
    lines = lines_of(out + err, test_dir, conf_dir)
    if result is not Verdict.GOOD:
        raise TreeError(
            f"{_reason(code)} The live tree is untouched. It says: " + ("; ".join(lines) or "nothing at all"),
            tested=how,
            keepalived_output=lines,
            messages=messages(lines),
        )
    return Examined(how, lines)


def _reason(code: int) -> str:
    if code == 124:
        return f"keepalived -t did not end within {TEST_SECONDS} s."
    if code < 0 or code > 128:
        return f"keepalived -t crashed on the new configuration (exit code {code})."
    return f"keepalived -t refuses the new configuration (exit code {code})."
