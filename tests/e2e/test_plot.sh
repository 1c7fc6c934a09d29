#!/bin/bash
# plot: formats, title, window, no functions, slope, several files, plain text; and what it draws.
# TIMEOUT 90
. "$TESTS/e2e/lib.sh"

run_as a.mprof sqlite3 :memory: "with recursive n(i) as (select 1 union all select i+1 from n where i<20000) select count(printf('%d', i)) from n;" >/dev/null || fail "recording"
run_as b.mprof "$PROGRAMS/threads" || fail "recording"

head_of() { head -c "$2" "$1" | tail -c "$3"; }
"$MPROF" plot -o a.png a.mprof >out 2>err || fail "png: $(cat err)"
assert_eq "png" PNG "$(head_of a.png 4 3)"
"$MPROF" plot -o a.pdf a.mprof >out 2>err || fail "pdf: $(cat err)"
assert_eq "pdf" %PDF "$(head_of a.pdf 4 4)"
"$MPROF" plot -o a.svg -t 'A title of <my> own & "more"' a.mprof >out 2>err || fail "svg: $(cat err)"
grep -q '<svg' a.svg || fail "no svg"
/usr/bin/python3 - a.svg <<'END' || fail "svg: not well-formed, or without its texts"
import re, sys, xml.etree.ElementTree as tree
text = " ".join("".join(e.itertext()) for e in tree.parse(sys.argv[1]).iter() if e.tag.endswith("text"))
for word in ("A title of <my> own & \"more\"", "time (in seconds)", "memory used (in ", "sqlite3"):
    assert word in text, (word, text)
unit = re.search(r"peak [\d.]+ (\w+) at", text)[1]
assert f"memory used (in {unit})" in text, ("the axis is not in the peak's unit", text)
END
"$MPROF" plot -o n.svg -n a.mprof >out 2>err || fail "-n: $(cat err)"
grep -q 'sqlite3_' a.svg || fail "no function in the legend"
grep -q 'sqlite3VdbeExec\|sqlite3_step' n.svg && fail "-n draws functions"
"$MPROF" plot -o s.svg -s a.mprof >out 2>err || fail "-s: $(cat err)"
unit=$(sed -n 's/.*memory used (in \([A-Za-z]*\)).*/\1/p' s.svg)
grep -q "slope [-0-9.]* $unit/s" s.svg || fail "no slope in the axis' unit, $unit"
"$MPROF" plot -o w.png -w 0,0.01 a.mprof >out 2>err || fail "-w: $(cat err)"
[ -s w.png ] || fail "no window"
"$MPROF" plot -o two.svg a.mprof b.mprof >out 2>err || fail "two files: $(cat err)"
for name in a.mprof b.mprof; do
    grep -q "${name%.mprof}" two.svg || fail "$name is not in the legend"
done
grep -q '>sqlite3, threads<' two.svg || fail "two files have no title"

# Without -o and without a display: text.
"$MPROF" plot a.mprof >text.out 2>err || fail "text: $(cat err)"
assert_at_least "lines of the plot in text" 10 "$(wc -l <text.out)"
