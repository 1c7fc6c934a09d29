#!/bin/bash
# A shim that becomes another program by exec: what was recorded is the last of them, and the next command shows that one;
# a file by its name shows what it holds.
. "$TESTS/e2e/lib.sh"

cat >shim <<END
#!/bin/sh
exec "$PROGRAMS/single" "\$@"
END
cat >outer_shim <<'END'
#!/bin/bash
exec ./shim last
END
chmod +x shim outer_shim

"$MPROF" run ./outer_shim >out 2>summary || fail "run: $(cat summary)"
assert_eq "output" "done" "$(cat out)"
grep -q 'became  *single' summary || fail "the summary does not say what it became: $(cat summary)"
grep -q 'allocations  *18,' summary || fail "the summary is of another image: $(cat summary)"
root=$(basename mprofile_*.mprof)
grep -q "recording  *$root.2 and 2 more" summary || fail "the summary names another image: $(cat summary)"
grep -q 'look at it  *mprof-c plot, or' summary || fail "the summary does not lead to the next command: $(cat summary)"

# Without an operand and by an index it is the last image, whatever the command.
assert_eq "report" "$PROGRAMS/single" "$("$MPROF" report --json 2>said | json_of command.0)"
assert_eq "said" "" "$(cat said)"
for index in 0 -1; do
    assert_eq "report $index" 18 "$(json $index totals.allocations)"
    assert_eq "report $index: argument" last "$(json $index command.1)"
    assert_eq "peak $index" "$root.2" "$("$MPROF" peak --json $index | json_of recordings.0.recording)"
    "$MPROF" peak $index | grep -q "^$root.2"$'\t' || fail "peak $index: $("$MPROF" peak $index)"
    "$MPROF" leaks $index | grep -qF "$PROGRAMS/single" || fail "leaks $index: $("$MPROF" leaks $index)"
    "$MPROF" plot -o "plot$index.svg" $index >plot.out 2>&1 || fail "plot $index: $(cat plot.out)"
    assert_contains "plot $index" "single last" "plot$index.svg"
done
"$MPROF" plot -o window.svg -w 0,0.001 >plot.out 2>&1 || fail "plot -w: $(cat plot.out)"
"$MPROF" report >text || fail "report"
head -n 1 text | grep -qF "$PROGRAMS/single last" || fail "report as text: $(cat text)"

# A file is what its name says; the tree has all images, and one process.
assert_eq "the first image" bash "$(basename "$(json "$root" command.0)")"
"$MPROF" peak "$root" >out 2>said || fail "peak $root"
assert_contains "peak of the first image" "rograms/single last, which is in $root.2" said
"$MPROF" peak --json "$root" >out 2>said || fail "peak --json $root"
assert_eq "said to a program" "" "$(cat said)"
"$MPROF" peak "$root.2" >out 2>said || fail "peak $root.2"
assert_eq "sentences of the last image" 1 "$(wc -l <said)"
assert_contains "the last image" "before it became this it was bash, which held" said
"$MPROF" report --json --tree -1 >tree.json || fail "report --tree"
assert_eq "kinds" "first became became" "$(/usr/bin/python3 -c '
import json, sys
print(*[p["kind"] for p in json.load(sys.stdin)["processes"]])' <tree.json)"
assert_eq "the last of them by its pid" 18 "$("$MPROF" report --json --pid "$(json -1 pid)" -1 | json_of totals.allocations)"

# list says what it became, and one process is no family.
assert_eq "lines of list" 1 "$("$MPROF" list | wc -l)"
"$MPROF" list | grep -qE "^0 $root .*  single last$" || fail "list: $("$MPROF" list)"
"$MPROF" rm -1 >out || fail "rm"
assert_eq "rm" "3 recordings removed" "$(cat out)"
assert_eq "left" 0 "$(find . -name 'mprofile_*' | wc -l)"

# With a name of its own the hint names the last image.
"$MPROF" run -o named.mprof ./shim >out 2>summary || fail "run -o: $(cat summary)"
grep -q 'look at it  *mprof-c plot named.mprof.1,' summary || fail "run -o: $(cat summary)"

