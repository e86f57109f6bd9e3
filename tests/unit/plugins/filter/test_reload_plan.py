# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
"""The filter reload_plan: what runs, as keepalived_lint reads it, against the files that are to come."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.failover.vip.plugins.filter.reload_plan import reload_plan
from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._plain import fingerprint, to_plain
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read

KEY = "a key of this test"
MAIN = """global_defs {
    router_id HOST
    vrrp_version 2
}
include /etc/keepalived/conf.d/*.conf
"""
WEB = """vrrp_instance WEB_VIP {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority PRIORITY
    advert_int 1
    unicast_src_ip OWN
    unicast_peer {
        PEER
    }
    authentication {
        auth_type PASS
        auth_pass "PASSWORD"
    }
    virtual_ipaddress {
        172.25.254.100/24
    }
}
"""
HOSTS = {
    "ka1": {"PRIORITY": "254", "OWN": "172.25.254.50", "PEER": "172.25.254.60"},
    "ka2": {"PRIORITY": "253", "OWN": "172.25.254.60", "PEER": "172.25.254.50"},
}


def files(host: str, password: str, **changes: str) -> list[dict[str, str]]:
    texts = {"keepalived.conf": MAIN.replace("HOST", host), "conf.d/10-web.conf": WEB.replace("PASSWORD", password)}
    for old, new in [*HOSTS[host].items(), *changes.items()]:
        texts = {path: text.replace(old, new) for path, text in texts.items()}
    return [{"path": path, "content": text} for path, text in texts.items()]


def mask(secret: str, length: int | None) -> str:
    return fingerprint(secret, length, KEY)


def running(password: str = "an-old1") -> dict[str, Any]:
    found = {}
    for host in HOSTS:
        texts = {f"/etc/keepalived/{file['path']}": file["content"] for file in files(host, password)}
        nodes = parse("/etc/keepalived/keepalived.conf", from_texts(texts), host).nodes
        found[host] = to_plain(read(nodes)[0], mask, places=True)
    return found


def plan(password: str = "an-old1", **changes: str) -> dict[str, Any]:
    wanted = {host: files(host, "%%auth_pass:WEB_VIP%%", **changes) for host in HOSTS}
    return reload_plan(running(), wanted, auth_pass={"WEB_VIP": password}, fingerprint_key=KEY)


def test_the_same_configuration_needs_nothing() -> None:
    found = plan()
    assert {host: step["action"] for host, step in found["hosts"].items()} == {"ka1": "nothing", "ka2": "nothing"}
    assert (found["together"], found["findings"], found["window"]) == ([], [], None)


def test_a_harmless_setting_goes_host_by_host() -> None:
    found = plan(**{"vrrp_version 2": "vrrp_version 2\n    vrrp_garp_master_refresh 60"})
    assert {step["action"] for step in found["hosts"].values()} == {"reload"}
    assert found["findings"] == []


def test_what_keepalived_cannot_change_while_it_runs() -> None:
    found = plan(**{"vrrp_version 2": "vrrp_version 2\n    disable_local_igmp"})
    assert {(step["action"], *step["reasons"]) for step in found["hosts"].values()} == {
        ("restart", "disable_local_igmp changes")
    }


@pytest.mark.parametrize(
    "change",
    [
        {"172.25.254.100/24": "172.25.254.101/24"},
        {"advert_int 1": "advert_int 2"},
        {"vrrp_version 2": "vrrp_version 3"},
        {"virtual_router_id 51": "virtual_router_id 53"},
    ],
)
def test_what_must_be_together_is_a_finding(change: dict[str, str]) -> None:
    found = plan(**change)
    assert [finding["rule"] for finding in found["findings"]] == ["KP021"]
    assert "WEB_VIP must reload on all of ka1, ka2" in found["findings"][0]["message"]
    assert found["window"] > 0


def test_a_new_password_is_noticed_and_in_no_result() -> None:
    found = plan("a-new-1")
    assert [finding["rule"] for finding in found["findings"]] == ["KP021"]
    assert "a-new-1" not in str(found)
    assert "an-old1" not in str(found)


def test_a_new_key_of_auth_hmac_is_noticed_and_in_no_result() -> None:
    old, new = "an-old-key-of-thirty-two-characters", "a-new-key-of-thirty-two-characters-"

    def signed(files: list[dict[str, str]], key: str) -> list[dict[str, str]]:
        block = "auth_hmac {\n        key 1 %s\n        active_key 1\n    }" % key
        texts = {file["path"]: file["content"] for file in files}
        head, _auth, tail = texts["conf.d/10-web.conf"].partition("    authentication {")
        texts["conf.d/10-web.conf"] = head + block + tail.partition("}")[2]
        return [{"path": path, "content": text} for path, text in texts.items()]

    before = {}
    for host in HOSTS:
        texts = {f"/etc/keepalived/{file['path']}": file["content"] for file in signed(files(host, ""), old)}
        nodes = parse("/etc/keepalived/keepalived.conf", from_texts(texts), host).nodes
        before[host] = to_plain(read(nodes)[0], mask, places=True)
    wanted = {host: signed(files(host, ""), "%%secret:web%%") for host in HOSTS}
    same = reload_plan(before, wanted, secrets={"web": old}, fingerprint_key=KEY)
    assert {step["action"] for step in same["hosts"].values()} == {"nothing"}
    changed = reload_plan(before, wanted, secrets={"web": new}, fingerprint_key=KEY)
    assert [finding["rule"] for finding in changed["findings"]] == ["KP021"]
    assert "KP023" in changed["findings"][0]["message"]
    assert old not in str(changed)
    assert new not in str(changed)


@pytest.mark.parametrize(
    ("before", "wanted"),
    [({"ka1": {"no_such_key": []}}, {}), ({}, {"ka1": []}), ({}, {"ka1": [{"path": "keepalived.conf"}]}), ([], {})],
)
def test_what_is_no_configuration(before: Any, wanted: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="cannot read a configuration"):
        reload_plan(before, wanted, fingerprint_key=KEY)
