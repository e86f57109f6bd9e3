#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# usage: relay.sh NAME ADDRESS
#
# Makes the lab's host NAME a mail relay with TLS and login, as a company has one: ports 465 (TLS from the start) and 587
# (STARTTLS) want the login, port 25 takes mail from everybody, since keepalived's own client knows neither. What comes for
# ops or alerts @NAME.example.net is in their Maildir. Both certificates, of which one has expired, are from an authority
# of its own, /etc/relay/ca.pem.
set -eu
name=$1
address=$2

umask 022
mkdir -p /etc/relay/issued
cd /etc/relay
cat >ca.cnf <<CNF
[ca]
default_ca = relay
[relay]
database = index.txt
new_certs_dir = issued
rand_serial = yes
policy = any
default_md = sha256
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
CNF
: >index.txt
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj '/CN=Lab authority' -keyout ca.key -out ca.pem \
    -addext 'keyUsage=critical,keyCertSign,cRLSign'
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" -addext "subjectAltName=DNS:$name" \
    -keyout relay.key -out relay.csr
issue() {
    openssl ca -batch -notext -config ca.cnf -cert ca.pem -keyfile ca.key -in relay.csr -startdate "$1" -enddate "$2" -out "$3"
}
issue "$(date -u -d -1day +%Y%m%d%H%M%SZ)" "$(date -u -d +20days +%Y%m%d%H%M%SZ)" good.pem
issue "$(date -u -d -9days +%Y%m%d%H%M%SZ)" "$(date -u -d -1day +%Y%m%d%H%M%SZ)" expired.pem
chmod 0600 ca.key relay.key
cp good.pem relay.pem

useradd --create-home ops
useradd --create-home alerts

# smtpd wants a name with a dot, and the lab has no domain.
echo "$name.example.net" >/etc/mailname
cat >/etc/smtpd.conf <<CONF
pki lab cert "/etc/relay/relay.pem"
pki lab key "/etc/relay/relay.key"
table logins file:/etc/relay/logins
listen on $address port 465 smtps pki lab auth <logins>
listen on $address port 587 tls-require pki lab auth <logins>
listen on $address port 25
action "keep" maildir
match auth from any for local action "keep"
match from any for local action "keep"
CONF

# The login of the directors, with the password that it is given.
cat >/usr/local/sbin/relay-login <<'LOGIN'
#!/bin/sh
set -eu
hash=$(smtpctl encrypt "$1")
umask 027
echo "lab@example.org $hash" >/etc/relay/logins
chgrp opensmtpd /etc/relay/logins
systemctl restart opensmtpd
LOGIN
chmod 0755 /usr/local/sbin/relay-login
