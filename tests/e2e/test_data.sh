#!/bin/bash
# Recordings of every version of the format, made long ago on another machine, can be read (tests/data/make).
. "$TESTS/e2e/lib.sh"

# The second reader of captures takes it, too.
assert_read_twice() { # recording
    "$TESTS/capture_reader.py" "$1" >reader.json || fail "$1, second reader of captures: $(cat reader.json)"
    for key in allocations frees peak_bytes; do
        assert_eq "$1, second reader of captures: $key" "$(json "$1" totals.$key)" \
            "$(json_of processes.0.sums.$key <reader.json)"
    done
}

# The kernel's mark of the resident set: recordings of the first version do not know it.
assert_mark() { # recording
    local mark
    mark=$(json "$1" totals.rss_high_water_bytes)
    case $1 in
    *.v1.*) assert_eq "$1: mark" 0 "$mark" ;;
    *) assert_at_least "$1: mark" 100000 "$mark" ;;
    esac
}

for file in fork.v1.spool.gz fork.v3.spool.gz inlines.v1.capture inlines.v2.capture; do
    [ -e "$TESTS/data/$file" ] || fail "no $file"
done

for file in "$TESTS"/data/fork.v*.spool.gz; do
    name=$(basename "$file" .spool.gz).mprof
    gunzip <"$file" >"$name.spool"
    "$TESTS/spool_reader.py" "$name.spool" >reader.json || fail "$name, second reader: $(cat reader.json)"
    for key in allocations frees allocated_bytes peak_bytes; do
        assert_eq "$name: $key" "$(json "$name" totals.$key)" "$(json_of processes.0.$key <reader.json)"
    done
    assert_eq "$name: allocations" 10 "$(json "$name" totals.allocations)"
    assert_eq "$name: peak" 1000 "$(json "$name" totals.peak_bytes)"
    assert_eq "$name: children" 3 "$(json "$name" children | grep -o '"kind": "fork"' | wc -l)"
    assert_clean "$name"
    assert_mark "$name"
    assert_read_twice "$name"
    case $name in *.v[12].*) # their recorders did not say what it was that was mapped
        assert_refused 1 "$MPROF" report --mapped "$name"
        assert_contains "$name: mapped memory" "older version" refused.err
        ;;
    esac
done

# One that is still being written stays, and so does its name; once it is not, it is as any other.
for file in "$TESTS"/data/fork.v*.spool.gz; do
    name=written.$(basename "$file" .spool.gz).mprof
    gunzip <"$file" >"$name.spool"
    exec 7>>"$name.spool"
    assert_refused 1 "$MPROF" rm "$name"
    assert_contains "rm $name" "still being written" refused.err
    run_as "$name" true || fail "run -o $name: status $?"
    [ -e "$name.spool" ] || fail "$name: the spool that is being written is gone"
    [ ! -e "$name" ] || fail "$name: run took the name of a spool that is being written"
    exec 7>&-
    run_as "$name" true || fail "run -o $name: status $?"
    assert_eq "$name: program" true "$(json "$name" command.0)"
    [ ! -e "$name.spool" ] || fail "$name: the spool of another recording stayed beside it"
done

for file in "$TESTS"/data/inlines.v*.capture; do
    name=$(basename "$file" .capture).mprof
    cp "$file" "$name"
    assert_eq "$name: host's program" ./inlines "$(json "$name" command.0)"
    assert_eq "$name: allocations" 3 "$(json "$name" totals.allocations)"
    "$MPROF" leaks "$name" >leaks.out || fail "leaks $name"
    assert_contains "$name" "leaf  inlines.c:" leaks.out
    assert_contains "$name" "middle  inlines.c:" leaks.out
    "$MPROF" leaks --json "$name" | json_of leaks.0.stack.0.offset >offset.out || fail "leaks --json $name"
    [ "$name" = inlines.v1.mprof ] && offset=null || offset=0x
    assert_contains "$name: offset" "$offset" offset.out
    [ "$name" = inlines.v1.mprof ] && activations=null || activations=3
    assert_eq "$name: activations of the first function" "$activations" "$(json "$name" functions.0.activations)"
    assert_mark "$name"
    assert_read_twice "$name"
    assert_plots "$name"
done

# Version 1 knows how much was mapped, and by whom not: --heap leaves it out, --mapped has nothing to show.
cp "$TESTS/data/maps.v1.capture" maps.mprof
"$MPROF" report maps.mprof >report.out 2>report.err || fail "report: $(cat report.err)"
assert_contains "what was mapped" "  mapped peak       240.00 KiB at" report.out
"$MPROF" report --heap maps.mprof >report.out 2>report.err || fail "report --heap: $(cat report.err)"
! grep -q map <(tail -n +2 report.out) || fail "mapped memory with --heap: $(cat report.out)"
"$MPROF" peak maps.mprof >peak.out 2>peak.err || fail "peak: $(cat peak.err)"
! grep -q "	mapped" peak.out || fail "parts that are not known: $(cat peak.out)"
