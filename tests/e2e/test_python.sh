#!/bin/bash
# python3 with malloc instead of its own arenas.
# TIMEOUT 200
. "$TESTS/e2e/lib.sh"

export PYTHONMALLOC=malloc PYTHONHASHSEED=1
assert_real_program 500000 /usr/bin/python3 "$TESTS/workloads/python.py"
# run adds variables to the environment, and Python makes a few blocks for each.
difference=$(($(json run.mprof totals.allocations) - $(json preload.mprof totals.allocations)))
assert_at_least "allocations, both ways: difference" ${difference#-} 50

# Threads, subprocesses and a signal's death inside Python.
cat >busy.py <<'END'
import os, subprocess, threading
def work():
    for i in range(2000):
        bytearray(i)
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print(subprocess.run(["sh", "-c", "echo from a child; exit 4"], stdout=subprocess.PIPE))
if os.fork() == 0:
    print("forked", flush=True)
    os._exit(0)
os.wait()
os.abort()
END
assert_real_program 5000 /usr/bin/python3 busy.py
assert_eq "signal" 6 "$(json run.mprof exit.signal)"