# The same of plain preload, which nobody has collected.
rm -f named.mprof*
LD_PRELOAD=$LIB ./shim >out || fail "preload"
assert_eq "preload" 18 "$("$MPROF" report --json | json_of totals.allocations)"

# One that holds memory before it becomes another.
cat >becomes.c <<'C'
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void *volatile held;
int main(int argc, char **argv)
{
    size_t size = (size_t)atoi(argv[1]) << 20;
    held = memset(malloc(size), 1, size);
    if (argc > 2)
        execv(argv[2], argv + 2);
    return argc > 2;
}
C
gcc -O1 -o becomes becomes.c || fail gcc

# A file is judged by the image in it: another process held more, whatever this one became.
"$MPROF" run -q -o led.mprof bash -c './becomes 4; exec ./becomes 30 ./becomes 2' || fail "run: led"
"$MPROF" peak led.mprof >peak || fail "peak: led"
assert_contains "peak of a file that leads" "led.mprof, 2 processes together	30." peak
assert_contains "peak of a file that leads" " becomes	30.000 MiB" peak
"$MPROF" report led.mprof >text || fail "report: led"
assert_contains "report of a file that leads" "2 processes together" text
"$MPROF" plot -o led.svg led.mprof >plot.out 2>&1 || fail "plot: led"
assert_contains "plot of a file that leads" "only starts others" plot.out

# One process that held more before: whoever shows what it became says so, says whose clock it is, and where both are.
mkdir more
(cd more && "$MPROF" run ../becomes 30 ../becomes 2 2>../summary) || fail "run: more"
tr -s ' ' <summary >lines
grep -qE '^ became becomes at .*; times below are since then$' lines || fail "run: clock: $(cat summary)"
assert_contains "run" " before becomes, which held 30.00 MiB; --tree has both" lines
assert_contains "run" " peak 2.00 MiB at" lines
! grep -q "figures of" lines || fail "run: one process is no family: $(cat summary)"
root=$(basename more/mprofile_*.mprof)
(cd more && "$MPROF" report) >text || fail "report: more"
tr -s ' \n' ' ' <text >words
assert_contains "report" "before it became this it was becomes, which held 30.00 MiB; mprof-c report --tree $root has both" words
grep -qE '^times are since its recording began, at .* of the tree$' text || fail "report: clock: $(cat text)"
(cd more && "$MPROF" peak) >peak 2>said || fail "peak: more"
assert_contains "peak" "$root.1	2.000 MiB" peak
assert_contains "peak" "it was becomes, which held 30.00 MiB; mprof-c report --tree $root has both" said
(cd more && "$MPROF" peak --func main) >peak || fail "peak --func: more"
assert_contains "peak --func" " of its recording	main" peak
(cd more && "$MPROF" report --tree) >text || fail "report --tree: more"
assert_contains "rows of both" "(the same pid again is what the process became by exec)" text
assert_eq "rows of both" "30.00 2.00" "$(sed -n '/^processes/,$p' text | grep -o '[0-9.]* MiB' | tr -d ' MiB' | tr '\n' ' ' | sed 's/ $//')"
(cd more && "$MPROF" peak --json) >peak 2>said || fail "peak --json"
assert_eq "said to a program" "" "$(cat said)"

# The shell has a row as what it was, and its child stands below that.
"$MPROF" report -n 0 --tree led.mprof >text || fail "report --tree: led"
sed -n '/^processes/,$p' text | grep -E '^ ' >rows
assert_eq "rows" "bash becomes becomes becomes" "$(awk '{print $2}' rows | tr '\n' ' ' | sed 's/ $//')"
assert_eq "the child, indented" 2 "$(grep -n '^    [0-9]' rows | cut -d: -f1)"

# With a name of its own the last image's file does not have the others: run names the first one's.
"$MPROF" run -o own.mprof bash -c './becomes 4; exec ./becomes 30 ./becomes 2' 2>summary || fail "run: own"
assert_contains "run" "and own.mprof, with --tree, or plot -C and -M, for all of them" summary
assert_contains "run" "  figures of   becomes alone, of 2 processes; --tree sums all" summary
