#!/bin/bash
# scripts/bench: its tables are there, a short loop's counts are right, and loss changes the exit status.
# TIMEOUT 600
. "$TESTS/e2e/lib.sh"

# Without warming up, but for one run: no figure matters here.
bench() { "$TESTS/../scripts/bench" --cold "$@"; }
export B=${MPROF%/*}
ours=plain,preload,run

"$TESTS/../scripts/bench" --rounds 2 --modes $ours --folder . --json all.json -- "$PROGRAMS/exchange" a b >out 2>err ||
    fail "status $? of a small program: $(cat out err)"
assert_eq "standard error" "" "$(cat err)"
events=$(json_of samples.program.1.run.events <all.json)
preload exchange.mprof "$PROGRAMS/exchange" a b
assert_eq "events" $(($(json exchange.mprof totals.allocations) + $(json exchange.mprof totals.frees))) "$events"
assert_contains "the program" "$PROGRAMS/exchange a b: ${events%???},${events: -3} events" out
for line in "start-up ms" "added ns an event" "  preload " "  run " "time to answer" "capture of run" \
    "collector alone" "lost 0, unmatched frees 0, implied frees 0" "summary"; do
    assert_contains "the tables" "$line" out
done
assert_at_least "bytes of the spool's events" "$((4 * events))" "$(json_of samples.program.0.preload.spool_committed <all.json)"
assert_at_least "bytes carved" "$(json_of samples.program.0.preload.spool_committed <all.json)" \
    "$(json_of samples.program.0.preload.spool_used <all.json)"
assert_eq "problems" "[]" "$(json_of problems <all.json)"
assert_eq "what is left in the folder" "all.json err exchange.mprof out" "$(echo *)"

bench --rounds 1 --modes preload --only loops,memory --operations 2000 --folder . >out 2>err ||
    fail "status $? of the loops: $(cat out err)"
for line in "4 preload" "as a share of plain's" "fixed (one thread)" "two threads / one, preload"; do
    assert_contains "the loops' tables" "$line" out
done

# Another build takes part in both modes; threads that hand their blocks on.
bench --rounds 1 --modes preload,run --only handover --operations 3000 --against "$B" --folder . >out 2>err ||
    fail "status $? of the handover: $(cat out err)"
for line in "handover: 30 times new threads free and allocate 100 times each" "2 the other build's run" \
    "1 thread, collector's processor time / the other's" "two threads, run: throughput / the other build's"; do
    assert_contains "the comparison" "$line" out
done
bench --rounds 1 --modes preload --against no/such/build --folder . -- true >out 2>err && fail "a build that is not there"
assert_contains "a build that is not there" "no/such/build/mprof-c is missing" err

# A build, all of its processes recorded, and the compiler of one of its files.
bench --rounds 1 --modes run --only build --folder . --json build.json >out 2>err ||
    fail "status $? of the build: $(cat out err)"
assert_at_least "recordings of the build" 150 "$(json_of samples.build.0.run.recordings <build.json)"
assert_eq "recordings of the compiler" 1 "$(json_of samples.compiler.0.run.recordings <build.json)"
rm build.json
grep -q heaptrack err && fail "heaptrack was missed: $(cat err)"

# Loss is shown, and is a failure.
MPROF_LIMIT=4 bench --rounds 1 --modes preload --folder . -- "$PROGRAMS/exchange" >out 2>err
assert_eq "status where events were lost" 1 $?
grep -qE '^  !! program, preload: [0-9,]+ lost$' out || fail "loss is not marked: $(cat out err)"

# shellcheck disable=SC2016 # for the inner shell
# A program that is not the same when it is recorded; one that ends with a status of its own.
bench --rounds 1 --modes preload --folder . -- bash -c '[ -z "${LD_PRELOAD-}" ]' >out 2>err
assert_eq "status of a program that changes" 1 $?
assert_contains "what changed" "!! program, preload: exit status 1, alone 0" out
bench --rounds 1 --modes preload --folder . -- bash -c 'exit 3' >out 2>err || fail "exit 3: $? $(cat out err)"

# Nothing can be recorded of a static program: said before heaptrack could wait for it for ever.
echo 'int main(void){return 0;}' >static.c
if gcc -static -o static static.c 2>/dev/null; then
    bench --rounds 1 --folder . -- ./static >out 2>err && fail "a static program was measured"
    assert_contains "static program" "nothing can be recorded of ./static" err
fi

# Wrong usage.
bench --rounds 1 --modes preload --folder no/such/folder -- true >out 2>err && fail "a folder that is not there"
for wrong in "--only nothing" "--modes plain,fast" "--rounds 0" "--" "--only sqlite -- true"; do
    # shellcheck disable=SC2086 # several words
    bench $wrong >out 2>err
    assert_eq "status of $wrong" 2 $?
done
