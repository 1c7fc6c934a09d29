#!/bin/bash
# A program that execs itself: two recordings with one pid; blocks live at the exec are no leaks.
. "$TESTS/e2e/lib.sh"

for kind in "preload first" "run first" "preload execve" "run execve" "preload execveat" "run execveat"; do
    way=${kind// /-}
    mkdir $way
    if [ "${kind% *}" = preload ]; then
        preload $way/exec.mprof "$PROGRAMS/exec" "${kind#* }" >$way.out
    else
        run_as $way/exec.mprof "$PROGRAMS/exec" "${kind#* }" >$way.out
    fi
    assert_eq "$way: exit status" 3 $?
    assert_eq "$way: output" second "$(cat $way.out)"
    first=$way/exec.mprof
    "$MPROF" report --json $first >first.json || fail "report $first"
    assert_eq "$way: allocations before" 6 "$(json_of totals.allocations <first.json)"
    "$MPROF" report --json $first | json_of exit | grep -q '"exec"' || fail "$way: exit is $(json $first exit)"
    "$MPROF" leaks $first >leaks.out 2>&1 || fail "$way: leaks of the first image"

    # The second image: the recording that is not the first.
    second=$(find $way -type f ! -name 'exec.mprof' ! -name '*.part' | sed 's/\.spool$//' | sort -u)
    assert_eq "$way: recordings beside the first" 1 "$(echo "$second" | grep -c .)"
    "$MPROF" report --json "$second" >second.json || fail "report $second"
    assert_eq "$way: allocations after" 2 "$(json_of totals.allocations <second.json)"
    assert_eq "$way: blocks at the end" 2 "$(json_of totals.live_at_end_blocks <second.json)"
    assert_eq "$way: pid" "$(json_of pid <first.json)" "$(json_of pid <second.json)"
    assert_eq "$way: argument" second "$(json_of command.1 <second.json)"
done
