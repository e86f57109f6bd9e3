#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# usage: check_flag.sh FILE
#
# For a vrrp_script: fails while FILE exists, so that "touch FILE" moves the VIPs away and "rm FILE" lets them return.
[ $# -eq 1 ] || exit 2
[ ! -e "$1" ]
