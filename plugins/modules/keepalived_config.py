#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Put a whole keepalived configuration tree in place, tested as a tree, all or nothing."""

from __future__ import annotations

DOCUMENTATION = r"""
module: keepalived_config
short_description: Install a keepalived configuration tree, all or nothing
version_added: 1.0.0
author:
  - failover.vip contributors (@failover)
description:
  - Installs keepalived's main file, its fragments and scripts as one tree.
  - The whole tree is tested with C(keepalived -t -e) before any file of it goes live.
    For this a copy is laid over O(conf_dir) in a private mount namespace,
    so that the test sees the final paths while the daemon sees nothing of it.
    Where the kernel permits no mount namespace, a copy whose texts name the copy's own directory is tested instead.
  - If the test fails, nothing is changed. If writing fails half way, everything written before is put back.
  - Files in C(conf.d/) that end in C(.conf), and all files in C(scripts/), that are not in O(files) are orphans
    and are removed.
    Nothing else in O(conf_dir) is touched.
  - The daemon is not told. Reload it when the result is changed.
options:
  files:
    description:
      - The files of the tree.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description:
          - Path of the file, relative to O(conf_dir), for example V(keepalived.conf) or V(conf.d/50-web.conf).
          - Directories in it are made if needed, with mode V(0755), so that the user of a script gets through to it.
        type: str
        required: true
      content:
        description:
          - The text of the file. Each token that is a key of O(secrets) is replaced when the file is written.
        type: str
        required: true
      mode:
        description:
          - Permissions as three octal digits.
            None may let the group or others write, as keepalived disables such scripts.
          - Default V(0640), except in C(scripts/), where it must be given.
        type: str
  conf_dir:
    description:
      - Directory of the tree, as an absolute path.
    type: path
    default: /etc/keepalived
  secrets:
    description:
      - What to put in place of tokens in the contents, token by token.
        A token is written V(%%kind:name%%), for example V(%%auth_pass:WEB_VIP%%).
      - So no secret is in O(files), in the result, or in a diff.
    type: dict
    default: {}
  orphans:
    description:
      - Whether files in C(conf.d/) and C(scripts/) that nobody asked for are removed or kept.
    type: str
    choices: [remove, keep]
    default: remove
  test:
    description:
      - V(changed) tests the tree if anything in it is to change, V(always) also if nothing is.
      - V(never) leaves the test out. That is for hosts where the test cannot say anything yet,
        for example in check mode before the users of the scripts exist.
    type: str
    choices: [changed, always, never]
    default: changed
  keepalived:
    description:
      - Name or path of the program.
    type: str
    default: keepalived
extends_documentation_fragment:
  - failover.vip._attributes
  - failover.vip._attributes.linux
  - failover.vip._attributes.action_group
attributes:
  check_mode:
    support: full
    details:
      - The tree is tested in check mode too.
        If keepalived is not installed, RV(tested) says so, and it is an error only outside check mode.
  diff_mode:
    support: full
    details:
      - One entry for each file. Values of secrets, and what follows C(auth_pass) in the files of before, are masked.
  idempotent:
    support: full
seealso:
  - module: failover.vip.vrrp_plan
"""

EXAMPLES = r"""
- name: Install the tree
  failover.vip.keepalived_config:
    files:
      - path: keepalived.conf
        content: |
          global_defs {
              router_id ka1
          }
          include /etc/keepalived/conf.d/*.conf
      - path: conf.d/50-web.conf
        content: |
          vrrp_instance WEB_VIP {
              state BACKUP
              interface eth0
              virtual_router_id 51
              priority 254
              authentication {
                  auth_type PASS
                  auth_pass "%%auth_pass:WEB_VIP%%"
              }
              virtual_ipaddress {
                  192.0.2.100/24
              }
          }
    secrets:
      "%%auth_pass:WEB_VIP%%": "{{ web_vip_password }}"
  register: tree

- name: Tell the daemon
  ansible.builtin.systemd_service:
    name: keepalived
    state: reloaded
  when: tree is changed
"""

