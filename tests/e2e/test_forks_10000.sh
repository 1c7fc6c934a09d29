#!/bin/bash
# 10,000 forks of a program whose threads allocate: the spool stays small, every child is in the recording, and a
# report of it comes at once.
# ALL
# TIMEOUT 3000
. "$TESTS/e2e/lib.sh"

cat >check.py <<'END'
import json, sys
report = json.load(open(sys.argv[1]))
forks = [c for c in report["children"] if c["kind"] == "fork"]
counts = {}
for c in forks:
    assert c["quality"]["lost"] == c["quality"]["unmatched_frees"] == c["quality"]["implied_frees"] == 0, c
    key = (c["totals"]["allocations"], c["totals"]["frees"])
    counts[key] = counts.get(key, 0) + 1
print(counts == {(5, 6): 9900, (2005, 2006): 100, (2, 2): 100}, counts)
END
for way in preload run_as; do
    $way $way.mprof "$PROGRAMS/forkstorm" 10000 || fail "$way: status $?"
    [ ! -f $way.mprof.spool ] || assert_at_least "$way: 300 MiB in KiB, less the spool" 0 \
        $((300 * 1024 - $(du -k $way.mprof.spool | cut -f1)))
    "$MPROF" report --json $way.mprof >report.json || fail "$way: report"
    /usr/bin/python3 check.py report.json >counts || fail "$way: $(cat counts)"
    grep -q ^True counts || fail "$way: children by allocations and frees: $(cat counts)"
    assert_clean $way.mprof
done
