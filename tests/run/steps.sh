# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors
#
# Sourced by the other scripts: named steps, each with a heading, a verdict and, when it fails, the command that repeats it
# alone. All steps run, also after a failure; steps_end tells.
#
#   steps_begin PART        PART is also the make target; verdicts go to $RESULTS/PART.txt, which count.py reads
#   step NAME COMMAND…      runs the command unless only other steps were asked for (make PART ONLY=NAME)
#   steps_end               0 if something ran and nothing failed
#   files PATTERN…          the checkout's files as git sees them, new ones too, each ended by a NUL character

steps_begin() {
    part=$1 only=${2:-} ran=0 failed=()
    mkdir -p "$RESULTS"
    : >"$RESULTS/$part.txt"
}

step() {
    local name=$1 start=$SECONDS status
    shift
    [[ -z $only || $only == "$name" ]] || return 0
    ran=$((ran + 1))
    echo "== $part: $name"
    # Not in a condition: bash would then pass over a failure in the middle of a function.
    set +e
    (
        set -e
        "$@"
    )
    status=$?
    set -e
    if ((status == 0)); then
        echo "passed $name" >>"$RESULTS/$part.txt"
        echo "   $name: passed ($((SECONDS - start)) s)"
    else
        echo "failed $name" >>"$RESULTS/$part.txt"
        failed+=("$name")
        echo "** $part: $name FAILED. It alone: make $part ONLY=$name"
    fi
}

steps_end() {
    if ((ran == 0)); then
        echo "** $part: there is no step named '$only'"
        return 1
    fi
    if ((${#failed[@]})); then
        echo "** $part: ${#failed[@]} of $ran failed: ${failed[*]}"
        return 1
    fi
}

files() {
    git ls-files -z --cached --others --exclude-standard -- "$@" | while IFS= read -r -d '' file; do
        # Listed though deleted: not yet committed.
        [[ ! -e $file ]] || printf '%s\0' "$file"
    done
}
