#!/bin/bash
# What must not happen to the host, as far as it is seen from outside: TLS, size of the spool, limits,
# a setuid program, a disk that fills up, the network.
. "$TESTS/e2e/lib.sh"

# Thread-local storage: initial-exec, and so little that threads with tiny stacks start.
tls=$(readelf -lW "$LIB" | awk '$1 == "TLS" { print $6 }')
[ $((tls)) -lt 64 ] || fail "the library takes $((tls)) bytes of every thread's stack"
! readelf -rW "$LIB" | grep -E 'DTPMOD|DTPOFF|TLSDESC' || fail "dynamic TLS"
needed=$(readelf -dW "$LIB" | grep -c NEEDED)
assert_eq "needed libraries that are not the C library's" 0 \
    $((needed - $(readelf -dW "$LIB" | grep NEEDED | grep -cE 'libc\.so|ld-linux')))

# 20,500 threads, half of them with frees behind the last destructor: the spool does not grow by threads.
preload threads.mprof "$PROGRAMS/trap_threads" || fail "status $? with many threads"
assert_at_least "8 MiB in KiB, less the spool" 0 $((8192 - $(du -k threads.mprof.spool | cut -f1)))
rm threads.mprof.spool

# Small limits from the start: file size (a byte too many is a signal), address space, descriptors.
for size in 0 1 4 8 100 4096; do
    said=$(ulimit -f $size && preload f$size.mprof "$PROGRAMS/single" 2>&1) # a pipe has no size
    assert_eq "status with files of at most $size KiB" "0 done" "$? $said"
done
for space in 4000 6000 7000 8000 10000 16000 30000; do
    (ulimit -v $space && preload v$space.mprof "$PROGRAMS/single") >out 2>err
    status=$? # $(cat err) would change it
    assert_eq "status with $space KiB of address space ($(cat err))" 0 $status
    assert_eq "output with $space KiB" "done" "$(cat out)"
done
(ulimit -n 4 && preload n.mprof "$PROGRAMS/single") >out 2>err
assert_eq "status with four descriptors" "0 done" "$? $(cat out err)"
rm -f ./*.spool

# The network: debuginfod is asked by nobody, whatever the environment says.
cat >listen.py <<'END'
import socket, sys
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
s.accept()
print("asked", flush=True)
END
/usr/bin/python3 listen.py >port &
listener=$!
for _ in $(seq 100); do [ -s port ] && break; sleep 0.05; done
cp "$PROGRAMS/single" stripped && strip stripped
export DEBUGINFOD_URLS="http://127.0.0.1:$(head -n 1 port)" DEBUGINFOD_TIMEOUT=2
run_as net.mprof ./stripped >out || fail "status $? with DEBUGINFOD_URLS"
preload net2.mprof ./stripped >out || fail "status $? with DEBUGINFOD_URLS, preloaded"
json net2.mprof totals.allocations >out
"$MPROF" leaks net.mprof >out || fail "leaks"
kill $listener 2>/dev/null
assert_eq "lines of the listener" 1 "$(wc -l <port)"

[ "$(id -u)" = 0 ] || skip "a setuid program and a full disk need root"

# A program with another user's rights is left alone by the loader and by us.
mkdir setuid && chmod 777 setuid
cp "$PROGRAMS/single" setuid/ && chmod 4755 setuid/single
setpriv --reuid=65534 --regid=65534 --clear-groups env LD_PRELOAD="$LIB" MPROF_OUTPUT="$PWD/setuid/s.mprof" \
    setuid/single >out 2>err
assert_eq "status of a setuid program" "0 done" "$? $(cat out)"
assert_eq "files of a setuid program" single "$(ls setuid)"

# A disk that is full in the middle: recorded and lost together are all there was.
mkdir disk
mount -t tmpfs -o size=2m tmpfs disk 2>/dev/null || skip "a full disk needs the right to mount"
trap 'umount disk' EXIT
(cd disk && MPROF_LIMIT=64 MPROF_INTERVAL=0 MPROF_OUTPUT=full.mprof LD_PRELOAD=$LIB "$PROGRAMS/trap_fill")
assert_eq "status on a full disk" 0 $?
cp --sparse=always disk/full.mprof.spool .
lost=$(json full.mprof quality.lost)
events=$(($(json full.mprof totals.allocations) + $(json full.mprof totals.frees)))
assert_at_least "lost on a full disk" 1000 "$lost"
assert_at_least "recorded before it was full" 1000 $((events - lost))
assert_eq "lost and recorded" 400000 $events
# The recorder tries again after a while: a free may then find room that its allocation has not found.
assert_at_least "lost, less the frees of lost allocations" 0 $((lost - $(json full.mprof quality.unmatched_frees)))
