#!/bin/bash
# More children than the spool has room for: those that have no entry record nothing, what they would have recorded is
# counted with their parent's losses, exactly, and nobody notices anything else.
# TIMEOUT 300
. "$TESTS/e2e/lib.sh"

cat >many.c <<'END'
/* many CHILDREN: one after the other; each makes and frees 10, every tenth forks one that makes and frees 3. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void churn(int times)
{
    for (int i = 0; i < times; i++)
        free(malloc(20));
}
int main(int argc, char **argv)
{
    int status;
    for (int i = 0; i < (argc > 1 ? atoi(argv[1]) : 0); i++) {
        if (fork() == 0) {
            churn(10);
            if (i % 10 == 0 && fork() == 0) {
                churn(3);
                _exit(0);
            }
            while (wait(&status) > 0)
                ;
            _exit(4);
        }
        if (wait(&status) < 0 || WEXITSTATUS(status) != 4)
            return 1;
    }
    churn(5);
    return 3;
}
END
gcc -o many many.c || fail "gcc"
CHILDREN=1000 # and a tenth of grandchildren; a spool of less than 256 MiB has room for 1,023 besides the first
unplaced=$((CHILDREN + CHILDREN / 10 - 1023))

# What the report says of the children: how many, how many of these are complete, and what has no place.
cat >read_children.py <<'END'
import json, sys
report = json.load(open(sys.argv[1]))
children = [c for c in report["children"] if c["kind"] == "fork"]
whole = sum(c["totals"]["allocations"] == c["totals"]["frees"] and c["totals"]["allocations"] in (3, 10) and
            c["quality"]["lost"] == 0 for c in children)
events = sum(p["totals"]["allocations"] + p["totals"]["frees"] for p in children)
quality = report["quality"]
print(len(children), whole, quality["unplaced_children"], events + quality["unplaced_events"])
END

for way in preload run_as; do
    MPROF_LIMIT=100 $way $way.mprof ./many $CHILDREN >out 2>err
    status=$?
    assert_eq "$way: status ($(cat err))" 3 $status
    assert_eq "$way: output" "" "$(cat out err)"
    "$MPROF" report --json $way.mprof >report.json || fail "report"
    /usr/bin/python3 read_children.py report.json >counted || fail "read_children.py"
    read -r children whole without events <counted
    assert_eq "$way: children in the recording" 1023 "$children"
    assert_eq "$way: of these complete" 1023 "$whole"
    assert_eq "$way: children without a place" $unplaced "$without"
    assert_eq "$way: events of all children, those without a place included" \
        $((2 * (10 * CHILDREN + 3 * CHILDREN / 10))) "$events"
    assert_eq "$way: allocations of the first process" 5 "$(json $way.mprof totals.allocations)"
    "$MPROF" report $way.mprof | grep -q "without a place" || fail "$way: report does not tell of them"
done
