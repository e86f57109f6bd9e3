# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""keepalived's test of a staged tree: its words by tables, its runs with keepalived as an injected runner."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ansible_collections.failover.vip.plugins.module_utils._apply import _config_test as config_test
from ansible_collections.failover.vip.plugins.module_utils._apply._config_test import Verdict
from ansible_collections.failover.vip.plugins.module_utils._apply._staged_tree import Stage, TreeError, WantedFile

# --- keepalived's words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Keepalived v2.2.7 (01/16,2022)\n\nCopyright", (2, 2, 7)),
        ("Keepalived v2.3.3 (03/30,2025)", (2, 3, 3)),
        ("no such program", None),
    ],
)
def test_version(text: str, expected: tuple[int, int, int] | None) -> None:
    assert config_test.version(text) == expected


@pytest.mark.parametrize(
    ("code", "number", "expected"),
    [
        (0, (2, 2, 7), Verdict.GOOD),
        (0, None, Verdict.GOOD),
        (4, (2, 2, 7), Verdict.BAD),
        (5, (2, 2, 7), Verdict.BAD),
        (6, (2, 3, 3), Verdict.BAD),
        (-11, (2, 2, 7), Verdict.BAD),
        (139, (2, 2, 7), Verdict.BAD),
        (143, (2, 2, 4), Verdict.BAD),
        (143, (2, 2, 5), Verdict.NOT_CONCLUSIVE),
        (-15, (2, 2, 7), Verdict.NOT_CONCLUSIVE),
        (-15, (2, 2, 8), Verdict.BAD),
        (143, None, Verdict.BAD),
    ],
)
def test_verdict(code: int, number: tuple[int, int, int] | None, expected: Verdict) -> None:
    assert config_test.verdict(code, number) is expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("    script_user keepalived_script", "    script_user root"),
        ("script_user a b # why", "script_user root"),
        ("    user nobody nogroup", "    user root"),
        ('    notify_master "/m.sh A master" nobody nogroup', '    notify_master "/m.sh A master"'),
        ("    notify /m.sh nobody", "    notify /m.sh"),
        ('    notify_master "/m.sh A master" # nobody', '    notify_master "/m.sh A master" # nobody'),
        ('    notify_master "/m.sh A master"', '    notify_master "/m.sh A master"'),
        ("    username nobody", "    username nobody"),
    ],
)
def test_with_root_as_script_user(line: str, expected: str) -> None:
    assert config_test.with_root_as_script_user(f"a\n{line}\nb\n") == f"a\n{expected}\nb\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("include /etc/keepalived/conf.d/*.conf", "include /s/conf.d/*.conf"),
        ('script "/etc/keepalived/scripts/a.sh /etc/keepalived"', 'script "/s/scripts/a.sh /s"'),
        ("/etc/keepalived-old/a /srv/etc/keepalived/a", "/etc/keepalived-old/a /srv/etc/keepalived/a"),
    ],
)
def test_moved_takes_whole_path_components(text: str, expected: str) -> None:
    assert config_test.moved(text, "/etc/keepalived", "/s") == expected


def test_lines_are_given_once_with_the_final_path() -> None:
    output = "(/s/conf.d/a.conf: Line 3) Unknown keyword 'x'\n\n(/s/conf.d/a.conf: Line 3) Unknown keyword 'x'\n"
    assert config_test.lines_of(output, "/s", "/etc/keepalived") == [
        "(/etc/keepalived/conf.d/a.conf: Line 3) Unknown keyword 'x'"
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("(/k/a.conf: Line 14) Unknown 'x': y", {"path": "/k/a.conf", "line": 14, "message": "Unknown 'x': y"}),
        ("SECURITY VIOLATION - x", {"path": None, "line": None, "message": "SECURITY VIOLATION - x"}),
        ("(Line 11) Unmatched quote", {"path": None, "line": None, "message": "(Line 11) Unmatched quote"}),
    ],
)
def test_messages(line: str, expected: dict[str, object]) -> None:
    assert config_test.messages([line]) == [expected]


# --- the test of the tree --------------------------------------------------------------------------------------------


class FakeKeepalived:
    """Answers as keepalived does in an environment, and remembers what the tested main file was each time."""

    def __init__(self, stage: Stage, codes: Sequence[int], number: str = "2.3.3", namespace: bool = True) -> None:
        self._stage = stage
        self._codes = list(codes)
        self._number = number
        self._namespace = namespace
        self.tested: list[str] = []
        self.paths: list[str] = []
        self.modes: list[int] = []

    def __call__(self, command: Sequence[str]) -> tuple[int, str, str]:
        if command[-1] == "--version":
            return 0, "", f"Keepalived v{self._number} (01/01,2026)\n"
        if command[0] == "unshare" and not self._namespace:
            return 1, "", "unshare: unshare failed: Operation not permitted\n"
        if command[-1] == "true":
            return 0, "", ""
        assert list(command[-4:-1]) == ["-t", "-e", "-f"]
        self.paths.append(command[-1])
        self.tested.append(Path(self._stage.path, "keepalived.conf").read_text())
        self.modes.append(Path(self._stage.path).parent.stat().st_mode & 0o777)
        code = self._codes.pop(0)
        return code, "", "" if code == 0 else f"({command[-1]}: Line 1) Unknown keyword 'x'\n"


def examine(
    conf_dir: Path, main: str, codes: Sequence[int], **how: object
) -> tuple[FakeKeepalived, config_test.Examined]:
    wanted = WantedFile("keepalived.conf", main, main.encode(), 0o640)
    with Stage(str(conf_dir), [wanted], ["conf.d/90-old.conf"], (os.geteuid(), os.getegid())) as stage:
        fake = FakeKeepalived(stage, codes, **how)  # type: ignore[arg-type]
        result = config_test.examine(stage, str(conf_dir), "/usr/sbin/keepalived", fake)
    assert fake._codes == [], "every answer was asked for"
    return fake, result


def test_examine_tests_the_final_paths_in_a_namespace(conf_dir: Path) -> None:
    fake, result = examine(conf_dir, "new\n", [0])
    assert fake.paths == [str(conf_dir / "keepalived.conf")]
    assert fake.modes == [0o700]
    assert result == config_test.Examined("yes, with the final paths, in a private mount namespace", [])


def test_examine_rewrites_a_copy_where_no_namespace_is_permitted(conf_dir: Path) -> None:
    fake, result = examine(conf_dir, f"include {conf_dir}/conf.d/*.conf\n", [0], namespace=False)
    (path,) = fake.paths
    assert path != str(conf_dir / "keepalived.conf")
    assert fake.tested == [f"include {os.path.dirname(path)}/conf.d/*.conf\n"]
    assert fake.modes == [0o711], "scripts can be reached by their user"
    assert "on a copy with its own paths" in result.how
    assert "Operation not permitted" in result.how


def test_examine_tries_again_with_root_where_keepalived_ends_itself(conf_dir: Path) -> None:
    fake, result = examine(conf_dir, "script_user nobody\n", [-15, 0], number="2.2.7")
    assert fake.tested[0] == "script_user nobody\n"
    assert fake.tested[1].splitlines() == ["script_user root", "", "global_defs {", "    script_user root", "}"]
    assert "with root as the user of scripts" in result.how


@pytest.mark.parametrize(
    ("codes", "how", "message"),
    [
        ([5], {}, "refuses the new configuration (exit code 5)"),
        ([5], {"namespace": False}, "refuses the new configuration (exit code 5)"),
        ([-15], {}, "crashed on the new configuration (exit code -15)"),
        ([139], {}, "crashed on the new configuration (exit code 139)"),
        ([124], {}, "did not end within 60 s"),
        ([143, 5], {"number": "2.2.7"}, "refuses the new configuration (exit code 5)"),
        ([143, 143], {"number": "2.2.7"}, "crashed on the new configuration (exit code 143)"),
    ],
)
def test_examine_refuses_a_bad_tree_with_the_final_path(
    conf_dir: Path,
    snapshot: Callable[[Path], dict[str, tuple[int, bytes]]],
    codes: list[int],
    how: dict[str, object],
    message: str,
) -> None:
    before = snapshot(conf_dir)
    with pytest.raises(TreeError) as caught:
        examine(conf_dir, "x\n", codes, **how)
    assert message in str(caught.value)
    assert caught.value.details["messages"] == [
        {"path": f"{conf_dir}/keepalived.conf", "line": 1, "message": "Unknown keyword 'x'"}
    ]
    assert snapshot(conf_dir) == before
