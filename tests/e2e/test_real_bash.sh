#!/bin/bash
# bash running a long script: functions, arrays, subshells, pipes, command substitution, traps.
# TIMEOUT 120
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

cat >script.sh <<'SCRIPT'
set -u
declare -A count
trap 'echo "trapped USR1"' USR1
trap 'echo "the end: $?"' EXIT
fibonacci() {
    local n=$1
    if ((n < 2)); then result=$n; return; fi
    fibonacci $((n - 1)); local a=$result
    fibonacci $((n - 2)); result=$((a + result))
}
fibonacci 12
echo "fibonacci $result"
for ((i = 0; i < 2000; i++)); do
    word="word$((i * 7919 % 101))"
    count[$word]=$((${count[$word]-0} + 1))
    list[i % 50]+="${word//o/0}"
done
echo "${#count[@]} ${count[word7]} ${#list[3]}"
while read -r line; do [[ $line =~ ^w.*1$ ]] && echo "$line"; done < <(printf '%s\n' "${!count[@]}" | sort)
for i in 1 2 3 4 5 6 7 8; do
    echo "$(echo "sub $i" | tr a-z A-Z) $( (exit $i); echo $?)"
done
kill -USR1 $$
(kill -TERM $BASHPID; sleep 10) & wait $!
echo "child died: $?"
coproc cat
echo "through a coprocess" >&"${COPROC[1]}"
read -r back <&"${COPROC[0]}"
echo "$back"
echo "to standard error" >&2
cat <<<"here" | while read -r x; do echo "$x document"; done
exit 7
SCRIPT
real_prepare() { cp ../script.sh .; }
real_allow=(--program bash --program sort --program tr --forks 20)
real_program 100000 bash script.sh
assert_eq "exit" '{"code": 7}' "$(json run.rec/real.mprof exit)"
