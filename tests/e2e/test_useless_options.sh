#!/bin/bash
# Options that would do nothing beside others are refused with a sentence; several names add; names as they are printed.
. "$TESTS/e2e/lib.sh"

run_as a.mprof "$PROGRAMS/recursion" || fail "recording"
for options in "-n --skip even" "-n -C" "-n -M" "-C --skip even" "-M --skip even"; do
    # shellcheck disable=SC2086
    assert_refused 2 "$MPROF" plot $options -o x.png a.mprof
done
assert_refused 2 "$MPROF" plot -n -o x.png a.mprof a.mprof
assert_refused 2 "$MPROF" plot --skip even -o x.png a.mprof a.mprof
[ -e x.png ] && fail "a refused plot was drawn"
assert_refused 2 "$MPROF" report -n 0 --sort peak a.mprof
assert_refused 2 "$MPROF" report --tree --sort at-peak a.mprof
assert_refused 2 "$MPROF" list --all --json
assert_refused 2 "$MPROF" help --manual --completion
assert_refused 2 "$MPROF" help --manual plot
assert_refused 2 "$MPROF" report -n 0 --addresses a.mprof
assert_refused 2 "$MPROF" leaks -n 0 --addresses a.mprof
assert_contains "why" "-n 0" refused.err
for series in --heap --mapped; do # JSON has both; they only choose functions
    for command in leaks peak "report -n 0" "leaks -n 5"; do
        # shellcheck disable=SC2086
        assert_refused 2 "$MPROF" $command --json $series a.mprof
        assert_contains "$command --json $series" "leave $series out" refused.err
    done
done
"$MPROF" report --json --heap a.mprof | json_of functions.0.name >out || fail "report --json --heap"
"$MPROF" report --json --mapped a.mprof | json_of functions >out || fail "report --json --mapped"
assert_eq "functions that have mapped memory" "[]" "$(cat out)"
"$MPROF" peak --json --heap --func even a.mprof >out || fail "peak --json --heap --func"
"$MPROF" report -n 0 a.mprof >out || fail "report -n 0"
"$MPROF" report --sort self a.mprof >out || fail "report --sort"

# A second --func adds; each that is nowhere is named. Small peaks are told in bytes.
"$MPROF" peak --func even --func odd a.mprof >out || fail "two functions"
assert_eq "peaks of two functions" "160 B even,144 B odd" "$(cut -f 2,4 out | tr '\t' ' ' | paste -sd,)"
"$MPROF" peak a.mprof >out || fail "peak"
assert_eq "peak" "1000 B" "$(head -n 1 out | cut -f 2)"
"$MPROF" peak --func even --func nobody --func 'no one' a.mprof >out 2>err && fail "a function that is nowhere"
assert_contains "what is there" "160 B" out
assert_contains "what is not" "no function 'nobody' holds" err
assert_contains "what is not, whole" "no function 'no one' holds" err

# Every name that report prints is one that peak takes, cut or not.
cat >names.cc <<'END'
#include <map>
#include <string>
#include <vector>
template <class T> struct Box {
    std::map<std::string, std::vector<T>> all;
    __attribute__((noinline)) void fill(const std::string &name) { all[name].resize(1000); }
};
int main()
{
    Box<std::map<std::string, std::pair<std::string, std::string>>> box;
    box.fill("a name that is too long for its object");
    return 0;
}
END
g++ -O1 -g -o names names.cc || fail "g++"
run_as names.mprof ./names
"$MPROF" report names.mprof | sed -nE 's/^ ?[0-9]+  ([^ ].*[^ ])  +[^ ]+$/\1/p' >rows
assert_at_least "rows" 5 "$(wc -l <rows)"
grep -q '…' rows || fail "no name was cut: $(cat rows)"
while IFS= read -r name; do
    "$MPROF" peak --func "$name" names.mprof >out 2>err || fail "peak --func '$name': $(cat err)"
    dotted=${name//…/...}
    "$MPROF" peak --func "$dotted" names.mprof >out 2>err || fail "peak --func '$dotted': $(cat err)"
done <rows

# Names with blanks are whole, for the shell, too.
mkdir "a folder" && cp "$PROGRAMS/single" "a folder/my program" || fail "cp"
"$MPROF" run -o "a folder/my recording" "a folder/my program" >out 2>err || fail "run: $(cat err)"
command=$(sed -n 's/^  look at it *mprof-c \(plot .*\), or .*/\1/p' err)
assert_eq "how to look at it" "plot 'a folder/my recording'" "$command"
eval "\"\$MPROF\" $command -o whole.png" >out 2>err || fail "$command: $(cat err)"
"$MPROF" report "a folder/my recording" >out || fail "report"
assert_contains "the command" "'a folder/my program'" out
