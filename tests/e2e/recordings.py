#!/usr/bin/python3
"""Looks at all recordings in a folder: recordings.py [options] FOLDER

Every process in them, forked children too, must have lost nothing, know the allocation of each free
and have whole stacks; every recording must have ended and hold events. Prints a line for each thing
that is wrong, then what was found; the exit status is 1 where something is wrong.

    --least N             events (allocations and frees) of the whole tree, at least
    --truncated PROGRAM   stacks of this program may be truncated: they go through code without unwind tables
    --silent PROGRAM      this program allocates nothing by malloc, as its report may say
    --program NAME        must be among the recorded programs (the name is argv[0]'s last part)
    --forks N             forked children that recorded, at least
    --running             a program may be running still
PROGRAM and NAME are regular expressions that have to match all of the name.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

PATIENCE_SECONDS = 20
MUST_BE_ZERO = ("lost", "unmatched_frees", "implied_frees")


def recordings(folder):
    """Names in whatever state, a spool, what run has left of one, or a capture."""
    names = {n.removesuffix(".spool").removesuffix(".part") for n in os.listdir(folder)}
    return sorted(os.path.join(folder, n) for n in names if ".mprof" in n)


def report(name):
    done = subprocess.run([os.environ["MPROF"], "report", "--json", "-n", "0", name],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        return None, (done.stderr or done.stdout).strip()
    return json.loads(done.stdout), done.stderr.strip()


NOT_BEGUN = "ended before the recording had begun"
NO_HEAP = "only mappings are recorded: malloc was never called, or is the program's own"


def report_when_ended(name, seconds):
    """Of a program that runs still once it has ended: a daemon's children end a moment later than itself."""
    deadline = time.monotonic() + seconds
    while True:
        image, said = report(name)
        if image is None or not image["running"] or time.monotonic() > deadline:
            return image, said
        time.sleep(0.1)


def program_of(recording):
    """argv[0]'s last part; servers put more words into it: "nginx: master process"."""
    command = recording["command"]
    return os.path.basename(command[0].split(" ")[0]).rstrip(":").lstrip("-") if command else ""


def any_matches(patterns, text):
    return any(re.fullmatch(p, text) for p in patterns)


class Findings:
    """What is wrong, and sums."""

    def __init__(self, options):
        self.options = options
        self.wrong, self.programs = [], {}
        self.images = self.forks = self.events = self.truncated = 0

    def take_process(self, name, process):
        quality, totals = process["quality"], process["totals"]
        for key in MUST_BE_ZERO:
            if quality[key]:
                self.wrong.append(f"{name}: pid {process['pid']}: {key} {quality[key]} of "
                                  f"{totals['allocations']} allocations, {totals['frees']} frees")
        self.truncated += quality["truncated_stacks"]
        self.events += totals["allocations"] + totals["frees"]
        return quality["truncated_stacks"]

    def take(self, name):
        image, said = report_when_ended(name, 0 if self.options.running else PATIENCE_SECONDS)
        if image is None and NOT_BEGUN in said:  # killed while it was being started
            return
        if image is None:
            self.wrong.append(f"{name}: cannot be read: {said}")
            return
        program = program_of(image)
        may_say = NO_HEAP if any_matches(self.options.silent, program) else None
        for line in said.splitlines():
            if not may_say or may_say not in line:
                self.wrong.append(f"{name}: said: {line}")
        named = f"{name} ({program})"
        self.images += 1
        self.programs[program] = self.programs.get(program, 0) + 1
        before = self.events
        truncated = self.take_process(named, image)
        for child in image["children"]:
            if child["kind"] == "fork":
                self.forks += 1
                truncated += self.take_process(named, child)
        if truncated and not any_matches(self.options.truncated, program):
            self.wrong.append(f"{named}: {truncated} truncated stacks")
        if self.events == before and not any_matches(self.options.silent, program):
            self.wrong.append(f"{named}: no events")
        if image["cut"]:
            self.wrong.append(f"{named}: is cut")
        if image["running"] and not self.options.running:
            self.wrong.append(f"{named}: runs still, says the recording")

    def judge(self):
        options = self.options
        if self.events < options.least:
            self.wrong.append(f"{self.events} events, at least {options.least} were expected")
        if self.forks < options.forks:
            self.wrong.append(f"{self.forks} forked children, at least {options.forks} were expected")
        for wanted in options.program:
            if not any(re.fullmatch(wanted, p) for p in self.programs):
                self.wrong.append(f"no recording of {wanted}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--least", type=int, default=1)
    parser.add_argument("--forks", type=int, default=0)
    for name in ("--truncated", "--silent", "--program"):
        parser.add_argument(name, action="append", default=[])
    parser.add_argument("--running", action="store_true")
    parser.add_argument("folder")
    options = parser.parse_args()
    findings = Findings(options)
    for name in recordings(options.folder):
        findings.take(name)
    findings.judge()
    print("\n".join(findings.wrong + [""]), end="")
    programs = " ".join(f"{n}*{c}" if c > 1 else n for n, c in sorted(findings.programs.items()))
    print(f"{findings.events} events in {findings.images} recordings with {findings.forks} forked children, "
          f"{findings.truncated} truncated stacks: {programs}")
    return 1 if findings.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
