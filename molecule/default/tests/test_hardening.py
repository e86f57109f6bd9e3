# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""What docs/hardening.md promises: strangers are not heard, scripts pass the test, the unit is confined."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from testinfra.host import Host

from ansible_collections.failover.vip.tests.lab_play import run_playbook
from ansible_collections.failover.vip.tests.lab_watch import HolderWatch

ROLE = "failover.vip.keepalived"
TABLE = "nft list table inet failover_vip"
#: Sends advertisements of VRRP version 3 for VRID 51 with the highest priority there is: 20 a second, for 3 seconds.
#: Its arguments are where from, where to, and the VIP.
STRANGER = """
import socket, struct, sys, time
source, target, vip = (socket.inet_aton(word) for word in sys.argv[1:])
body = struct.pack("!BBBBHH4s", 0x31, 51, 255, 1, 5, 0, vip)
words = struct.unpack("!%dH" % ((12 + len(body)) // 2), source + target + struct.pack("!BBH", 0, 112, len(body)) + body)
total = sum(words)
total = (total & 0xFFFF) + (total >> 16)
total = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
sender.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
for _ in range(60):
    sender.sendto(body[:6] + struct.pack("!H", total) + body[8:], (sys.argv[2], 0))
    time.sleep(0.05)
"""


def address_of(host: Host) -> str:
    return str(
        host.check_output("ip -4 -o address show dev eth0 primary | grep -o '[0-9.]*/24' | head -1 | cut -d/ -f1")
    )


@pytest.fixture
def firewall(tasks_on: Callable[..., list[dict[str, Any]]]) -> Iterator[Callable[[str], None]]:
    """Sets keepalived_firewall on both directors, by the role's own tasks; afterwards there is none, as before."""

    def put(kind: str) -> None:
        tasks = [
            {"name": part, "ansible.builtin.include_role": {"name": ROLE, "tasks_from": part}}
            for part in ("plan", "firewall")
        ]
        tasks_on("directors", tasks, "-e", json.dumps({"keepalived_firewall": kind}))

    yield put
    put("none")


def attacked(hosts: dict[str, Host], vip: str) -> None:
    """A stranger's advertisements reach ka1, by unicast."""
    client = hosts["client"]
    words = [address_of(client), address_of(hosts["ka1"]), vip]
    client.check_output(f"python3 -c {shlex.quote(STRANGER)} {' '.join(words)}")


def test_s19_a_stranger_is_not_heard_where_the_firewall_is(
    hosts: dict[str, Host],
    vips: dict[str, str],
    watch_holders: Callable[[], HolderWatch],
    firewall: Callable[[str], None],
) -> None:
    vip = vips["WEB_VIP"]
    # Without it anybody can take the VIP from its holder, with a few packets: this is what the table is for.
    with watch_holders() as watch:
        attacked(hosts, vip)
        watch.wait_for(vip, {"ka1"}, seconds=20)
    lost = watch.timeline(vip)
    print(f"without the table: {lost}")
    assert len(lost.holders) > 1

    firewall("nftables")
    with watch_holders() as watch:
        attacked(hosts, vip)
        watch.wait_for(vip, {"ka1"}, seconds=1)
    kept = watch.timeline(vip)
    print(f"with the table: {kept}")
    assert not kept.gaps
    assert not kept.doubled
    dropped = re.search(r"@th,8,8 (?:0x33|51) .*counter packets (\d+)", hosts["ka1"].check_output(TABLE))
    assert dropped
    assert int(dropped[1]) == 60
    # The other director is heard all the while: what it sends is not counted, and it is still the backup.
    assert hosts["ka2"].run(f"ip address show to {vip}").stdout == ""
    assert hosts["ka2"].check_output(TABLE).count("packets 0 ") == 2
    # nftables.service empties all tables when it reloads; ours is there again at once.
    hosts["ka1"].check_output("systemctl start nftables && systemctl reload nftables")
    assert "@th,8,8" in hosts["ka1"].check_output(TABLE)
    firewall("none")
    assert hosts["ka1"].run(TABLE).rc != 0
    assert not hosts["ka1"].file("/etc/systemd/system/keepalived-firewall.service").exists


