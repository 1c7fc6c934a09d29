#!/usr/bin/python3
"""A live collector moves chunks and gives their space back: the program uses it again, a reader of the spool
misses nothing meanwhile, nor does one after the collector was killed in the middle of it."""
# TIMEOUT 180
import os
import signal
import time

from common import check, report, run_case
from chunks import COPY, chunks
from counted import Counter, check_complete

def wait_until_recycled(name):
    """Waits for moved chunks, and for slots that have been used at least three times."""
    for _ in range(200):
        found = chunks(name)
        if any(flags & COPY for _, flags, _ in found) and any(sequence > 2 for sequence, _, _ in found):
            return
        time.sleep(0.05)
    check(False, f"nothing was recycled: {sorted(set(found))}")


def snapshots(counter):
    """Read again and again while chunks move under the reader."""
    last = 0
    for _ in range(5):
        before = counter.counted()
        got = report(counter.name)
        events = got["totals"]["allocations"] + got["totals"]["frees"]
        check(got["running"] is True, "the snapshot does not say that the program runs")
        check(events >= before - 3, f"{events} events in the snapshot, {before} were counted before it")
        check(events >= last, f"{events} events after {last}")
        for key in ("lost", "unmatched_frees", "implied_frees"):
            check(got["quality"][key] == 0, f"snapshot: {key} is {got['quality'][key]}")
        last = events


def killed(name):
    counter = Counter("run", name, pause=20000)
    wait_until_recycled(name)
    snapshots(counter)
    os.kill(counter.child.pid, signal.SIGKILL)
    counter.child.wait()
    time.sleep(0.2)
    os.kill(counter.pid, signal.SIGKILL)
    time.sleep(0.2)
    check_complete(counter)
    check_complete(counter)


def to_the_end(name):
    counter = Counter("run", name, seconds=6, pause=20000)
    wait_until_recycled(name)
    check(counter.child.wait() == 0, "exit status")
    check(not os.path.exists(name + ".spool"), "the spool is still there")
    check_complete(counter)


def main():
    for i in range(3):
        killed(f"killed{i}.mprof")
    to_the_end("whole.mprof")


run_case(main)
