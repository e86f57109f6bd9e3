#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# usage: make molecule                    all runs below, two side by side
#        make molecule ONLY=default       one scenario, on every release it is run on
#        make molecule ONLY=default:trixie
#        KEEP=1 make molecule ONLY=…      leaves the labs up: LAB_ID=mol-default-trixie lab/lab.sh status
#
# Every run has a lab of its own. The labs are removed at the end, however it ends; logs, with the machines' journals
# of runs that failed, stay in tests/output/molecule/.
#
# Molecule calls much a success that is none: steps whose playbook is missing, a verifier without tests. Both are failures here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

: "${RESULTS:?start it through make molecule}"
# The longest first: under user-mode Linux lvs takes as long as half of the others together, and all of a processor. What
# measures failovers comes when it is over.
runs=(lvs:trixie notify:bookworm audit:bookworm audit:trixie secrets:bookworm refused:trixie
    default:trixie default:bookworm drill:trixie rolling:trixie nopreempt:bookworm)
side_by_side=2
output=$PWD/tests/output/molecule
unset LAB_SUBNET LAB_IMAGE

[[ $(id -u) == 0 ]] || {
    echo "** molecule: the lab needs root: sudo make molecule" >&2
    exit 1
}

lab_of() { echo "mol-${1/:/-}"; }

keep_journals() {
    local id container
    id=$(lab_of "$1")
    for container in $(podman ps --filter "network=failover-vip-$id" --format '{{.Names}}'); do
        timeout 30 podman exec "$container" journalctl --no-pager --boot >"$output/$container.journal" 2>&1 || true
    done
}

# One run, started from below under the kernel that it needs: from elsewhere its machines cannot be asked for their journals.
if [[ ${1:-} == --one ]]; then
    molecule test --scenario-name "${2%:*}" --destroy never && exit
    keep_journals "$2"
    exit 1
fi

chosen=()
for run in "${runs[@]}"; do
    if (($# == 0)) || [[ " $* " == *" $run "* || " $* " == *" ${run%:*} "* ]]; then chosen+=("$run"); fi
done
((${#chosen[@]})) || {
    echo "** molecule: there is no run '$*'; there are: ${runs[*]}" >&2
    exit 1
}

mkdir -p "$RESULTS"
rm -f "$RESULTS"/molecule*
: >"$RESULTS/molecule.txt"
rm -rf "$output"
mkdir -p "$output"

remove_lab() {
    local id
    id=$(lab_of "$1")
    # A scenario may have machines that inventories/lab does not know.
    podman ps --all --filter "network=failover-vip-$id" --format '{{.Names}}' | xargs --no-run-if-empty podman rm --force --time 0 >/dev/null
    LAB_ID=$id lab/lab.sh down >>"$output/${1/:/-}.log" 2>&1 || echo "** molecule: the lab of $1 is not gone, see $output/${1/:/-}.log"
}

# What is wrong with a run that says it is well, or nothing.
objection() {
    local log=$1 results=$2
    if grep -qE 'missing=[1-9]' "$log"; then
        echo "a step's playbook is missing"
    elif ! grep -qE 'SCENARIO RECAP' "$log"; then
        echo "Molecule printed no recap"
    elif ! [[ -s $results ]] || ! grep -qE '<testcase' "$results"; then
        echo "no test was run"
    fi
}

test_one() {
    local run=$1 name=${1/:/-} start=$SECONDS status=0 why
    local log=$output/$name.log results=$RESULTS/molecule-$name.xml kernel=()
    [[ ${run%:*} != lvs ]] || kernel=(tests/run/lvs.sh)
    compgen -G "molecule/${run%:*}/tests/test_*.py" >/dev/null || why="molecule/${run%:*}/tests has no tests"
    if [[ -z ${why:-} ]]; then
        # A directory of its own, as two runs of one scenario would share Molecule's usual one.
        LAB_ID=$(lab_of "$run") LAB_DEBIAN=${run#*:} MOLECULE_EPHEMERAL_DIRECTORY=$output/$name NO_COLOR=1 \
            PYTEST_ADDOPTS="--junitxml=$results --override-ini=junit_suite_name=$name" \
            "${kernel[@]}" tests/run/molecule.sh --one "$run" 2>&1 </dev/null |
            tee "$log" | sed -une "s/^INFO .* > \([a-z]*\)\] Executing$/   $name: \1/p" || status=$?
        why=$(objection "$log" "$results")
        if ((status)); then why="Molecule failed"; fi
    fi
    if [[ -n $why ]]; then
        echo "failed $name" >>"$RESULTS/molecule.txt"
        keep_journals "$run"
        tail -n 80 "$log" 2>/dev/null | sed "s/^/   $name | /"
        echo "** molecule: $name FAILED after $((SECONDS - start)) s: $why. It alone: make molecule ONLY=$run   Logs: $output"
    else
        echo "passed $name" >>"$RESULTS/molecule.txt"
        echo "   $name: passed ($((SECONDS - start)) s, $(grep -o '<testcase' "$results" | wc -l) tests)"
        # What the tests measured.
        [[ ! -e $output/$name/figures.txt ]] || sed "s/^/   $name | /" "$output/$name/figures.txt"
    fi
    [[ -n ${KEEP:-} ]] || remove_lab "$run"
    [[ -z $why ]]
}

# Killed or interrupted: what runs is ended, and what is there is removed.
stopped() {
    trap - INT TERM
    local job
    for job in $(jobs -p); do kill -- "-$job" 2>/dev/null || true; done
    wait
    [[ -n ${KEEP:-} ]] || for run in "${chosen[@]}"; do remove_lab "$run"; done
    exit 1
}
trap stopped INT TERM
set -m # every job a process group of its own, so that it can be ended with all that it started

echo "== molecule: images"
builders=()
for release in $(printf '%s\n' "${chosen[@]#*:}" | sort -u); do
    lab/image.sh "$release" >/dev/null &
    builders+=($!)
done
for builder in "${builders[@]}"; do wait "$builder"; done

echo "== molecule: ${chosen[*]} (logs: $output)"
failed=0
running=0
for run in "${chosen[@]}"; do
    if ((running == side_by_side)); then
        wait -n || failed=$((failed + 1))
        running=$((running - 1))
    fi
    test_one "$run" &
    running=$((running + 1))
done
while ((running)); do
    wait -n || failed=$((failed + 1))
    running=$((running - 1))
done
((failed == 0)) || {
    echo "** molecule: $failed of ${#chosen[@]} runs failed"
    exit 1
}
