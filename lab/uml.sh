#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# usage: lab/uml.sh run -- COMMAND…      runs it under another kernel, and ends with its exit status
#        lab/uml.sh shell                a shell there, for a person
#
# For machines whose kernel has no ip_vs. The other kernel is user-mode Linux: Linux as an ordinary process, from Debian's
# package. Around it is this same machine, read only: its podman, its Python, its images. What COMMAND writes is gone when
# it ends, but for what it writes into the checkout. It has COMMAND's environment and directory, no network but a loopback
# of its own, and nothing on its standard input. So "lab/lab.sh up", ansible-playbook and molecule work there as they do here.
#
# The kernel is fetched once, into ${XDG_CACHE_HOME:-~/.cache}/failover.vip/ (a few seconds). However this script ends, the
# other kernel ends with it, and all that ran under it.
# Environment: UML_TIMEOUT (seconds that COMMAND may take; default 3600), UML_MEM (default 3G), LAB_MIRROR (a Debian mirror),
# LAB_DEBIAN and LAB_IMAGE (the image that is built before, as there is no network inside; see lab/README.md).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(dirname "$here")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/failover.vip
limit=${UML_TIMEOUT:-3600}
memory=${UML_MEM:-3G}
usage="usage: lab/uml.sh run -- COMMAND… | lab/uml.sh shell"

say() { printf 'uml: %s\n' "$*" >&2; }
die() {
    say "$*"
    exit 1
}

