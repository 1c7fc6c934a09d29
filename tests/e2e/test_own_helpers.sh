#!/bin/bash
# mprof-c and what it starts for itself are never recorded, also with the library exported in the shell; and
# nothing that is set for gnuplot changes a picture.
# TIMEOUT 120
. "$TESTS/e2e/lib.sh"

command -v gnuplot >/dev/null || skip "no gnuplot"
run_as a.mprof "$PROGRAMS/threads" || fail "recording"
mkdir plain home

draw() { # folder; the environment is the caller's
    local kind
    for kind in svg png; do
        "$MPROF" plot -t Title -o "$1/a.$kind" a.mprof >"$1/out" 2>&1 || fail "plot into $1: $(cat "$1/out")"
    done
    "$MPROF" plot -t Title a.mprof >"$1/a.txt" 2>"$1/out" || fail "plot as text into $1: $(cat "$1/out")"
}

assert_drawn() { # what, folder
    local kind
    for kind in svg png txt; do
        assert_same "$1: a.$kind" plain/a.$kind "$2/a.$kind"
    done
}

draw plain
find . -name '*.spool' -o -name '*.mprof*' | sort >before

assert_nothing_recorded() { # what
    find . -name '*.spool' -o -name '*.mprof*' | sort >after
    assert_same "$1: recordings" before after
}

# ---- the library is exported ----

with_library() { # value of LD_PRELOAD, command..
    local value=$1
    shift
    (export LD_PRELOAD=$value && "$@")
}

mkdir preloaded
with_library "$LIB" draw preloaded
assert_nothing_recorded "plot with the library exported"
assert_drawn "with the library exported" preloaded
with_library "$LIB" "$MPROF" report a.mprof >report.out 2>&1 || fail "report: $(cat report.out)"
assert_nothing_recorded "report with the library exported"
with_library "$LIB" "$MPROF" list >list.out 2>&1
assert_contains "list with the library exported" "no recording in this folder" list.out

# By another name and by a link.
cp "$MPROF" other-name
ln -s "$MPROF" a-link
for name in other-name a-link; do
    with_library "$LIB" ./$name report a.mprof >out 2>&1 || fail "$name: $(cat out)"
    assert_nothing_recorded "$name"
done

# A program of the user's that is called like ours is recorded.
cp "$PROGRAMS/single" mprof-c
preload theirs.mprof ./mprof-c || fail "a program called mprof-c"
assert_at_least "allocations of a program called mprof-c" 1 "$(json theirs.mprof totals.allocations)"
rm -rf mprof-c theirs.mprof*

# gnuplot is a script that brings the library in again: as a file /etc/ld.so.preload would.
mkdir bin
gnuplot=$(command -v gnuplot)
printf '#!/bin/sh\nLD_PRELOAD=%s exec %s "$@"\n' "$LIB" "$gnuplot" >bin/gnuplot
chmod +x bin/gnuplot
mkdir wrapped
(PATH=$PWD/bin:$PATH && export LD_PRELOAD=$LIB && draw wrapped) || exit 1
assert_nothing_recorded "gnuplot is a script"
assert_drawn "gnuplot is a script" wrapped

# run, with the library and another one exported: recorded once, and the other one is still there.
cat >other.c <<'EOF'
#include <unistd.h>
__attribute__((constructor)) static void here(void) { write(2, "other\n", 6); }
EOF
gcc -shared -fPIC -o libother.so other.c || skip "no compiler"
(export LD_PRELOAD="$LIB:$PWD/libother.so" && "$MPROF" run -q -o b.mprof -- "$PROGRAMS/single") >out 2>err
assert_eq "run with the library exported" 0 $?
assert_at_least "the other library in the program" 2 "$(grep -c other err)"
assert_clean b.mprof
assert_eq "recordings of one run" 1 "$(find . -name 'b.mprof*' | wc -l)"
rm -f b.mprof

# ---- what is set for gnuplot ----

hostile() { # what, VARIABLE=value ..
    local what=$1
    shift
    mkdir "$what"
    (export "${@}" 2>/dev/null && draw "$what") || exit 1
    assert_drawn "$what" "$what"
    assert_nothing_recorded "$what"
}

printf 'set title "spoilt"\nset xrange [0:1]\nset key bottom\nset terminal dumb\n' >home/.gnuplot
cp home/.gnuplot home/gnuplotrc
mkdir home/gnuplot
cp home/.gnuplot home/gnuplot/gnuplotrc
hostile at-home HOME="$PWD/home" XDG_CONFIG_HOME="$PWD/home" GNUPLOT_LIB="$PWD/home" GNUPLOT_SHARE_DIR="$PWD/home"
hostile terminal GNUTERM="dumb size 20,10" GNUPLOT_DRIVER_DIR=/nowhere GNUHELP=/nowhere PAGER=false
hostile no-terminal GNUTERM=nothing-of-this-name
hostile fonts GDFONTPATH=/nowhere GNUPLOT_DEFAULT_GDFONT=nothing GNUPLOT_FONTPATH=/nowhere GNUPLOT_PS_DIR=/nowhere \
    PANGOCAIRO_BACKEND=fc CAIRO_DEBUG=1 PANGO_LANGUAGE=ar
hostile fit FIT_LOG=/nowhere/fit.log FIT_SCRIPT=false FIT_LIMIT=nothing
hostile locale LC_ALL=C LANG=C LC_NUMERIC=C
hostile german LC_ALL= LANG=de_DE.UTF-8 LC_NUMERIC=de_DE.UTF-8 LC_MESSAGES=de_DE.UTF-8 LANGUAGE=de
hostile latin LC_ALL=de_DE.ISO-8859-1 LC_CTYPE=de_DE.ISO-8859-1
hostile screen TERM=dumb COLUMNS=10 LINES=3
cp home/.gnuplot .gnuplot
cp home/.gnuplot gnuplotrc
hostile folder A=1
exit 0