@pytest.mark.parametrize("name", ["ka1", "ka2"])
def test_s13_with_script_security_keepalived_warns_of_nothing(hosts: dict[str, Host], name: str) -> None:
    host = hosts[name]
    main = host.check_output("cat /etc/keepalived/keepalived.conf")
    assert "enable_script_security" in main
    assert "script_user keepalived_script" in main
    done = host.run("keepalived --config-test --use-file /etc/keepalived/keepalived.conf")
    if done.rc == 143:
        # Releases 2.2.5 to 2.2.7 end themselves over a script of another user than root: test a copy in which root is.
        assert re.search(r"v2\.2\.[567]\b", host.run("keepalived --version").stderr)
        done = host.run(
            "unshare --mount sh -c 'cp -a /etc/keepalived /run/tested && mount --bind /run/tested /etc/keepalived"
            " && sed -i s/script_user.*/script_user\\ root/ /etc/keepalived/keepalived.conf"
            " && keepalived --config-test --use-file /etc/keepalived/keepalived.conf'"
        )
        host.check_output("rm -r /run/tested")
    assert (done.rc, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["ka1", "ka2"])
def test_the_unit_is_confined_and_keepalived_can_do_all_it_needs(hosts: dict[str, Host], name: str) -> None:
    host = hosts[name]
    exposure = host.check_output("systemd-analyze security --no-pager keepalived").splitlines()[-1]
    print(exposure)
    level = re.search(r"(\d+\.\d)", exposure)
    assert level
    assert float(level[1]) < 9.0  # 9.6 as it comes from Debian
    (pid,) = host.check_output("systemctl show --property MainPID --value keepalived").split()
    status = host.check_output(f"cat /proc/{pid}/status")
    assert re.search(r"^Seccomp:\s2$", status, re.MULTILINE)
    # What the unit forbids would show in its log as a call that was not permitted.
    assert host.run("grep -ci 'not permitted' /var/log/keepalived.log").stdout.strip() == "0"


def test_s10_files_with_and_without_secrets_have_the_modes_that_are_documented(hosts: dict[str, Host]) -> None:
    host = hosts["ka1"]
    modes = host.check_output(
        "stat --format='%a %U %n' /etc/keepalived/keepalived.conf /etc/keepalived/conf.d/*.conf /var/log/keepalived.log"
    )
    assert {line.rsplit(" ", 1)[0] for line in modes.splitlines()} == {"640 root"}
    private = host.check_output("stat --format='%a %U' /etc/keepalived-mail/mail.rc /etc/keepalived-mail/webhook.json")
    assert set(private.splitlines()) == {"400 keepalived_script"}
    # A check script that could be changed by anybody but root would run with keepalived's rights.
    assert host.check_output("find /etc/keepalived /usr/local/lib/keepalived-mail -perm /022 ! -type l") == ""
    assert host.check_output("find /etc/keepalived /usr/local/lib/keepalived-mail ! -user root") == ""


def test_auth_hmac_is_refused_where_keepalived_does_not_know_it(inventory: list[Path], tmp_path: Path) -> None:
    """The releases of Debian 12 and 13 are older than 2.4."""
    play = tmp_path / "play.yml"
    tasks = [{"name": "Check", "ansible.builtin.include_role": {"name": ROLE, "tasks_from": "preflight"}}]
    play.write_text(yaml.safe_dump([{"hosts": "directors", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    signing = {
        "keepalived_instance_overrides": {"WEB_VIP": {"auth_hmac": ["key 1 %%secret:web%%", "active_key 1"]}},
        "keepalived_secrets": {"web": "made-up-key-of-thirty-two-letters"},
    }
    done = run_playbook(play, "-e", json.dumps(signing), inventory=inventory)
    assert done.returncode != 0
    output = " ".join(done.stdout.split())
    assert re.search(r"error KP023 \[ka1, WEB_VIP\] auth_hmac, but keepalived 2\.[23]\.\d does not know it", output)
    assert "made-up-key" not in output
