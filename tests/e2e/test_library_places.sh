#!/bin/bash
# The library may lie anywhere, and the programs that a program becomes or starts find it from anywhere: they are
# recorded, and ld.so says nothing on their standard error.
# TIMEOUT 120
. "$TESTS/e2e/lib.sh"

export TMPDIR=$PWD/tmp
mkdir tmp elsewhere
here=$PWD
single=$PROGRAMS/single

# How many of the recordings NAME, NAME.1 .. are of this program.
recorded() { # name, program
    local each count=0
    for each in "$1" "$1".[0-9]*; do
        [ -e "$each" ] || [ -e "$each.spool" ] || continue
        each=${each%.spool}
        case $("$MPROF" report --json -n 0 "$each" 2>/dev/null | json_of command.0) in
        *"$2") count=$((count + 1)) ;;
        esac
    done
    echo $count
}

assert_silent() { # what, file of standard error
    assert_eq "$1: standard error" "" "$(cat "$2")"
}

# A shell that goes elsewhere, with another LD_LIBRARY_PATH, and starts two programs.
wander='cd "$1/elsewhere" && "$0" && LD_LIBRARY_PATH=/nowhere "$0" && exit 0'

# ---- run ----

number=0
for name in plain 'a b' 'a:b' 'a;b' '$LIB' '$ORIGIN' '${PLATFORM}' $'new\nline' 'umläut' ' :$LIB '; do
    number=$((number + 1))
    mkdir -p "$name/bin" "$name/lib"
    cp "$MPROF" "$name/bin/mprof-c"
    cp "$LIB" "$name/lib/libmprof.so"
    "$name/bin/mprof-c" run -q -o run$number.mprof -- sh -c "$wander" "$single" "$here" >out 2>err
    assert_eq "$name: status ($(cat err))" 0 $?
    assert_silent "$name" err
    assert_eq "$name: recorded programs" 2 "$(recorded run$number.mprof single)"
    assert_eq "$name: recorded shells" 1 "$(recorded run$number.mprof sh)"
done
assert_eq "folders of links" 1 "$(find tmp -name 'mprof-c-*' | wc -l)"
assert_eq "links" 6 "$(find tmp -name libmprof.so -type l | wc -l)"

# By a relative path, from another folder, and by a link to mprof-c.
(cd elsewhere && ../'a b'/bin/mprof-c run -q -o "$here/relative.mprof" -- sh -c "$wander" "$single" "$here") 2>err
assert_silent "by a relative path" err
assert_eq "by a relative path: recorded" 2 "$(recorded relative.mprof single)"

# A shell that outlives run starts a program.
'a b/bin/mprof-c' run -q -o late.mprof -- sh -c \
    '(while [ ! -e over ]; do sleep 0.02; done; "$0" 2>late.err; touch late) >/dev/null 2>&1 &' "$single" >out 2>err
touch over
while [ ! -e late ]; do sleep 0.02; done
assert_silent "a shell that outlives run" late.err
assert_eq "a shell that outlives run: recorded" 1 "$(recorded late.mprof single)"

# The library is moved away, or deleted, while the program runs.
for what in 'mv "$1" "$1.old"' 'rm "$1"'; do
    mkdir -p "gone it"
    cp "$MPROF" "$LIB" "gone it"
    "gone it/mprof-c" run -q -o gone.mprof -- sh -c "$what && \"\$0\" && exit 0" "$single" \
        "$here/gone it/libmprof.so" 2>err
    assert_eq "gone: status" 0 $?
    grep -q 'ld.so\|preload' err && ! grep -q '^mprof-c: ' err && fail "gone: $(cat err)"
    assert_eq "gone: sentences ($(cat err))" 1 "$(wc -l <err)"
    assert_contains "gone" "could not load the recorder" err
done

# A folder for links that others can write to is not used.
(export TMPDIR=$here/tmp && chmod 777 tmp/mprof-c-* && 'a b/bin/mprof-c' run -q -o tmp.mprof -- "$single") 2>err
assert_silent "another folder" err
assert_eq "another folder: recorded" 1 "$(recorded tmp.mprof single)"
find /tmp/mprof-c-* -lname "$here/*" -delete

# ---- the library alone ----

mkdir lib
cp "$LIB" lib/libmprof.so
cp "$(command -v dash || command -v sh)" lib/shell

try() { # what, recorded programs, VARIABLE=value .. command
    local what=$1 want=$2
    shift 2
    rm -f alone.mprof*
    MPROF_OUTPUT=$here/alone.mprof env "$@" >out 2>err
    assert_eq "$what: status ($(cat err))" 0 $?
    assert_silent "$what" err
    assert_eq "$what: recorded programs" "$want" "$(recorded alone.mprof single)"
}

try "a relative path" 2 LD_PRELOAD=lib/libmprof.so sh -c "$wander" "$single" "$here"
try "another relative path" 2 LD_PRELOAD=./elsewhere/../lib/libmprof.so sh -c "$wander" "$single" "$here"
try "\$ORIGIN" 2 LD_PRELOAD='$ORIGIN/libmprof.so' lib/shell -c "$wander" "$single" "$here"
try "\${ORIGIN}" 2 LD_PRELOAD='${ORIGIN}/../lib/libmprof.so' lib/shell -c "$wander" "$single" "$here"
try "a name to be searched for" 2 LD_PRELOAD=libmprof.so LD_LIBRARY_PATH=$here/lib sh -c "$wander" "$single" "$here"
try "a name, LD_LIBRARY_PATH unset" 1 LD_PRELOAD=libmprof.so LD_LIBRARY_PATH=$here/lib \
    sh -c 'unset LD_LIBRARY_PATH; "$0" && exit 0' "$single"
try "a relative folder to be searched" 2 LD_PRELOAD=libmprof.so LD_LIBRARY_PATH=lib sh -c "$wander" "$single" "$here"
try "with others" 2 LD_PRELOAD="libm.so.6 lib/libmprof.so:libdl.so.2" sh -c "$wander" "$single" "$here"
try "by env" 1 LD_PRELOAD=lib/libmprof.so env -C elsewhere LD_LIBRARY_PATH=/nowhere "$single"
try "by xargs" 1 LD_PRELOAD=lib/libmprof.so sh -c 'cd elsewhere && echo | xargs "$0" && exit 0' "$single"
try "by system()" 1 LD_PRELOAD=lib/libmprof.so \
    /usr/bin/perl -e 'chdir "elsewhere"; exit system("$ARGV[0] && true")' "$single"
# Who takes it out means it.
try "taken out" 0 LD_PRELOAD=lib/libmprof.so sh -c 'LD_PRELOAD= "$0" && env -i "$0" && exit 0' "$single"
exit 0
