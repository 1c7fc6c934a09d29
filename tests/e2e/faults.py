"""SIGKILL at random moments, of the program `killme` and of its collector: whatever is left is read, and compared with
what the victims counted in shared memory. The moments lie in the start (before and in the constructor), in the
middle, and around the end (exit, the last collection)."""
import collections
import ctypes
import json
import os
import random
import signal
import struct
import subprocess
import time

from chunks import COPY, chunks
from common import MPROF, PROGRAMS, check, execute, preloaded, under_run

SLOTS = 64
LARGEST = 1000  # bytes of a call that is under way
PR_SET_CHILD_SUBREAPER = 36
START_S, END_S = 0.05, 0.08  # how far the start goes, and the end around it
Words = collections.namedtuple("Words", "allocations frees bytes")


def adopt_orphans():
    """Programs whose collector was killed become our children, so that we can wait for their end."""
    check(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0, "no subreaper")


def wait_for_all():
    """Until nobody is left of what we started."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


class Victim:
    """One killme, with or without a collector."""

    def __init__(self, way, name, seconds, pauses):
        self.way, self.name, self.words = way, name, name + ".words"
        command = [os.path.join(PROGRAMS, "killme"), self.words, f"{seconds:.3f}", *map(str, pauses)]
        options = {"env": preloaded(name)} if way == "preload" else {}
        if way == "run":
            command = under_run(name, command)
        self.begin = time.monotonic()
        self.child = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)

    def program(self):
        """The program's pid; under `run` its first child's, 0 while there is none."""
        if self.way == "preload":
            return self.child.pid
        try:
            with open(f"/proc/{self.child.pid}/task/{self.child.pid}/children", encoding="ascii") as f:
                pids = f.read().split()
        except (FileNotFoundError, ProcessLookupError):
            return 0
        return int(pids[0]) if pids else 0

    def sleep_until(self, moment):
        time.sleep(max(0, self.begin + moment - time.monotonic()))

    def wait_until_recycled(self, latest):
        """Until the collector has moved a chunk."""
        while time.monotonic() < self.begin + latest and not self.is_recycled():
            time.sleep(0.02)

    def is_recycled(self):
        return os.path.exists(self.name + ".spool") and any(flags & COPY for _, flags, _, _ in chunks(self.name))

    def kill(self, whom):
        """Whom: program, collector, or both at once. What is gone already is no matter."""
        pid = self.program() if whom == "program" else self.child.pid
        try:
            if whom in ("both", "group"):
                os.killpg(pid, signal.SIGKILL)
            elif pid:
                os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def end(self):
        err = self.child.stderr.read().decode("utf-8", "replace")
        status = self.child.wait()
        wait_for_all()
        return status, err

    def counted(self):
        """The root's pid, {pid: words}, {pid: slots that it used}."""
        sums, used = collections.defaultdict(lambda: [0, 0, 0]), collections.Counter()
        try:
            with open(self.words, "rb") as f:
                data = f.read().ljust(SLOTS * 64, b"\0")
        except FileNotFoundError:
            data = bytes(SLOTS * 64)
        for i in range(SLOTS):
            pid, *words = struct.unpack_from("<QQQQ", data, i * 64)
            if pid:
                used[pid] += 1
                sums[pid] = [a + b for a, b in zip(sums[pid], words)]
        root, = struct.unpack_from("<Q", data, 0)
        return root, {pid: Words(*s) for pid, s in sums.items()}, used


def between(what, least, got, most):
    check(least <= got <= most, f"{what}: {got} recorded, {least} to {most} are possible")


def compare(what, words, slots, got):
    between(what + ", allocations", words.allocations, got.allocations, words.allocations + slots)
    between(what + ", bytes", words.bytes, got.bytes, words.bytes + LARGEST * slots)
    between(what + ", frees", words.frees, got.frees, words.frees + slots)


def of_root(report):
    """What the root allocated in `made`: its threads' own costs are not the victim's."""
    made = [f["self"] for f in report["functions"] if f["name"] == "made"]
    return Words(sum(f["allocations"] for f in made), sum(f["allocations"] - f["live_at_end_blocks"] for f in made),
                 sum(f["allocated_bytes"] for f in made))


def check_quality(what, process):
    for key in ("lost", "unmatched_frees", "implied_frees", "truncated_stacks"):
        check(process["quality"][key] == 0, f"{what}: {key} is {process['quality'][key]}")


