#!/usr/bin/python3
"""kill -9 of `mprof-c run` itself: the program goes on, is recorded to its end, and all can be read."""
# TIMEOUT 180
import os
import random
import signal
import time

from common import check, run_case
from counted import LONG, Counter, check_complete

TIMES = 10


def kill_run(name, to_the_end):
    counter = Counter("run", name, seconds=LONG)
    time.sleep(random.uniform(0.01, 0.15))
    os.kill(counter.child.pid, signal.SIGKILL)
    check(counter.child.wait() == -signal.SIGKILL, "mprof-c run did not die of the signal")
    counter.wait_for_more(counter.counted())  # it goes on without mprof-c run
    if to_the_end:
        counter.end()
    else:
        time.sleep(random.uniform(0.02, 0.05))
        os.kill(counter.pid, signal.SIGKILL)
    counter.wait_until_gone()
    check_complete(counter)
    check_complete(counter)  # and again, from what the first reading made of it


def main():
    for i in range(TIMES):
        kill_run(f"run{i}.mprof", to_the_end=i % 3 == 0)


run_case(main)
