#!/bin/bash
# Files of recordings belong to nobody else: 0600 whatever the umask says, never through a link, never into a file that
# was there. A privileged program is left alone even where the system's administrator lets the library in.
. "$TESTS/e2e/lib.sh"

victim=$PROGRAMS/single

mode() { # file
    stat -c %a "$1"
}

# Modes.
umask 000
preload open.mprof "$victim" >out || fail "status $?"
assert_eq "mode of a spool" 600 "$(mode open.mprof.spool)"
"$MPROF" report open.mprof >out || fail "report"
assert_eq "mode of a capture" 600 "$(mode open.mprof)"
run_as run.mprof "$victim" >out || fail "run"
assert_eq "mode of a capture of run" 600 "$(mode run.mprof)"
"$MPROF" run -q -o slow.mprof -- sh -c "while [ ! -e go ]; do sleep 0.05; done" &
for _ in $(seq 200); do
    [ -e slow.mprof.part ] && [ -e slow.mprof.spool ] && break
    sleep 0.05
done
assert_eq "modes while it runs" "600 600" "$(mode slow.mprof.part) $(mode slow.mprof.spool)"
touch go
wait $! || fail "run: status $?"
umask 022

# A link in the place of each file that is written: neither followed nor lost, and what it points to stays.
mkdir outside
echo precious >outside/precious
untouched() { # what
    assert_eq "$1: files outside" "precious" "$(ls outside)"
    assert_eq "$1: the file outside" "precious" "$(cat outside/precious)"
}
for target in missing precious; do
    for end in "" .spool .part; do
        for way in preload run report; do
            name=$way-$target$end.mprof
            [ $way = report ] && { preload "$name" "$victim" >out || fail "$name: status $?"; }
            [ $way-$end = report-.spool ] && mv "$name.spool" "$name.spool.kept"
            ln -s "outside/$target" "$name$end"
            if [ $way-$target-$end = run-precious- ]; then # it is no recording
                assert_refused 2 "$MPROF" run -o "$name" "$victim"
                untouched "$name"
                rm "$name"
                continue
            fi
            case $way in
            preload) preload "$name" "$victim" >out || fail "$name: status $?" ;;
            run) run_as "$name" "$victim" >out 2>err || fail "$name: status $? $(cat err)" ;;
            report) "$MPROF" report --json "$name" >out 2>err ;;
            esac
            untouched "$name"
            case $way-$end in
            preload-.part) kept=$name ;;
            preload-*) kept=$name.1 ;;
            run-.spool) kept=$name.1 ;;
            *) kept=$name ;;
            esac
            if [ $way != report ]; then
                assert_eq "$name: allocations" 18 "$(json "$kept" totals.allocations)"
                untouched "$name, read"
            elif [ "$end" = .part ]; then
                grep -q '"allocations": 18' out || fail "$name: report: $(cat err)"
            fi
            rm -rf "$name"*
        done
    done
done

# The picture goes where the user says, through a link too.
ln -s outside/picture.png picture.png
"$MPROF" plot -o picture.png open.mprof || fail "plot"
[ -s outside/picture.png ] || fail "plot -o does not follow a link"
rm outside/picture.png

[ "$(id -u)" = 0 ] || skip "other users and privileged programs need root"

# A folder for all, like /tmp: what another user has put there is not written to.
mkdir -m 1777 all
for name in a.mprof.spool b.mprof.part b.mprof.spool; do
    setpriv --reuid=65534 --regid=65534 --clear-groups sh -c 'umask 0; echo mine >"$0"' "all/$name" ||
        skip "another user cannot come here"
done
preload all/a.mprof "$victim" >out || fail "status $? beside another user's spool"
assert_eq "the other user's spool" "mine 65534" "$(cat all/a.mprof.spool) $(stat -c %u all/a.mprof.spool)"
assert_eq "mode and owner of ours" "600 0" "$(stat -c "%a %u" all/a.mprof.1.spool)"
assert_eq "allocations" 18 "$(json all/a.mprof.1 totals.allocations)"
rm all/b.mprof.spool
preload all/b.mprof "$victim" >out || fail "status $? beside another user's part"
assert_eq "allocations" 18 "$(json all/b.mprof totals.allocations)" # from the spool, every time
assert_eq "the other user's part" "mine 65534" "$(cat all/b.mprof.part) $(stat -c %u all/b.mprof.part)"
assert_eq "mode and owner of the spool" "600 0" "$(stat -c "%a %u" all/b.mprof.spool)"
rm all/b.mprof.part
assert_eq "allocations" 18 "$(json all/b.mprof totals.allocations)"
assert_eq "mode and owner of the capture" "600 0" "$(stat -c "%a %u" all/b.mprof)"

# ld.so takes a library along into a privileged program where that lies in the system's folder and is setuid itself.
# It is put there for us alone: over a library that nobody needs, in a mount namespace.
folder=$(dirname "$(ldd "$PROGRAMS/secure" | awk '$1 ~ /^libc\.so/ { print $3 }')")
for library in libmemusage.so libpcprofile.so libBrokenLocale.so.1 ""; do
    [ -e "$folder/$library" ] && break
done
[ -n "$library" ] || skip "no library to take the place of"
cp "$LIB" library.so && chmod 4755 library.so
mkdir programs && chmod 755 programs
for kind in plain setuid setgid capable; do
    cp "$PROGRAMS/secure" programs/$kind && chmod 755 programs/$kind
done
chown 65534 programs/setuid && chmod 4755 programs/setuid
chgrp 65534 programs/setgid && chmod 2755 programs/setgid
setcap cap_net_raw+ep programs/capable || skip "no capabilities for files here"
mkdir -m 1777 records

privileged() { # program, prefix..
    local program=$1
    shift
    # shellcheck disable=SC2016
    unshare -m --propagation private sh -c 'mount --bind library.so "$0" && exec "$@"' "$folder/$library" \
        "$@" env LD_PRELOAD="$library" MPROF_OUTPUT="$PWD/records/$kind.mprof" "$program" "$library"
}
for kind in plain setuid setgid capable; do
    prefix=()
    # Root gains nothing by the capabilities of a file.
    [ $kind = capable ] && prefix=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    privileged "programs/$kind" "${prefix[@]}" >out 2>err || skip "no mount namespace: $(cat err)"
    assert_eq "$kind: standard error" "" "$(grep -v 'cannot be preloaded' err)"
    if [ $kind = plain ]; then
        assert_eq "a plain program" "secure 0 loaded 1" "$(cat out)"
        [ -e records/plain.mprof.spool ] || fail "the plain program was not recorded"
        rm records/*
    else
        assert_eq "a $kind program" "secure 1 loaded 1" "$(cat out)"
        assert_eq "$kind: files" "" "$(ls records)"
    fi
done