def read(name):
    """(report, None), or (None, the sentence) where it cannot be read."""
    status, out, err = execute([MPROF, "report", "--json", name])
    if status == 0:
        check(err.count("\n") <= 1, f"{name}: report says: {err}")
        return json.loads(out), None
    check(status == 1 and err.count("\n") == 1 and err.startswith("mprof-c: "), f"{name}: status {status}, {err}")
    return None, err


def check_recording(victim, what, draw):
    """Compares it with the counted words; returns the number of events, None where nothing had begun."""
    root, words, slots = victim.counted()
    report, sentence = read(victim.name)
    if report is None:
        check(not words or sum(map(sum, words.values())) == 0, f"{what}: {words} counted, but: {sentence}")
        return None
    check_quality(what, report)
    if root:
        check(report["pid"] == root, f"{what}: pid {report['pid']}, not {root}")
        compare(what, words[root], slots[root], of_root(report))
    children = {c["pid"]: c for c in report["children"] if c["kind"] == "fork"}
    for pid, counted in words.items():
        if pid == root:
            continue
        check(pid in children, f"{what}: child {pid} counted {counted}, but has no place")
        totals = children[pid]["totals"]
        compare(f"{what}, child {pid}", counted, 1,
                Words(totals["allocations"], totals["frees"], totals["allocated_bytes"]))
        check_quality(f"{what}, child {pid}", children[pid])
    again, sentence = read(victim.name)  # from what the first reading made of it
    check(again is not None and again["totals"] == report["totals"], f"{what}: read again it differs: {sentence}")
    show(victim.name, what, draw and report["totals"]["peak_bytes"])
    return report["totals"]["allocations"] + report["totals"]["frees"]


def show(name, what, draw):
    for command in (["leaks", name], *([["plot", "-o", name + ".svg", name]] if draw else [])):
        status, out, err = execute([MPROF, *command])
        check(status == 0 and (out or draw), f"{what}: {command}: {status} {err}")


def remove(name):
    for end in ("", ".spool", ".part", ".words", ".svg"):
        if os.path.exists(name + end):
            os.unlink(name + end)


def moment_in(phase, seconds):
    if phase == "start":
        return random.uniform(0, START_S)
    if phase == "middle":
        return random.uniform(START_S, max(seconds, 2 * START_S))
    return max(0, seconds + START_S / 2 + random.uniform(-END_S / 2, END_S))


def inject(number, way, whom, phases):
    """One kill; returns (events or None, was anything recycled)."""
    phase = random.choice(phases)
    seconds, pauses = random.uniform(0.03, 0.2), (0,)
    if phase == "recycling":  # the program must get to write some MiB, and the collector must keep up
        seconds, pauses = 20, (10000, 50000)
    moment = moment_in(phase, seconds)
    name = f"{way}{number}.mprof"
    victim = Victim(way, name, seconds, pauses)
    if phase == "recycling":
        victim.wait_until_recycled(seconds)
        moment = time.monotonic() - victim.begin + random.uniform(0, 0.1)
    what = f"{name}: {whom} killed after {moment:.4f} of {seconds:.3f} s ({phase})"
    victim.sleep_until(moment)
    victim.kill(whom)
    if whom == "collector" and (number % 3 == 0 or phase == "recycling"):  # else the program goes to its end
        victim.sleep_until(moment + random.uniform(0, 0.1))
        victim.kill("group")
    status, err = victim.end()
    check(status in (0, -signal.SIGKILL), f"{what}: ended with {status}: {err}")
    recycled = victim.is_recycled()
    events = check_recording(victim, what, number % 10 == 0)
    remove(name)
    return events, recycled


PROGRAM_PHASES = ("start", "middle", "middle", "end")
COLLECTOR_PHASES = ("start", "middle", "end", "recycling", "recycling")


def campaign(programs, collectors):
    """So many kills of the program, a third of them under a collector, and of the collector, a third of these of
    both at once."""
    adopt_orphans()
    seed = random.randrange(1 << 32)
    random.seed(seed)
    print(f"seed {seed}")
    begun = total = recycled = 0
    for i in range(programs + collectors):
        if i < programs:
            events, copies = inject(i, "run" if i % 3 == 2 else "preload", "program", PROGRAM_PHASES)
        else:
            events, copies = inject(i, "run", "both" if i % 3 == 2 else "collector", COLLECTOR_PHASES)
        begun += events is not None
        total += events or 0
        recycled += copies
    print(f"{programs} kills of the program and {collectors} of the collector: {begun} recordings with {total} "
          f"events read, {recycled} of them cut while chunks were being recycled")
    check(begun > (programs + collectors) / 2, f"only {begun} of {programs + collectors} had begun")
    check(recycled >= collectors / 10, f"only {recycled} of {collectors} had recycled")
