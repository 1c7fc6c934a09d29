#!/bin/bash
# python3 with malloc instead of its own arenas: a workload, then threads, processes of multiprocessing in all its
# ways, subprocesses and a signal's death.
# TIMEOUT 200
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

export PYTHONMALLOC=malloc PYTHONHASHSEED=1
real_allow=(--program python3)
real_program 1000000 /usr/bin/python3 "$TESTS/workloads/python.py"
# run adds variables to the environment, and Python makes a few blocks for each.
difference=$(($(json run.rec/real.mprof totals.allocations) - $(json preload.rec/real.mprof totals.allocations)))
assert_at_least "allocations, both ways: difference" ${difference#-} 50

cat >busy.py <<'END'
import concurrent.futures, multiprocessing, os, subprocess, sys, threading
from multiprocessing import shared_memory

def squares(n):
    return sum(len(bytearray(i)) for i in range(n)), multiprocessing.current_process().name != "MainProcess"

def put(queue, lock, name):
    shared = shared_memory.SharedMemory(name)
    with lock:
        shared.buf[0] += 1
    queue.put({"text": "x" * 100000, "list": list(range(1000))})
    shared.close()

def in_ways():
    for way in ("fork", "forkserver", "spawn"):
        ctx = multiprocessing.get_context(way)
        pool = ctx.Pool(2)
        print(way, pool.map(squares, range(100, 140), chunksize=2)[::8])
        pool.close() # a pool that is left kills its children instead
        pool.join()
        queue, lock, shared = ctx.Queue(), ctx.Lock(), shared_memory.SharedMemory(create=True, size=100)
        children = [ctx.Process(target=put, args=(queue, lock, shared.name)) for _ in range(2)]
        for c in children: c.start()
        got = [queue.get() for _ in children]
        for c in children: c.join()
        print(way, shared.buf[0], [len(g["text"]) for g in got], [c.exitcode for c in children])
        shared.close()
        shared.unlink()
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        print(sum(pool.map(abs, range(-50, 0))))

def work(results):
    results.append(sum(len(bytearray(i)) for i in range(5000)))

if __name__ == "__main__":
    results = []
    threads = [threading.Thread(target=work, args=(results,)) for _ in range(4)]
    for t in threads: t.start()
    for t in threads: t.join()
    print(results, flush=True)
    in_ways()
    print(subprocess.run(["sh", "-c", "echo from a child; exit 4"], stdout=subprocess.PIPE), flush=True)
    if os.fork() == 0:
        threading.Thread(target=print, args=("forked",), kwargs={"flush": True}).start()
        sys.exit(0)
    os.wait()
    os.abort()
END
real_prepare() { cp ../busy.py .; }
real_allow=(--program python3 --program sh --forks 8)
real_program 500000 /usr/bin/python3 busy.py
assert_eq "signal" 6 "$(json run.rec/real.mprof exit.signal)"
