#!/bin/bash
# A shell with many children under run: each program is a recording, the root is read by default.
. "$TESTS/e2e/lib.sh"

run_as tree.mprof bash -c 'for i in 1 2 3 4 5; do "$0"; done; (exec "$1"); ("$0" &) ; wait; exit 6' "$PROGRAMS/single" "$PROGRAMS/recursion" >out
assert_eq "status" 6 $?
# The last one is nobody's child: run need not wait for it.
for _ in $(seq 200); do
    [ "$(grep -c '^done$' out)" = 6 ] && break
    sleep 0.1
done
assert_eq "output" 6 "$(grep -c '^done$' out)"
assert_clean tree.mprof
assert_eq "root" bash "$(json tree.mprof command.0)"
"$MPROF" report --json tree.mprof >report.json
found=$(/usr/bin/python3 - report.json <<'END'
import json, sys
print(sum(1 for c in json.load(open(sys.argv[1]))["children"] if c["kind"] == "exec"))
END
)
assert_at_least "programs among the children" 6 "$found"
"$MPROF" report tree.mprof >text || fail "report as text"
tail -n +2 text >below # the command line is as long as it is
[ "$(wc -L <below)" -le 80 ] || fail "the report is wider than 80 columns"
