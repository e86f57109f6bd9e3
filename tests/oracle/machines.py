# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""A machine without a network for each Debian release, made from the lab's image, with that release's keepalived."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RELEASES = ("bookworm", "trixie")
#: Seconds after which a machine ends by itself, whatever became of the tests.
LIFE = 900

_PREPARE = """
set -eu
apt-get install --yes --no-install-recommends keepalived >/tmp/install 2>&1 || { cat /tmp/install; exit 1; }
dpkg-deb --extract /srv/failover-vip-packages/keepalived_*.deb /tmp/package
for number in 0 1 2 3; do
    ip link add "eth$number" type veth peer name "far$number"
    ip link set "far$number" up
    ip link set "eth$number" up
done
ip address add 172.25.254.50/24 dev eth0
ip address add 2001:db8::50/64 dev eth0
"""


def run(*command: str, stdin: str = "") -> str:
    """A command's standard output; its words are shown where it fails."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(
            "%s\nfailed with %d: %s" % (" ".join(command)[:400], done.returncode, (done.stdout + done.stderr)[-2000:])
        )
    return done.stdout


def _options() -> list[str]:
    """What lab/create.yml gives its containers, for the same reasons."""
    runtime = (
        ["--runtime", "runc"] if run("podman", "info", "--format", "{{.Host.CgroupsVersion}}").strip() == "v1" else []
    )
    capabilities = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:")
    )
    files = min(os.sysconf("SC_OPEN_MAX"), 20000)
    limits = ["--ulimit", "nofile=%d:%d" % (files, files), "--ulimit", "nproc=8192:8192"]
    return [*runtime, "run", "--detach", "--rm", "--privileged", "--network", "none"] + (
        [] if int(capabilities.split()[1], 16) >> 24 & 1 else limits
    )


class Machine:
    """One container; ``version`` is its keepalived's, as (2, 2, 7)."""

    def __init__(self, release: str) -> None:
        image = run(str(ROOT / "lab/image.sh"), release).split()[-1]
        self.release = release
        self.container = run("podman", *_options(), image, "sleep", str(LIFE)).split()[-1]
        try:
            run("podman", "exec", self.container, "sh", "-c", _PREPARE)
            said = run("podman", "exec", self.container, "sh", "-c", "keepalived --version 2>&1")
        except BaseException:
            self.remove()
            raise
        self.version = tuple(int(part) for part in said.split()[1].lstrip("v").split("."))

    def python(self, program: str, given: Any = None) -> Any:
        """What a Python program leaves in ``result`` when it is run inside with ``given``; both are plain data."""
        frame = "import json, sys\ngiven = json.load(sys.stdin)\n%s\njson.dump(result, sys.stdout)\n" % program
        return json.loads(
            run("podman", "exec", "--interactive", self.container, "python3", "-c", frame, stdin=json.dumps(given))
        )

    def remove(self) -> None:
        run("podman", "rm", "--force", "--time", "0", self.container)


def tables(rows: Sequence[Sequence[object]]) -> str:
    """Rows as aligned columns."""
    widths = [max(len(str(row[index])) for row in rows) for index in range(len(rows[0]))]
    return "\n".join(
        "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
