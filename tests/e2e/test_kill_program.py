#!/usr/bin/python3
"""kill -9 of the program in the middle: all is read up to the kill."""
# TIMEOUT 180
import os
import random
import signal
import time

from common import check, run_case
from counted import Counter, check_complete

TIMES = 10


def kill_in_the_middle(way, name):
    counter = Counter(way, name)
    time.sleep(random.uniform(0.01, 0.15))
    os.kill(counter.pid, signal.SIGKILL)
    status = counter.child.wait()
    check(status == -signal.SIGKILL, f"{way}: ended with {status}, not by the signal")
    got = check_complete(counter)
    want = {"signal": 9} if way == "run" else None
    check(got["exit"] == want, f"{way}: exit is {got['exit']}, not {want}")


def main():
    for i in range(TIMES):
        for way in ("preload", "run"):
            kill_in_the_middle(way, f"{way}{i}.mprof")


run_case(main)
