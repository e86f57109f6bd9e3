# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""What a host has once, beside global_defs: static addresses and the SSL of checks; read, written, as data and back."""

from __future__ import annotations

import json

import pytest

from ansible_collections.failover.vip.plugins.module_utils._conf._keyword import BadValue
from ansible_collections.failover.vip.plugins.module_utils._conf._parse import from_texts, parse
from ansible_collections.failover.vip.plugins.module_utils._conf._plain import from_plain, to_plain
from ansible_collections.failover.vip.plugins.module_utils._conf._read import read
from ansible_collections.failover.vip.plugins.module_utils._conf._write import files
from ansible_collections.failover.vip.plugins.module_utils._finding import Finding
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster, Director
from ansible_collections.failover.vip.plugins.module_utils._rules._catalogue import check

CONF = """
static_ipaddress {
    192.0.2.10/24 dev eth0 scope global
    2001:db8::10/64 dev eth0
}
SSL {
    password canary
    ca /etc/keepalived/ca.pem
    certificate /etc/keepalived/own.pem
    key /etc/keepalived/own.key
}
static_ipaddress {
    192.0.2.11/24 dev eth0
}
vrrp_instance A {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        %s/24
    }
}
virtual_server 192.0.2.11 80 {
    real_server 192.0.2.21 80 {
        TCP_CHECK {
        }
    }
}
"""


def director(text: str) -> tuple[Director, list[Finding]]:
    parsed = parse("/k.conf", from_texts({"/k.conf": text}))
    found, findings = read(parsed.nodes)
    return found, [*parsed.findings, *findings]


def written(one: Director) -> dict[str, str]:
    return {"/etc/keepalived/" + file.path: file.content for file in files(one, "/etc/keepalived")}


def test_read() -> None:
    found, findings = director(CONF % "192.0.2.100")
    assert findings == []
    assert [vip.address for vip in found.static_vips] == ["192.0.2.10", "2001:db8::10", "192.0.2.11"]
    assert found.static.place("static_ipaddress").line == 2
    assert found.ssl.options["ca"] == "/etc/keepalived/ca.pem"


def test_text_and_back() -> None:
    found, _findings = director(CONF % "192.0.2.100")
    parsed = parse("/etc/keepalived/keepalived.conf", from_texts(written(found)))
    again, findings = read(parsed.nodes)
    assert [*parsed.findings, *findings] == []
    assert again.static.options == found.static.options
    assert again.ssl.options == found.ssl.options
    assert written(again) == written(found)


def test_plain_data_and_back() -> None:
    found, _findings = director(CONF % "192.0.2.100")
    data = json.loads(json.dumps(to_plain(found, places=True)))
    again = from_plain("", data)
    assert (again.static, again.ssl) == (found.static, found.ssl)
    masked = json.dumps(to_plain(found, lambda secret, _length: "%%" + secret.upper()))
    assert "canary" not in masked
    assert from_plain("", json.loads(masked)).ssl.options["password"] == "%%CANARY"


def test_without_them_nothing_is_written() -> None:
    assert "static_ipaddress" not in "".join(written(Director("ka1")).values())
    assert not {"static", "SSL"} & set(to_plain(Director("ka1")))


@pytest.mark.parametrize("data", [{"static": {"static_routes": []}}, {"static": 1}, {"SSL": {"pasword": "x"}}])
def test_plain_data_of_the_wrong_shape(data: dict[str, object]) -> None:
    with pytest.raises(BadValue):
        from_plain("a", data)


def test_the_rules_know_static_addresses() -> None:
    def said(vip: str) -> set[str]:
        found, _findings = director(CONF % vip)
        return {one.rule for one in check(Cluster({"ka1": found}))} & {"KL001", "KH012"}

    assert said("192.0.2.100") == set()
    assert said("192.0.2.10") == {"KH012"}
    found, _findings = director(CONF.replace("192.0.2.11/24", "192.0.2.12/24") % "192.0.2.100")
    assert "KL001" in {one.rule for one in check(Cluster({"ka1": found}))}
