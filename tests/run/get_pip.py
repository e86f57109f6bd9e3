# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""Stands in for the get-pip.py that ansible-test would download: same arguments, pip from Python's own ensurepip.

ansible-test runs this once with the options of ``pip install`` to bootstrap an environment, and afterwards as
``pip COMMAND ...``. See tests/run/ansible_test.sh.
"""

from __future__ import annotations

import runpy
import subprocess
import sys

# In a process of its own: where it runs, ensurepip points pip's settings (index, certificates) at nothing.
subprocess.run([sys.executable, "-m", "ensurepip", "--default-pip"], check=True, stdout=subprocess.DEVNULL)

arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.argv = ["pip", "install", "--quiet", *arguments]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
