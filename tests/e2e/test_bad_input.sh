#!/bin/bash
# What is wrong with the input is said in one sentence; status 2 for usage, 1 for the rest.
. "$TESTS/e2e/lib.sh"

run_as good.mprof "$PROGRAMS/single" >/dev/null || fail "recording"
preload spool.mprof "$PROGRAMS/single" >/dev/null

# Usage.
assert_refused 2 "$MPROF" frobnicate
assert_refused 2 "$MPROF" --frobnicate
for command in run plot peak report leaks list rm clean; do
    assert_refused 2 "$MPROF" $command --frobnicate
    assert_refused 2 "$MPROF" $command -Z
done
assert_refused 2 "$MPROF" report --sort nonsense good.mprof
assert_refused 2 "$MPROF" report -n many good.mprof
assert_refused 2 "$MPROF" report -n
assert_refused 2 "$MPROF" report good.mprof good.mprof
assert_refused 2 "$MPROF" plot -w 1 good.mprof
assert_refused 2 "$MPROF" plot -w 5,1 good.mprof
assert_refused 2 "$MPROF" plot -o picture.jpeg2000 good.mprof
assert_refused 2 "$MPROF" run -t soon true
assert_refused 2 "$MPROF" run -T -1 true
assert_refused 2 "$MPROF" run
assert_refused 2 "$MPROF" rm
assert_refused 2 "$MPROF" help frobnicate

# Files.
: >empty.mprof
echo "This is a text of some length, and no recording at all." >text.mprof
head -c 100000 /dev/urandom >noise.mprof
mkdir folder.mprof
cp good.mprof newer.mprof
cp spool.mprof.spool newer_spool.mprof.spool
for command in report leaks peak "plot -o x.png"; do
    for name in missing.mprof empty.mprof text.mprof noise.mprof folder.mprof; do
        # shellcheck disable=SC2086 # options
        assert_refused 1 "$MPROF" $command $name
        grep -qF "$name" refused.err || fail "$command $name: the name is not told: $(cat refused.err)"
    done
done
[ -e x.png ] && fail "a picture of nothing was drawn"

# A later version: the version number is the 32 bits behind the 8 of the magic, in both kinds of file.
printf '\377\0\0\0' | dd of=newer.mprof bs=1 seek=8 conv=notrunc status=none
printf '\377\0\0\0' | dd of=newer_spool.mprof.spool bs=1 seek=8 conv=notrunc status=none
for name in newer.mprof newer_spool.mprof; do
    assert_refused 1 "$MPROF" report $name
    grep -qi -e version -e later -e newer refused.err || fail "$name: $(cat refused.err)"
done

# The newest of none; an index that is not there.
mkdir none && cd none || exit 1
for command in report leaks peak "plot -o x.png"; do
    # shellcheck disable=SC2086
    assert_refused 1 "$MPROF" $command
    # shellcheck disable=SC2086
    assert_refused 1 "$MPROF" $command 3
done
rm -f refused.out refused.err
assert_eq "list of none" "" "$("$MPROF" list)"
assert_refused 1 "$MPROF" rm 0
cd ..

# Without gnuplot.
mkdir bin
for tool in sh cat rm; do ln -s "$(command -v $tool)" bin/; done
assert_refused 1 env PATH="$PWD/bin" "$MPROF" plot -o x.png good.mprof
grep -q gnuplot refused.err || fail "$(cat refused.err)"
[ -e x.png ] && fail "a picture without gnuplot"
assert_refused 1 "$MPROF" plot -o no/such/folder/x.png good.mprof

# A recording without an event is shown, and its plot says why there is no line.
run_as nothing.mprof "$PROGRAMS/empty"
"$MPROF" report nothing.mprof >out 2>err || fail "report of a recording without events: $(cat err)"
"$MPROF" leaks nothing.mprof >out 2>err || fail "leaks of a recording without events: $(cat err)"
"$MPROF" peak nothing.mprof >out 2>err || fail "peak of a recording without events: $(cat err)"
"$MPROF" plot -o nothing.png nothing.mprof >out 2>err
status=$?
if [ $status != 0 ]; then
    assert_eq "status of an empty plot" 1 $status
    assert_eq "lines" 1 "$(wc -l <err)"
else
    [ -s nothing.png ] || fail "an empty picture without a word"
fi

# A full standard output is told.
if [ -w /dev/full ]; then
    "$MPROF" report good.mprof >/dev/full 2>err
    assert_eq "status with a full disk" 1 $?
fi
