"""Runs the program `counter`, which counts its own events in shared memory, and compares with a recording."""
import os
import signal
import struct
import subprocess
import time

from common import PROGRAMS, QUALITY, check, preloaded, report, under_run

THREADS = 3
LEAST = 1000  # events without which a test says little
REALLOC = 2  # a call that raises the count by two at once
LONG = 600  # seconds: as long as a test wants it, however busy the machine is


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
        self.wait_for_more(LEAST)

    def wait_for_more(self, than):
        """Until it has counted more events than that."""
        for _ in range(3000):
            if self.counted() > than:
                return
            time.sleep(0.02)
        check(False, f"{self.name}: only {self.counted()} events in a minute, not more than {than}")

    def counted(self):
        with open(self.words, "rb") as f:
            data = f.read()
        return sum(struct.unpack_from("<Q", data, i * 64)[0] for i in range(THREADS))

    def end(self):
        """It ends by itself, soon."""
        os.kill(self.pid, signal.SIGTERM)

    def wait_until_gone(self):
        """Where it is nobody's child any more, its entry in /proc tells. Its first thread is a zombie while others
        are still dying."""
        for _ in range(6000):
            try:
                with open(f"/proc/{self.pid}/stat", encoding="utf-8") as f:
                    fields = f.read().rsplit(")", 1)[1].split()
                    if fields[0] in "ZX" and int(fields[17]) <= 1:
                        return
            except (FileNotFoundError, ProcessLookupError):
                return
            time.sleep(0.01)
        check(False, f"the program {self.pid} does not end")


def snapshot(counter):
    """The report of a running program, with all that it had counted before. What comes after an event in whose middle
    a thread stands still is held back, so it may take some readings."""
    before = counter.counted()
    for _ in range(200):
        got = report(counter.name)
        check(got["running"] is True, "the snapshot does not say that the program runs")
        for key in QUALITY:
            check(got["quality"][key] == 0, f"snapshot: {key} is {got['quality'][key]}")
        if got["totals"]["allocations"] + got["totals"]["frees"] >= before:
            return got
        time.sleep(0.05)
    check(False, f"{got['totals']} in the snapshot, {before} events were counted before it")


def check_complete(counter, got=None):
    """At most one event a thread may be missing, and nothing may be there that did not happen."""
    got = got or report(counter.name)
    counted = counter.counted()
    recorded = got["totals"]["allocations"] + got["totals"]["frees"] - THREADS  # less the vectors
    text = f"{counter.name}: {counted} events counted, {recorded} recorded"
    check(counted > LEAST, text)
    check(recorded >= counted - THREADS, text)
    check(recorded <= counted + REALLOC * THREADS, text)
    for key in QUALITY:
        check(got["quality"][key] == 0, f"{counter.name}: {key} is {got['quality'][key]}")
    deeper = [f for f in got["functions"] if f["name"] == "deeper"]
    check(deeper and deeper[0]["inclusive"]["own_peak_bytes"] <= 400 * THREADS,
          f"{counter.name}: own peak of deeper: {deeper}")
    return got