case ${1:-} in
run)
    shift
    [[ ${1:-} != -- ]] || shift
    (($#)) || die "$usage"
    terminal=
    ;;
shell)
    (($# == 1)) || die "$usage"
    [[ -t 0 && -t 1 ]] || die "a shell needs a terminal; for one command: lab/uml.sh run -- COMMAND…"
    set -- "${SHELL:-/bin/bash}" -i
    terminal=$(stty -g)
    limit=infinity
    ;;
*) die "$usage" ;;
esac

[[ $(id -u) == 0 ]] || die "needs root (it mounts, and the lab's containers run as root): use sudo"
[[ $(uname -m) == x86_64 ]] || die "there is no user-mode Linux for $(uname -m): use a kernel with ip_vs (modprobe ip_vs)"
for tool in podman mmdebstrap sha256sum flock unshare setpriv; do
    command -v "$tool" >/dev/null || die "'$tool' is not installed: run make system-packages"
done

# From sid, where it is new enough for the fast way of running processes (seccomp). Nothing is installed: the packages and what
# they depend on are unpacked into a directory of their own. apt checks the signatures; a mirror that stands still will do for
# a year (sid's lists are signed for a week only).
bootstrap=(--variant=extract --format=directory '--include=user-mode-linux,kmod'
    --aptopt='Acquire::Retries "3"' --aptopt='Acquire::Min-ValidTime "31536000"')
mirror=(${LAB_MIRROR:+"$LAB_MIRROR"})

# Sets $root, where the kernel and its modules are, and keeps it from being removed as long as this script lives.
prepare() {
    local key part start=$SECONDS log=$cache/uml.log old
    # The number is to change with what is done to the directory below.
    key=$(printf '%s\n' 1 "${bootstrap[@]}" "${mirror[@]}" | sha256sum | cut -c1-16)
    root=$cache/uml-$key
    mkdir -p "$cache"
    exec 9>"$cache/uml.lock"
    flock 9
    if [[ ! -d $root ]]; then
        say "fetching user-mode Linux from Debian (log: $log)"
        # Complete or not there: it is unpacked under another name first.
        part=$(mktemp -d "$cache/uml-part.XXXXXX")
        # shellcheck disable=SC2064  # as it is now
        trap "rm -rf '$part'" EXIT
        mmdebstrap "${bootstrap[@]}" sid "$part" "${mirror[@]}" >"$log" 2>&1 9>&- || {
            tail -n 20 "$log" >&2
            die "mmdebstrap failed, see above and $log. Can this machine reach the package mirror (LAB_MIRROR names another)," \
                "and does its package debian-archive-keyring know 'sid'?"
        }
        # What packages take for granted, and what is mounted below.
        ln -s usr/bin usr/sbin usr/lib usr/lib64 "$part"
        ln -s uml/modules "$part/usr/lib/modules"
        mkdir -p "$part"/{dev,proc,machine}
        chmod 755 "$part"
        mv "$part" "$root"
        trap - EXIT
        for old in "$cache"/uml-*/; do
            [[ $old == "$root/" ]] || flock --nonblock "$old" rm -rf "$old" || true
        done
        say "ready after $((SECONDS - start)) s"
    fi
    exec 8<"$root"
    flock --shared 8
    exec 9>&-
}
prepare

# Here, as there is no network inside. The images of this machine's podman are seen from inside.
"$here/image.sh" "${LAB_IMAGE:-${LAB_DEBIAN:-trixie}}" >/dev/null

job=$(mktemp -d /tmp/failover-vip-uml.XXXXXX)
machine=
# shellcheck disable=SC2329  # called by the trap
tidy() {
    # The process that made the namespaces; with it goes all that is in them.
    [[ -z $machine ]] || kill -KILL "$machine" 2>/dev/null || true
    # The printers end when nobody can write to them any more.
    exec 3>&- 4>&-
    wait 2>/dev/null
    [[ -z $terminal ]] || stty "$terminal"
    rm -rf "$job"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

cp "$here/uml_init.sh" "$job/init"
images=$(podman info --format '{{.Store.GraphDriverName}} {{.Store.GraphRoot}}')
[[ $images == "overlay "* ]] || images=
images=${images#overlay }
directory=$PWD
command=("$@")
size=$([[ -z $terminal ]] || stty size)
declare -p root checkout images directory command size >"$job/settings"
export -p >"$job/environment"

# The kernel's own messages are kept apart from what the command prints: consoles 1 and 2 are its output and its errors.
printers=()
if [[ -n $terminal ]]; then
    consoles="con1=fd:3,fd:3"
    exec 3<>/dev/tty 4>/dev/null
else
    # Through pipes: a terminal would be set raw, and Ctrl-C lost.
    consoles="con1=null,fd:3 con2=null,fd:4"
    exec 3> >(exec cat 4>&-)
    printers+=($!)
    exec 4> >(exec cat 3>&- >&2)
    printers+=($!)
fi

# A process tree, mounts and shared memory of its own. The kernel sees $root as its world, and this machine below it.
# shellcheck disable=SC2016  # for the inner shell
setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --propagation private bash -euc '
    root=$1 job=$2 memory=$3 limit=$4 consoles=$5
    mount --rbind / "$root/machine"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs -o "size=$memory" memory "$root/dev/shm" # as large as what the kernel takes for its memory
    mount -t proc proc "$root/proc"
    # shellcheck disable=SC2086  # words
    TMPDIR=/dev/shm exec timeout --foreground --signal=KILL "$limit" chroot "$root" /usr/bin/linux.uml "mem=$memory" seccomp=auto uml_dir=/dev/shm/ \
        rootfstype=hostfs rootflags=/machine ro "init=$job/init" "JOB=$job" quiet con=null con0=null,fd:1 $consoles
' _ "$root" "$job" "$memory" "$limit" "$consoles" </dev/null >"$job/kernel.log" 2>&1 &
machine=$!
start=$SECONDS
wait "$machine" || true
machine=
exec 3>&- 4>&-
wait "${printers[@]}"

[[ -s $job/status ]] || {
    if [[ $limit != infinity ]] && ((SECONDS - start >= limit)); then
        say "ended after $limit s (UML_TIMEOUT): $*"
        exit 124
    fi
    tail -n 40 "$job/kernel.log" >&2
    die "the kernel ended without a result, see above: $*"
}
exit "$(<"$job/status")"
