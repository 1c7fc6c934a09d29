"""Runs the program `counter`, which counts its own events in shared memory, and compares with a recording."""
import os
import struct
import subprocess
import time

from common import PROGRAMS, check, preloaded, report, under_run

THREADS = 3
LEAST = 1000  # events without which a test says little
REALLOC = 2  # a call that raises the count by two at once


class Counter:
    """A running counter; its events are in the file `words`."""

    def __init__(self, way, name, seconds=30, pause=0):
        self.name, self.words, self.way = name, name + ".words", way
        command = [os.path.join(PROGRAMS, "counter"), self.words, str(THREADS), str(seconds), str(pause)]
        if way == "preload":
            self.child = subprocess.Popen(command, env=preloaded(name), stdout=subprocess.PIPE)
        else:
            self.child = subprocess.Popen(under_run(name, command), stdout=subprocess.PIPE)
        ready = self.child.stdout.readline().split()
        check(len(ready) == 2 and ready[0] == b"ready", f"the counter did not begin: {ready}")
        self.pid = int(ready[1])
        if not pause:
            self.wait_for_events()

    def wait_for_events(self):
        """Until its threads are under way, which takes a while where processors are busy."""
        for _ in range(600):
            if self.counted() > LEAST:
                return
            time.sleep(0.02)
        check(False, f"{self.name}: only {self.counted()} events in 12 s")

    def counted(self):
        with open(self.words, "rb") as f:
            data = f.read()
        return sum(struct.unpack_from("<Q", data, i * 64)[0] for i in range(THREADS))


def check_complete(counter, got=None):
    """At most one event a thread may be missing, and nothing may be there that did not happen."""
    got = got or report(counter.name)
    counted = counter.counted()
    recorded = got["totals"]["allocations"] + got["totals"]["frees"] - THREADS  # less the vectors
    text = f"{counter.name}: {counted} events counted, {recorded} recorded"
    check(counted > LEAST, text)
    check(recorded >= counted - THREADS, text)
    check(recorded <= counted + REALLOC * THREADS, text)
    for key in ("lost", "unmatched_frees", "implied_frees"):
        check(got["quality"][key] == 0, f"{counter.name}: {key} is {got['quality'][key]}")
    deeper = [f for f in got["functions"] if f["name"] == "deeper"]
    check(deeper and deeper[0]["inclusive"]["own_peak_bytes"] <= 400 * THREADS,
          f"{counter.name}: own peak of deeper: {deeper}")
    return got