RETURN = r"""
changed_paths:
  description: Files and directories that were written, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample:
    - /etc/keepalived/conf.d/50-web.conf
removed_paths:
  description: Orphans that were removed, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample:
    - /etc/keepalived/conf.d/90-old.conf
tested:
  description: Whether and how the tree was tested before it went live.
  returned: success, or when the test failed
  type: str
  sample: yes, with the final paths, in a private mount namespace
keepalived_output:
  description: What keepalived printed in the test, with the final paths.
  returned: success, or when the test failed
  type: list
  elements: str
  sample: []
messages:
  description: The lines of RV(keepalived_output), taken apart.
  returned: when the test failed
  type: list
  elements: dict
  contains:
    path:
      description: The file that the line is about, if keepalived names one.
      type: str
    line:
      description: The line in that file, if keepalived names one.
      type: int
    message:
      description: What is wrong.
      type: str
  sample:
    - path: /etc/keepalived/conf.d/50-web.conf
      line: 3
      message: Unknown keyword 'prioriti'
"""

import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.failover.vip.plugins.module_utils._apply import _config_test as config_test
from ansible_collections.failover.vip.plugins.module_utils._apply import _staged_tree as tree


def argument_spec() -> dict[str, Any]:
    """Return what the module takes."""
    return {
        "files": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "path": {"type": "str", "required": True},
                "content": {"type": "str", "required": True},
                "mode": {"type": "str"},
            },
        },
        "conf_dir": {"type": "path", "default": "/etc/keepalived"},
        "secrets": {"type": "dict", "default": {}, "no_log": True},
        "orphans": {"type": "str", "choices": ["remove", "keep"], "default": "remove"},
        "test": {"type": "str", "choices": ["changed", "always", "never"], "default": "changed"},
        "keepalived": {"type": "str", "default": "keepalived"},
    }


def tested(module: AnsibleModule, stage: tree.Stage, conf_dir: str) -> config_test.Examined:
    """Test the staged tree; without keepalived that is an error, except in check mode."""
    program = module.get_bin_path(module.params["keepalived"], opt_dirs=["/usr/sbin", "/usr/local/sbin"])
    if program is None:
        if not module.check_mode:
            raise tree.TreeError(f"{module.params['keepalived']} is not installed, so the tree cannot be tested")
        return config_test.Examined("no, keepalived is not installed", [])
    return config_test.examine(stage, conf_dir, program, lambda command: module.run_command(list(command)))


def install(module: AnsibleModule) -> dict[str, Any]:
    """Compare, test and swap; return the module's result."""
    params = module.params
    conf_dir = os.path.abspath(params["conf_dir"])
    # The owner is who installs, that is root wherever this is not a test.
    owner = (os.geteuid(), os.getegid())
    wanted = tree.wanted_files(params["files"], {key: str(value) for key, value in params["secrets"].items()})
    live = tree.read_tree(conf_dir, [each.path for each in wanted])
    gone = tree.orphans(live, [each.path for each in wanted]) if params["orphans"] == "remove" else []
    todo = tree.changes(wanted, live, gone, owner)
    wrong = tree.wrong_directories(tree.directories(conf_dir, wanted), owner)
    changed = bool(todo or wrong)

    examined = config_test.Examined("no, nothing differs", [])
    if params["test"] == "never":
        examined = config_test.Examined("no, it was not wanted", [])
    elif changed or params["test"] == "always":
        with tree.Stage(conf_dir, wanted, gone, owner) as stage:
            examined = tested(module, stage, conf_dir)
    if changed and not module.check_mode:
        tree.swap(conf_dir, todo, wrong, owner, lambda path: module.set_default_selinux_context(path, False))

    result = {
        "changed": changed,
        "changed_paths": wrong + [os.path.join(conf_dir, each.path) for each in todo if each.after is not None],
        "removed_paths": [os.path.join(conf_dir, path) for path in gone],
        "tested": examined.how,
        "keepalived_output": examined.lines,
    }
    if module._diff:
        result["diff"] = [tree.shown(each, conf_dir) for each in todo]
    return result


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        module.exit_json(**install(module))
    except tree.TreeError as error:
        module.fail_json(msg=str(error), **error.details)
    except OSError as error:
        module.fail_json(msg=f"the tree cannot be read or staged: {error}")


if __name__ == "__main__":
    main()
