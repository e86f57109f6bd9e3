#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# Runs as root INSIDE the image that image.sh builds, with the network still there.
# Installs what every machine has anyway, and puts what the roles install into a package repository
# in the image (downloaded, not installed). That repository is then the only one the system knows:
# the lab's network leads nowhere, and "apt-get update" and "dnf makecache" still succeed.
set -eu

repository=/srv/failover-vip-packages
# What the roles, the playbooks and the tests may install in a container. Recommended packages come
# along: Ansible's apt module installs them too.
wanted='keepalived haproxy rsyslog logrotate s-nail ipvsadm tcpdump nftables openssl'

install_debian() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q update
    # python3-apt is what ansible.builtin.apt works with; apt-utils writes the repository's index
    apt-get -q -y --no-install-recommends install systemd systemd-sysv dbus python3 python3-apt apt-utils \
        iproute2 iputils-ping procps kmod sudo curl ca-certificates
    mkdir -p "$repository/partial"
    # OpenSMTPD is the relay that molecule/notify sends through.
    # shellcheck disable=SC2086  # a list of words
    apt-get -q -y --install-recommends --download-only -o Dir::Cache::archives="$repository" install $wanted apache2 opensmtpd
    rm -rf "$repository/partial" "$repository/lock"
    (cd "$repository" && apt-ftparchive packages . >Packages && apt-ftparchive release . >Release.new && mv Release.new Release)
    rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
    printf 'Types: deb\nURIs: file:%s\nSuites: ./\nTrusted: yes\n' "$repository" >/etc/apt/sources.list.d/failover-vip.sources
    rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
    apt-get -q update
}

install_redhat() {
    dnf -y install systemd dbus python3 python3-dnf dnf-plugins-core createrepo_c iproute iputils procps-ng kmod sudo
    # shellcheck disable=SC2086  # a list of words
    dnf -y --downloadonly --downloaddir="$repository" install $wanted httpd
    createrepo_c --quiet "$repository"
    dnf config-manager --set-disabled '*'
    printf '[failover-vip]\nname=failover.vip lab\nbaseurl=file://%s\nenabled=1\ngpgcheck=0\n' "$repository" \
        >/etc/yum.repos.d/failover-vip.repo
    dnf clean all
    dnf -q makecache
}

if command -v apt-get >/dev/null; then
    install_debian
elif command -v dnf >/dev/null; then
    install_redhat
else
    echo "packages.sh: this image has neither apt-get nor dnf" >&2
    exit 1
fi

systemctl set-default multi-user.target
# A lab has no use for them, and the package manager's lock is to be free when a role asks for it.
systemctl mask systemd-firstboot.service console-getty.service apt-daily.timer apt-daily-upgrade.timer dnf-makecache.timer
# podman has mounted one already. On a busy machine systemd may miss that, and mount another over a running module.
systemctl mask tmp.mount
: >/etc/machine-id # every container makes its own

# The shell that Ansible runs in the containers (inventories/lab): without it the environment of whoever runs a play
# (proxies, locales, PATH) would reach in here, as it does not on a real machine. A second one below changes nothing.
cat >/usr/local/sbin/failover-vip-sh <<'SHELL'
#!/bin/sh
[ -n "${FAILOVER_VIP_SH-}" ] || exec env -i FAILOVER_VIP_SH=1 LANG=C.UTF-8 HOME="$(getent passwd "$(id -u)" | cut -d: -f6)" \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /bin/sh "$@"
exec /bin/sh "$@"
SHELL
chmod 0755 /usr/local/sbin/failover-vip-sh
