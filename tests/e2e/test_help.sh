#!/bin/bash
# Help, version and manual come from one table; the pages are clean.
. "$TESTS/e2e/lib.sh"

commands="run plot peak report leaks list rm clean"
"$MPROF" --version >version.out || fail "--version"
grep -qE '^mprof-c [0-9]+\.[0-9]+' version.out || fail "$(cat version.out)"
"$MPROF" help >help.out || fail "help"
"$MPROF" --help >help2.out || fail "--help"
assert_same "help and --help" help.out help2.out
for command in $commands help; do
    assert_contains "help" "$command" help.out
    "$MPROF" help "$command" >one.out || fail "help $command"
    assert_at_least "lines of help $command" 3 "$(wc -l <one.out)"
    assert_contains "help $command" "mprof-c $command" one.out
    [ "$(wc -L <one.out)" -le 80 ] || fail "help $command is wider than 80 columns"
done
for command in $commands; do
    "$MPROF" "$command" --help >two.out || fail "$command --help"
    "$MPROF" help "$command" >one.out
    assert_same "help $command and $command --help" one.out two.out
done

doc=$TESTS/../doc
for page in mprof-c.1 libmprof.7; do
    [ -f "$doc/$page" ] || fail "doc/$page is missing"
    mandoc -T lint -W warning "$doc/$page" >lint.out 2>&1 || fail "doc/$page: $(cat lint.out)"
    mandoc -T utf8 "$doc/$page" >page.out || fail "doc/$page cannot be set"
done
"$MPROF" help --manual >mprof-c.1
"$MPROF" help --library-manual >libmprof.7
assert_same "doc/mprof-c.1 and help --manual" mprof-c.1 "$doc/mprof-c.1"
assert_same "doc/libmprof.7 and help --library-manual" libmprof.7 "$doc/libmprof.7"
mandoc -T utf8 "$doc/mprof-c.1" | sed 's/.\x08//g' >manual.out
for command in $commands; do
    assert_contains "mprof-c(1)" "mprof-c $command" manual.out
    # Every long option of the help is in the manual.
    for option in $("$MPROF" help "$command" | grep -oE -- '--[a-z][a-z-]+' | sort -u); do
        assert_contains "mprof-c(1), $command" "$option" manual.out
    done
done
for key in live_at_end_blocks mapped_peak_bytes implied_frees own_peak_time_s truncated_stacks; do
    assert_contains "mprof-c(1), JSON" $key manual.out
done
