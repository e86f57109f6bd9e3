#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# usage: lab/image.sh bookworm|trixie        from Debian's packages (mmdebstrap), no image registry needed
#        lab/image.sh REGISTRY/IMAGE:TAG     on top of an image from a registry (Debian or Red Hat family)
#
# Makes the lab's image, localhost/failover-vip:bookworm, and prints its id as the last line. Nothing else is
# done when it is there already. Images are marked with a hash of all that they are made from: a change builds
# anew. Debian's are kept as tarballs in ${XDG_CACHE_HOME:-~/.cache}/failover.vip/, with the build's log.
# Environment: LAB_MIRROR (a Debian mirror; default: mmdebstrap's own choice).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
base=${1:?usage: lab/image.sh bookworm|trixie|REGISTRY/IMAGE:TAG}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/failover.vip
label=failover.vip.key

say() { printf 'image %s: %s\n' "$base" "$*" >&2; }
die() {
    say "$*"
    exit 1
}

for tool in podman sha256sum flock; do
    command -v "$tool" >/dev/null || die "'$tool' is not installed: run make system-packages"
done
[[ $(id -u) == 0 ]] || die "needs root (the lab's containers run systemd and change kernel settings): use sudo"

case $base in
*[/:]*) tag=$(tr -c 'A-Za-z0-9._\n-' - <<<"${base##*/}") ;;
*) tag=$base ;;
esac
image=localhost/failover-vip:$tag

containerfile="FROM $base
COPY packages.sh /usr/local/sbin/failover-vip-packages
RUN sh /usr/local/sbin/failover-vip-packages
CMD [\"/sbin/init\"]"
# Manual pages and fsync cost seconds in every container and are of no use here. The lists and .debs of
# packages.sh are to stay, so mmdebstrap's own tidying is skipped.
# shellcheck disable=SC2016  # $1 is the new root, known to mmdebstrap's shell
bootstrap=(--variant=minbase --format=tar --skip=cleanup/apt
    --aptopt='Acquire::Retries "3"'
    --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*'
    --customize-hook="copy-in '$here/packages.sh' /tmp"
    --customize-hook='chroot "$1" sh /tmp/packages.sh'
    --customize-hook='rm "$1/tmp/packages.sh"')
mirror=(${LAB_MIRROR:+"$LAB_MIRROR"})

key=$({
    cat "$here/packages.sh"
    printf '%s\n' "$containerfile" "${bootstrap[@]//"$here"/}" "${mirror[@]}" "$(uname -m)"
} | sha256sum | cut -c1-16)

mkdir -p "$cache"
# Several labs may come up at once; one of them builds, the others wait and then find the image.
exec 9>"$cache/image-$tag.lock"
flock 9

if [[ $(podman image inspect --format "{{index .Labels \"$label\"}}" "$image" 2>/dev/null) == "$key" ]]; then
    podman image inspect --format '{{.Id}}' "$image"
    exit 0
fi

start=$SECONDS
old=$(podman image inspect --format '{{.Id}}' "$image" 2>/dev/null) || true
log=$cache/image-$tag.log
if [[ $base == *[/:]* ]]; then
    say "building on top of it with packages from its own mirrors (a few minutes; log: $log)"
    # The network is the machine's for this step only; the lab's containers have an internal one. No runtime is
    # needed to run one script, and so none of what the machine must allow for one (see create.yml).
    podman build --isolation chroot --network host --label "$label=$key" --tag "$image" --file - "$here" <<<"$containerfile" >"$log" 2>&1 9>&- || {
        tail -n 20 "$log" >&2
        die "podman build failed, see above and $log. Can this machine reach the image's registry and package mirrors?"
    }
else
    tarball=$cache/image-$base-$key.tar
    if [[ ! -s $tarball ]]; then
        command -v mmdebstrap >/dev/null || die "'mmdebstrap' is not installed: run make system-packages"
        say "building from Debian's packages (about a minute; log: $log)"
        # The tarball is complete or not there: it is written under another name first.
        trap 'rm -f "$tarball.part"' EXIT
        mmdebstrap "${bootstrap[@]}" "$base" "$tarball.part" "${mirror[@]}" 2>&1 9>&- | tee "$log" |
            sed -un -e "s/^I: /image $base: /p" >&2 || {
            tail -n 20 "$log" >&2
            die "mmdebstrap failed, see above and $log. Can this machine reach the package mirror (LAB_MIRROR names another)," \
                "and does its package debian-archive-keyring know '$base'?"
        }
        mv "$tarball.part" "$tarball"
        find "$cache" -name "image-$base-*.tar" ! -name "image-$base-$key.tar" -delete
    fi
    say "importing $tarball into podman"
    podman import --quiet --change "LABEL $label=$key" --change 'CMD ["/sbin/init"]' "$tarball" "$image" >/dev/null
fi
# What was replaced goes, unless a container still runs from it.
if [[ -n $old ]]; then podman rmi "$old" >/dev/null 2>&1 || true; fi
say "ready after $((SECONDS - start)) s"
podman image inspect --format '{{.Id}}' "$image"
