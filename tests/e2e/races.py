#!/usr/bin/python3
"""Records programs of known counts again and again, with threads and collector standing still in unlucky places.

    tests/e2e/races.py [--runs N] [--busy N] [--build DIR] [--plain] [PROGRAM ..]

Each of N rounds records each program by plain preload and under run, by a recorder and an analyzer with points
(make delays), which stand still by the round's set of delays; with --plain by the usual ones. --busy starts so many
loops that keep processors busy. What each process of a recording has done must be what the program says of itself,
with nothing lost, cut, unmatched or implied. Exit status 0: all were as they should be.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What stands still: threads that open chunks, that record, the collector, threads that close and take slots.
DELAYS = (
    "claimed=300000:300,placed=200000:400,laid out=200000:400,opened=100000:400,marked=200000:400",
    "busy=400:3000,timed=400:3000,encoded=400:2000,committed=400:2000",
    "read=4000:1500,write=20000:700",
    "closing=300000:700,closed=300000:700,held=200000:400,slot laid out=50000:200",
    "busy=200:6000,claimed=100000:1000,marked=100000:1000,read=1000:3000,closed=100000:1000",
)

ANY = None  # what a process does is chance
SAME = "same"  # always the same, as far as it is known
# The program and its arguments; allocations and frees of the first process, then of its children.
PROGRAMS = {
    "pauses": (["quick"], (0, 0), [(2, 2)]),
    "bursts": (["1"], (96024, 96000), [(192000, 192000)]),
    "exchange": (["8000"], (48020, 48016), []),
    "threads": ([], SAME, []),
    "realloc_threads": ([], SAME, []),
    "churn": (["40000"], (80010, 80008), []),
    "shortthreads": ([], SAME, []),
    "forkthreads": ([], ANY, [(5, 6)] * 20),
}
MUST_BE_ZERO = ("lost", "unmatched_frees", "implied_frees")


def counts(process):
    return process["totals"]["allocations"], process["totals"]["frees"]


def differences(report, first, children):
    """What is not as it should be, a line each."""
    forks = [c for c in report["children"] if c.get("kind") == "fork"]
    lines = ["it is cut"] if report["cut"] else []
    for name, process in [("root", report)] + [(f"child {i}", c) for i, c in enumerate(forks, 1)]:
        lines += [f"{name}: {key} {process['quality'][key]}" for key in MUST_BE_ZERO if process["quality"].get(key)]
    if first is not ANY and counts(report) != first:
        lines.append(f"root: {counts(report)}, expected {first}")
    if len(forks) != len(children):
        lines.append(f"{len(forks)} children, expected {len(children)}")
    lines += [f"child {i}: {counts(c)}, expected {e}" for i, (c, e) in enumerate(zip(forks, children), 1)
              if counts(c) != e]
    return lines


class Racer:
    def __init__(self, build, plain):
        here = build if plain else os.path.join(build, "delays")
        self.mprof, self.lib = os.path.join(here, "mprof-c"), os.path.join(here, "libmprof.so")
        self.programs, self.plain = os.path.join(build, "tests", "programs"), plain
        self.known = {}  # program -> counts of its first recording, where it does not say them

    def record(self, command, way, delays):
        env = dict(os.environ) if self.plain else dict(os.environ, MPROF_DELAYS=delays)
        if way == "run":
            command = [self.mprof, "run", "-q", "-o", "r.mprof", "--"] + command
        else:
            env.update(LD_PRELOAD=self.lib, MPROF_OUTPUT="r.mprof")
        return subprocess.run(command, env=env, capture_output=True, timeout=120, check=False)

    def race(self, name, way, delays):
        """What differs, a line each."""
        arguments, first, children = PROGRAMS[name]
        for old in os.listdir("."):
            os.unlink(old)
        done = self.record([os.path.join(self.programs, name)] + arguments, way, delays)
        if done.returncode != 0:
            return [f"status {done.returncode}: {done.stderr[-300:]!r}"]
        told = subprocess.run([self.mprof, "report", "--json", "r.mprof"], capture_output=True, check=False)
        if told.returncode != 0:
            return [f"report: status {told.returncode}: {told.stderr[-300:]!r}"]
        report = json.loads(told.stdout)
        if first == SAME:
            first = self.known.setdefault(name, counts(report))
        return differences(report, first, children)


def busy_loops(number):
    return [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(number)]


def race_all(racer, names, runs):
    bad = total = 0
    for turn in range(runs):
        delays = DELAYS[turn % len(DELAYS)]
        for name in names:
            for way in ("preload", "run"):
                total += 1
                lines = racer.race(name, way, delays)
                bad += bool(lines)
                for line in lines:
                    print(f"round {turn}, {name} ({way}, {delays}): {line}", flush=True)
    return bad, total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    args = parser.parse_args()
    build, began = os.path.abspath(args.build), time.monotonic()
    loops = busy_loops(args.busy)
    try:
        with tempfile.TemporaryDirectory(prefix="races-") as folder:
            os.chdir(folder)
            bad, total = race_all(Racer(build, args.plain), args.programs or list(PROGRAMS), args.runs)
            os.chdir(ROOT)
    finally:
        for loop in loops:
            loop.kill()
    print(f"{total} recordings in {time.monotonic() - began:.0f} s, {bad} of them not as they should be")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
