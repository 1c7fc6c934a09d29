#!/bin/bash
# list, rm and clean, indices, and "newest": roots of this folder, collected or not, children with them.
. "$TESTS/e2e/lib.sh"

victim=$PROGRAMS/single
"$MPROF" run -q "$victim" >/dev/null                 # 0
sleep 1.1
"$MPROF" run -q sh -c "$victim; $victim; true" >/dev/null # 1, with two children
sleep 1.1
LD_PRELOAD=$LIB "$PROGRAMS/recursion"                # 2, not collected yet
echo text >mprofile_20200101000000_1.mprof           # looks like one, is none
echo text >notes.txt
run_as named.mprof "$victim" >/dev/null

"$MPROF" list >list.out 2>list.err || fail "list: $(cat list.err)"
assert_eq "roots listed" 3 "$(grep -cE '^[0-9]+ mprofile_' list.out)"
assert_eq "indices" "0 1 2" "$(grep -o '^[0-9]*' list.out | tr '\n' ' ' | sed 's/ $//')"
grep -qE '^0 mprofile_[0-9]{14}_[0-9]+\.mprof [0-9]{2}:[0-9]{2}:[0-9]{2} [0-9]{2}/[0-9]{2}/[0-9]{4}' list.out ||
    fail "form of list: $(cat list.out)"
assert_eq "lines, one a command" 3 "$(wc -l <list.out)"
grep -q '^1 .*  sh -c .*  +2$' list.out || fail "list does not count the processes: $(cat list.out)"
assert_eq "lines with a count" 1 "$(grep -c "  +" list.out)"
"$MPROF" list --all >all.out 2>list.err || fail "list --all: $(cat list.err)"
assert_eq "children, below their root" 2 "$(sed -n '/^1 /,/^2 /p' all.out | grep -c '^ .*mprofile_')"
rm -f all.out
grep -q 'spool' list.out && fail "list tells the spool's name: $(cat list.out)"

# Each process counts once, however many there are: forked ones that exec'd are listed with their own recordings.
mkdir many
(cd many && "$MPROF" run -q sh -c "for i in \$(seq 100); do $victim; done; true" >/dev/null) || fail "run of many"
(cd many && "$MPROF" list) | grep -qE '  \+10[01]$' || fail "list of many: $(cd many && "$MPROF" list)"
assert_eq "lines of many" 100 "$(cd many && "$MPROF" list --all | grep -c "  single$")"
assert_eq "forked ones of many" 0 "$(cd many && "$MPROF" list --all | grep -c "more\|forked by.*single")"
rm -r many

# A child stands with its own start, though its name is made of the root's.
mkdir late
(cd late && "$MPROF" run -q sh -c "sleep 1.1; $victim; true" >/dev/null) || fail "run of a late one"
(cd late && "$MPROF" list --all) >late.out
[ "$(grep -c "$(awk '/^0 /{print $3}' late.out)" late.out)" -lt 3 ] || fail "times of list --all: $(cat late.out)"
started=$(cd late && "$MPROF" list --json | json_of recordings.0.children.1.start)
assert_contains "list --all: the start of a child" " $(date -d "@${started%.*}" +%H:%M:%S) " late.out
rm -r late late.out

# The newest is index -1 is the last of the list.
assert_eq "index 0" "$victim" "$(json 0 command.0)"
assert_eq "index 1" "sh" "$(json 1 command.0)"
assert_eq "index -2" "sh" "$(json -2 command.0)"
assert_eq "newest" "$PROGRAMS/recursion" "$("$MPROF" report --json 2>/dev/null | json_of command.0)"
assert_eq "index -1" "$PROGRAMS/recursion" "$(json -1 command.0)"
"$MPROF" list >after.out
assert_same "list after collecting" list.out after.out

# peak: the file, the heap's peak, then the resident set's.
"$MPROF" peak named.mprof >peak.out || fail "peak"
grep -qE '^named\.mprof'$'\t''[0-9.]+ (B|KiB|MiB)' peak.out || fail "peak: $(cat peak.out)"
"$MPROF" peak --func hold named.mprof >peak.out || fail "peak --func"
grep -qE '0\.005|4\.88|5000' peak.out || fail "peak --func hold: $(cat peak.out)"
assert_refused 1 "$MPROF" peak --func no_such_function named.mprof

# rm and clean: dry runs change nothing, others' files stay, children go with their root.
before=$(find . -type f | sort)
"$MPROF" rm --dry-run 1 >dry.out || fail "rm --dry-run"
"$MPROF" clean --dry-run >>dry.out || fail "clean --dry-run"
rm -f dry.out
assert_eq "after dry runs" "$before" "$(find . -type f | grep -v dry.out | sort)"
children=$(find . -name 'mprofile_*' | wc -l)
"$MPROF" rm 1 >/dev/null || fail "rm 1"
assert_eq "files that went with the root" 3 $((children - $(find . -name 'mprofile_*' | wc -l)))
assert_eq "left" 2 "$("$MPROF" list | wc -l)"
assert_refused 1 "$MPROF" rm notes.txt
assert_refused 1 "$MPROF" rm 7
[ -f notes.txt ] || fail "notes.txt went"
"$MPROF" rm named.mprof >/dev/null || fail "rm named.mprof"
[ -f named.mprof ] && fail "named.mprof is still there"
"$MPROF" clean >/dev/null || fail "clean"
assert_eq "listed after clean" "" "$("$MPROF" list)"
[ -f notes.txt ] && [ -f mprofile_20200101000000_1.mprof ] || fail "clean took a file that is no recording"
assert_eq "recordings left" 1 "$(find . -name 'mprofile_*' | wc -l)"

# A name of its own is no index, and an empty folder has nothing: the sentence says which.
mkdir names empty
"$MPROF" run -q -o names/own.mprof true || fail "run -o"
(cd names && "$MPROF" list) >list.out 2>list.err || fail "list of names: $(cat list.err)"
assert_contains "list" "no recording in this folder has an index" list.err
assert_contains "list" "own.mprof" list.err
(cd names && "$MPROF" plot) 2>plot.err && fail "plot took one without being told"
assert_contains "plot" "name the file, such as own.mprof" plot.err
(cd empty && "$MPROF" list) 2>list.err || fail "list of nothing"
assert_contains "list" "there is no recording in this folder" list.err
