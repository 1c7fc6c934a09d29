#!/bin/bash
# TIMEOUT 400
# The recorder's threads under ThreadSanitizer: events, short threads, rule cache, loader and forks at once; and the
# analyzer's, which share its memory.
. "$TESTS/e2e/lib.sh"

program=$(dirname "$MPROF")/tsan/recorder_threads
[ -x "$program" ] || program=$(dirname "$MPROF")/../tsan/recorder_threads
# Its runtime knows the kernel's usual places for memory only.
alone() {
    TSAN_OPTIONS="halt_on_error=0 exitcode=66" MPROF_OUTPUT=$1 setarch -R "$program" "${@:2}" >out 2>err
}
XALLOC=$(dirname "$program")/xalloc_threads
setarch -R true 2>/dev/null || skip "this machine does not let a program have its memory at fixed places (personality)"

TSAN_OPTIONS="exitcode=66" setarch -R "$XALLOC" 2>err || fail "the analyzer's memory: status $?: $(head -n 60 err)"

alone all.mprof 12000 80 10
status=$?
assert_eq "status ($(cat out)), races: $(head -n 60 err)" 0 $status
read -r allocations frees <out
assert_eq allocations "$allocations" "$(json all.mprof totals.allocations)"
assert_eq frees "$frees" "$(json all.mprof totals.frees)"
assert_clean all.mprof
read -r child_allocations child_frees < <(tail -n 1 out)
"$MPROF" report --json all.mprof | /usr/bin/python3 -c '
import json, sys
children = [c for c in json.load(sys.stdin)["children"] if c["kind"] == "fork"]
print(*(sum(c["totals"][k] for c in children) for k in ("allocations", "frees")), len(children))
' >children
assert_eq "of the children" "$child_allocations $child_frees 10" "$(cat children)"

# As a collector does: closed chunks are used again. What was in them is lost here.
GIVE_BACK=again.mprof.spool alone again.mprof 30000 80 4
assert_eq "status with chunks used again ($(cat out)), races: $(head -n 60 err)" 0 $?
