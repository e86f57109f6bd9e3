#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# ansible-test sanity and units, without containers and without anything from outside the package index.
# usage: make sanity [ONLY=sanity|units|NAME-OF-A-SANITY-TEST]
#
# Three things that ansible-test wants, and how it gets them:
# - a directory .../ansible_collections/failover/vip that is no link: the tree is copied to a temporary one, as git sees it;
# - a pip bootstrap script from a server of Ansible's: a script of the same name in the cache uses Python's ensurepip instead,
#   in a home directory of its own so that nothing else on the machine meets it;
# - interpreters that run: pyenv's shims of inactive versions stop it, so PATH has only real ones, of every version found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/run/steps.sh

own_python=$("$VENV/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
site=$("$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

tree=$temporary/ansible_collections/failover/vip
mkdir -p "$tree" "$temporary/bin"
files . | xargs -0 cp --parents --no-dereference --target-directory="$tree"

real_home=$HOME
home=$CACHE/ansible-test-home
mkdir -p "$home/.ansible/test/cache" "$home/.config"
# The user's package index, if one is set.
for settings in .config/pip .pip; do
    [[ ! -e $real_home/$settings ]] || ln -sfn "$real_home/$settings" "$home/$settings"
done
pip_version=$(sed -nE "s/^ *pip='([0-9.]+)',$/\1/p" "$site/ansible_test/_internal/python_requirements.py" | tail -n 1)
[[ -n $pip_version ]] || {
    echo "** sanity: cannot tell which pip this ansible-test bootstraps; has its python_requirements.py changed?"
    exit 1
}
cp tests/run/get_pip.py "$home/.ansible/test/cache/get_pip_${pip_version//./_}.py"

# One of each version that ansible-test may want; in a virtual environment of its own, so ensurepip must be there.
others=
for python in "$real_home"/.pyenv/versions/3.*/bin/python3.* /usr/local/bin/python3.* /usr/bin/python3.*; do
    name=${python##*/}
    [[ $name =~ ^python3\.[0-9]+$ && $name != "python$own_python" && ! -e $temporary/bin/$name ]] || continue
    "$python" -c 'import ensurepip, venv' 2>/dev/null || continue
    ln -s "$python" "$temporary/bin/$name"
    others+=" ${name#python}"
done

in_tree() {
    (cd "$tree" && env -u ANSIBLE_CONFIG -u ANSIBLE_COLLECTIONS_PATH HOME="$home" PATH="$1:/usr/sbin:/usr/bin:/sbin:/bin" "${@:2}" </dev/null)
}
sanity() {
    in_tree "$VENV/bin:$temporary/bin" ansible-test sanity --color no "$@"
}
units() {
    in_tree "$VENV/bin" ansible-test units --color no --python "$own_python" --num-workers 2
}

case ${1:-} in
'' | sanity | units) steps_begin sanity "${1:-}" ;;
*)
    # One sanity test by its name.
    steps_begin sanity "$1"
    step "$1" sanity --test "$1"
    steps_end
    exit
    ;;
esac
echo "== sanity: Python $own_python; to compile and import also:${others:- no other}"
step sanity sanity
step units units
steps_end
