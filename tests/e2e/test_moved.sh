#!/bin/bash
# A capture in another folder, its program and library gone, still shows names, files and lines.
. "$TESTS/e2e/lib.sh"

mkdir here there
cp "$PROGRAMS/inlines" "$PROGRAMS/plugin_host" "$PROGRAMS/plugin" here/
run_as here/inlines.mprof here/inlines || fail "inlines: $?"
preload here/host.mprof here/plugin_host || fail "plugin_host: $?"
for name in inlines host; do
    "$MPROF" leaks --json here/$name.mprof >$name.before || fail "leaks $name"
    mv here/$name.mprof there/
done
rm -r here
cd there || exit 1
for name in inlines host; do
    "$MPROF" leaks --json $name.mprof >after || fail "leaks $name, moved"
    assert_same "leaks of $name, moved" ../$name.before after
done
"$MPROF" leaks inlines.mprof >text || fail "leaks as text"
line=$(grep -n 'malloc(size);' "$TESTS/programs/inlines.c" | cut -d: -f1)
assert_contains "leaks" "inlines.c:$line" text
assert_contains "leaks" "middle" text
"$MPROF" report inlines.mprof >text || fail "report as text"
assert_contains "report" "leaf" text
"$MPROF" report --json host.mprof | grep -q plugin_work || fail "plugin_work has lost its name"
