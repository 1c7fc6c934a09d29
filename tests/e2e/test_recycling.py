#!/usr/bin/python3
"""A live collector moves chunks and gives their space back: the program uses it again, a reader of the spool
misses nothing meanwhile, nor does one after the collector was killed in the middle of it."""
# TIMEOUT 400
import os
import signal
import subprocess
import time

from common import PROGRAMS, check, report, run_case, under_run
from chunks import COPY, chunks
from counted import LONG, Counter, check_complete, snapshot


LARGE = 256 << 10


def wait_until_recycled(name, least=0):
    """Waits for moved chunks, and for slots of `least` bytes that have been used at least three times."""
    for _ in range(1200):
        found = chunks(name) if os.path.exists(name + ".spool") else []
        if any(c[1] & COPY for c in found) and any(c[0] > 2 and c[3] >= least for c in found):
            return
        time.sleep(0.05)
    check(False, f"nothing was recycled: {sorted(set(found))}")


def snapshots(counter):
    """Read again and again while chunks move under the reader."""
    last = 0
    for _ in range(5):
        totals = snapshot(counter)["totals"]
        events = totals["allocations"] + totals["frees"]
        check(events >= last, f"{events} events after {last}")
        last = events


def killed(name):
    counter = Counter("run", name, seconds=LONG, pause=20000)
    wait_until_recycled(name)
    snapshots(counter)
    os.kill(counter.child.pid, signal.SIGKILL)
    counter.child.wait()
    counter.wait_for_more(counter.counted() + 100000)
    os.kill(counter.pid, signal.SIGKILL)
    counter.wait_until_gone()
    check_complete(counter)
    check_complete(counter)


def to_the_end(name):
    counter = Counter("run", name, seconds=LONG, pause=20000)
    wait_until_recycled(name)
    counter.end()
    check(counter.child.wait() == 0, "exit status")
    check(not os.path.exists(name + ".spool"), "the spool is still there")
    check_complete(counter)


def many_stacks(name):
    """Its thread takes large slots, which come back, too."""
    child = subprocess.Popen(under_run(name, [os.path.join(PROGRAMS, "manystacks"), "1000000"]))
    wait_until_recycled(name, LARGE)
    child.send_signal(signal.SIGTERM)
    child.wait()
    check(report(name)["quality"]["lost"] == 0, "events were lost")


def main():
    many_stacks("large.mprof")
    for i in range(3):
        killed(f"killed{i}.mprof")
    to_the_end("whole.mprof")


run_case(main)
