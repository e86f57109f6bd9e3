# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The staged tree: the pure half by tables, the rest in a directory."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ansible_collections.failover.vip.plugins.module_utils._apply import _staged_tree as tree
from ansible_collections.failover.vip.plugins.module_utils._apply._staged_tree import (
    Change,
    LiveFile,
    TreeError,
    WantedFile,
)

Snapshot = Callable[[Path], dict[str, tuple[int, bytes]]]

ME = (os.geteuid(), os.getegid())
TOKEN = "%%auth_pass:WEB_VIP%%"


def wanted(path: str, content: str = "x\n", mode: int = 0o640) -> WantedFile:
    return WantedFile(path, content, content.encode(), mode)


def asked(path: str, content: str = "x\n", mode: str | None = None) -> dict[str, str | None]:
    return {"path": path, "content": content, "mode": mode}


# --- what may be asked for -------------------------------------------------------------------------------------------


def test_wanted_files_are_sorted_and_bear_their_secrets_only_in_the_data() -> None:
    files = tree.wanted_files(
        [asked("scripts/check.sh", "#!/bin/sh\n", "0755"), asked("conf.d/50-web.conf", f'auth_pass "{TOKEN}"\n')],
        {TOKEN: "s3#cr!et"},
    )
    assert files == [
        WantedFile("conf.d/50-web.conf", f'auth_pass "{TOKEN}"\n', b'auth_pass "s3#cr!et"\n', 0o640),
        WantedFile("scripts/check.sh", "#!/bin/sh\n", b"#!/bin/sh\n", 0o755),
    ]


@pytest.mark.parametrize(
    ("path", "content", "secret", "written"),
    [
        ("a.conf", f"auth_pass {TOKEN}\n", "plain-1", "auth_pass plain-1\n"),
        ("a.conf", f"auth_pass {TOKEN}\n", "a#b!c d", 'auth_pass "a#b!c d"\n'),
        ("a.conf", f'auth_pass "{TOKEN}"\n', "a#b", 'auth_pass "a#b"\n'),
        ("mail.rc", f"set password={TOKEN}\n", 'a#"b', 'set password=a#"b\n'),
    ],
)
def test_a_secret_stays_one_word_of_keepalived(path: str, content: str, secret: str, written: str) -> None:
    (file,) = tree.wanted_files([asked(path, content)], {TOKEN: secret})
    assert file.data.decode() == written


@pytest.mark.parametrize(
    ("files", "secrets", "message"),
    [
        pytest.param([asked("/etc/passwd")], {}, "'/etc/passwd' must be a plain path", id="absolute"),
        pytest.param([asked("../passwd")], {}, "'../passwd' must be a plain path", id="out of the tree"),
        pytest.param([asked("conf.d/../../x")], {}, "must be a plain path", id="out of the tree by a detour"),
        pytest.param([asked("conf.d//x.conf")], {}, "must be a plain path", id="empty part"),
        pytest.param([asked("")], {}, "must be a plain path", id="empty"),
        pytest.param([asked("a.conf"), asked("a.conf")], {}, "a.conf is given twice", id="twice"),
        pytest.param(
            [asked("a"), asked("a/b")], {}, "a cannot be both a file and the directory", id="file and directory"
        ),
        pytest.param([asked("scripts/x.sh")], {}, "needs its mode", id="script without mode"),
        pytest.param([asked("a", mode="rw-r--r--")], {}, "three octal digits", id="symbolic mode"),
        pytest.param([asked("a", mode="493")], {}, "three octal digits", id="decimal mode"),
        pytest.param([asked("a", mode="4755")], {}, "three octal digits", id="setuid"),
        pytest.param([asked("a", mode="0775")], {}, "lets others write", id="writable by the group"),
        pytest.param([asked("a", TOKEN)], {}, f"asks for the secret {TOKEN}", id="no value for a token"),
        pytest.param([asked("a", TOKEN)], {TOKEN: ""}, "is empty", id="empty secret"),
        pytest.param([asked("a", TOKEN)], {TOKEN: "a\nnotify /x"}, "control character", id="secret with a line break"),
        pytest.param([asked("a.conf", TOKEN)], {TOKEN: 'a"b'}, "double quote", id="secret that ends its quotes"),
    ],
)
def test_wanted_files_refuse(files: list[dict[str, str | None]], secrets: dict[str, str], message: str) -> None:
    with pytest.raises(TreeError) as caught:
        tree.wanted_files(files, secrets)
    assert message in str(caught.value)
    assert "notify" not in str(caught.value), "the secret itself is not in the message"


