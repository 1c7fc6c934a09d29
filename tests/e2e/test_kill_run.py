#!/usr/bin/python3
"""kill -9 of `mprof-c run` itself: the program goes on, is recorded to its end, and all can be read."""
# TIMEOUT 180
import os
import random
import signal
import time

from common import check, run_case
from counted import Counter, check_complete

TIMES = 10


def wait_for_end(pid):
    """The program is nobody's child any more: its entry in /proc tells. Its first thread is a zombie while
    others are still dying."""
    for _ in range(1000):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
                fields = f.read().rsplit(")", 1)[1].split()
                if fields[0] in "ZX" and int(fields[17]) <= 1:
                    return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.01)
    check(False, f"the program {pid} does not end")


def kill_run(name, to_the_end):
    counter = Counter("run", name, seconds=0.3 if to_the_end else 30)
    time.sleep(random.uniform(0.01, 0.15))
    os.kill(counter.child.pid, signal.SIGKILL)
    check(counter.child.wait() == -signal.SIGKILL, "mprof-c run did not die of the signal")
    before = counter.counted()
    if not to_the_end:
        time.sleep(random.uniform(0.02, 0.05))
        os.kill(counter.pid, signal.SIGKILL)
    wait_for_end(counter.pid)
    check(counter.counted() > before, "the program did not go on without mprof-c run")
    check_complete(counter)
    check_complete(counter)  # and again, from what the first reading made of it


def main():
    for i in range(TIMES):
        kill_run(f"run{i}.mprof", to_the_end=i % 3 == 0)


run_case(main)
