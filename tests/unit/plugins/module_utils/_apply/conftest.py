# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""A live tree, and how to tell whether anything in it has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def conf_dir(tmp_path: Path) -> Path:
    """A live tree with one of our files, an orphan and files of the host's own."""
    root = tmp_path / "keepalived"
    for name, text, mode in (
        ("keepalived.conf", "old\n", 0o640),
        ("conf.d/90-old.conf", "orphan\n", 0o640),
        ("own/hand.conf", "the host's own\n", 0o600),
    ):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
    (root / "link.conf").symlink_to("own/hand.conf")
    for directory in (root, root / "conf.d"):
        directory.chmod(0o755)
    return root


@pytest.fixture
def snapshot() -> Callable[[Path], dict[str, tuple[int, bytes]]]:
    """What gives each path below a directory with its mode and content."""

    def take(root: Path) -> dict[str, tuple[int, bytes]]:
        return {
            str(path.relative_to(root)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
            for path in sorted(root.rglob("*"))
        }

    return take