# --- what differs ----------------------------------------------------------------------------------------------------


def test_orphans_are_only_looked_for_where_the_tree_is_ours() -> None:
    listing = ["keepalived.conf", "own.conf", "conf.d/10-a.conf", "conf.d/20-b.conf", "conf.d/README", "scripts/old.sh"]
    assert tree.orphans(listing, ["keepalived.conf", "conf.d/20-b.conf"]) == ["conf.d/10-a.conf", "scripts/old.sh"]


@pytest.mark.parametrize(
    ("live", "differs"),
    [
        pytest.param(LiveFile(b"x\n", 0o640, 0, 0), False, id="equal"),
        pytest.param(LiveFile(b"y\n", 0o640, 0, 0), True, id="content"),
        pytest.param(LiveFile(b"x\n", 0o644, 0, 0), True, id="mode"),
        pytest.param(LiveFile(b"x\n", 0o640, 0, 7), True, id="group"),
        pytest.param(LiveFile(None, 0o777, 0, 0, "/x"), True, id="symbolic link"),
        pytest.param(None, True, id="absent"),
    ],
)
def test_changes(live: LiveFile | None, differs: bool) -> None:
    file = wanted("a.conf")
    now = {} if live is None else {"a.conf": live}
    assert tree.changes([file], now, [], (0, 0)) == ([Change("a.conf", live, file)] if differs else [])


def test_orphans_go_after_everything_is_written() -> None:
    old = LiveFile(b"", 0o640, 0, 0)
    todo = tree.changes([wanted("keepalived.conf")], {"conf.d/a.conf": old}, ["conf.d/a.conf"], (0, 0))
    assert [(each.path, each.after is None) for each in todo] == [("keepalived.conf", False), ("conf.d/a.conf", True)]


OLD = LiveFile(b"vrrp_instance A {\n    auth_pass old-one # 1\n}\n", 0o640, 0, 0)


@pytest.mark.parametrize(
    ("content", "data", "before", "after"),
    [
        pytest.param(
            f'vrrp_instance B {{\n    auth_pass "{TOKEN}"\n}}\n',
            b'vrrp_instance B {\n    auth_pass "new-one"\n}\n',
            "vrrp_instance A {\n    auth_pass ********\n}\n",
            "vrrp_instance B {\n    auth_pass ********\n}\n",
            id="text differs",
        ),
        pytest.param(
            f"vrrp_instance A {{\n    auth_pass {TOKEN}\n}}\n",
            b"vrrp_instance A {\n    auth_pass new-one\n}\n",
            "vrrp_instance A {\n    auth_pass ********\n}\n",
            "vrrp_instance A {\n    auth_pass ******** (another value)\n}\n",
            id="only the secret differs",
        ),
        pytest.param(
            OLD.data.decode() if OLD.data else "",
            OLD.data,
            "mode 0640, owner 0:0\n",
            "mode 0600, the owner who installs\n",
            id="only the mode differs",
        ),
    ],
)
def test_shown_hides_secrets_old_and_new(content: str, data: bytes, before: str, after: str) -> None:
    entry = tree.shown(Change("a.conf", OLD, WantedFile("a.conf", content, data, 0o600)), "/etc/keepalived")
    assert (entry["before"], entry["after"]) == (before, after)
    assert "old-one" not in str(entry)
    assert "new-one" not in str(entry)


def test_shown_names_what_is_absent() -> None:
    assert tree.shown(Change("a.conf", OLD, None), "/k")["after_header"] == "/k/a.conf (absent)"
    assert tree.shown(Change("a.conf", None, wanted("a.conf")), "/k")["before_header"] == "/k/a.conf (absent)"


# --- the file system -------------------------------------------------------------------------------------------------


FILES = (
    wanted("conf.d/50-web.conf", "web\n"),
    wanted("keepalived.conf", "new\n"),
    wanted("scripts/check.sh", "#!/bin/sh\n", 0o755),
)


