#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# usage: check_http.sh ADDRESS PORT PATH [SECONDS]
#
# For a vrrp_script: succeeds when http://ADDRESS:PORT/PATH answers 2xx or 3xx within SECONDS (default 0.8, less than
# the usual interval of 1, so that keepalived never has to end it). ADDRESS must be one of this host's own, best
# 127.0.0.1: behind a VIP the other director may be the one that answers, and a broken one would look healthy.
# It needs nothing but bash and coreutils, so it runs on the smallest system.
(($# == 3 || $# == 4)) || exit 2

if [[ -z ${CHECK_HTTP_BOUNDED:-} ]]; then
    # Connecting by /dev/tcp has no time limit of its own.
    CHECK_HTTP_BOUNDED=1 exec timeout --kill-after=0.1 "${4:-0.8}" "$0" "$@"
fi

exec 3<>"/dev/tcp/$1/$2" || exit 1
printf 'GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n' "$3" "$1" >&3
read -r _ status _ <&3
[[ $status == [23][0-9][0-9] ]]