def apply(conf_dir: Path, files: Sequence[WantedFile] = FILES) -> tuple[list[Change], list[str]]:
    """Compare and swap, as the module does."""
    live = tree.read_tree(str(conf_dir), [each.path for each in files])
    todo = tree.changes(files, live, tree.orphans(live, [each.path for each in files]), ME)
    wrong = tree.wrong_directories(tree.directories(str(conf_dir), files), ME)
    tree.swap(str(conf_dir), todo, wrong, ME, lambda _path: None)
    return todo, wrong


def test_swap_installs_removes_orphans_and_leaves_the_rest(conf_dir: Path, snapshot: Snapshot) -> None:
    todo, wrong = apply(conf_dir)
    assert [each.path for each in todo] == [
        "conf.d/50-web.conf",
        "keepalived.conf",
        "scripts/check.sh",
        "conf.d/90-old.conf",
    ]
    assert wrong == [str(conf_dir / "scripts")]
    after = snapshot(conf_dir)
    assert sorted(after) == [
        "conf.d",
        "conf.d/50-web.conf",
        "keepalived.conf",
        "link.conf",
        "own",
        "own/hand.conf",
        "scripts",
        "scripts/check.sh",
    ]
    assert after["keepalived.conf"] == (0o100640, b"new\n")
    assert after["scripts/check.sh"] == (0o100755, b"#!/bin/sh\n")
    assert after["scripts"][0] == 0o040755
    assert apply(conf_dir) == ([], []), "a second time nothing differs"


def test_a_link_is_replaced_and_not_followed(conf_dir: Path) -> None:
    apply(conf_dir, [wanted("link.conf", "mine\n"), *FILES])
    assert (conf_dir / "own/hand.conf").read_text() == "the host's own\n"
    assert not (conf_dir / "link.conf").is_symlink()


@pytest.mark.parametrize("failing", range(4))
def test_swap_puts_everything_back_when_one_step_fails(
    conf_dir: Path, snapshot: Snapshot, failing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [wanted("link.conf", "mine\n"), *FILES]
    live = tree.read_tree(str(conf_dir), [each.path for each in files])
    todo = tree.changes(files, live, tree.orphans(live, [each.path for each in files]), ME)
    wrong = tree.wrong_directories(tree.directories(str(conf_dir), files), ME)
    before = snapshot(conf_dir)
    real, calls = os.replace, []

    def replace(source: str, target: str) -> None:
        calls.append(target)
        if len(calls) == failing + 1:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(TreeError, match=r"No space left on device.*everything before it was put back"):
        tree.swap(str(conf_dir), todo, wrong, ME, lambda _path: None)
    assert snapshot(conf_dir) == before


def test_swap_puts_files_back_when_an_orphan_cannot_go(
    conf_dir: Path, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(conf_dir)
    real = os.unlink

    def unlink(path: str) -> None:
        if path.endswith("90-old.conf"):
            raise OSError(1, "Operation not permitted")
        real(path)

    monkeypatch.setattr(os, "unlink", unlink)
    with pytest.raises(TreeError, match="everything before it was put back"):
        apply(conf_dir)
    assert snapshot(conf_dir) == before


def test_read_tree_refuses_what_is_no_file(conf_dir: Path) -> None:
    with pytest.raises(TreeError, match="must be a file"):
        tree.read_tree(str(conf_dir), ["conf.d"])


def test_wrong_directories_refuse_what_is_no_directory(conf_dir: Path) -> None:
    with pytest.raises(TreeError, match="must be a directory"):
        tree.wrong_directories([str(conf_dir / "keepalived.conf")], ME)


def test_stage_is_the_whole_tree_as_it_will_be_and_goes_away(conf_dir: Path, snapshot: Snapshot) -> None:
    before = snapshot(conf_dir)
    with tree.Stage(str(conf_dir), FILES, ["conf.d/90-old.conf"], ME) as stage:
        staged = snapshot(Path(stage.path))
        assert Path(stage.path).parent.stat().st_mode & 0o777 == 0o700
        assert Path(stage.path).stat().st_mode & 0o777 == 0o755
    apply(conf_dir)
    assert staged == snapshot(conf_dir), "what was staged is what went live"
    assert sorted(before) != sorted(staged)
    assert [path.name for path in conf_dir.parent.iterdir()] == ["keepalived"], "nothing is left beside the tree"
