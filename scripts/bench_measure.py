"""Runs programs for scripts/bench and measures them; prints nothing but progress.

A sample is a dictionary of what one run in one mode gave, and what was then made of its recording:

    seconds, cpu_seconds, rss_kib, status      of the program; rss_kib of the largest process the mode starts
    rss_floor_kib                              smaller ones than this cannot be seen in rss_kib
    operations, operations_per_second, peak_rss_kib    what the program printed, of itself
    report_seconds                             the first report (or heaptrack_print)
    recordings, events, lost, unmatched_frees, implied_frees
    capture_bytes                              what is left in the end (also heaptrack's file)
    spool_bytes, spool_used, spool_committed   preload: on disk; carved for chunks; of that, events
    collect_seconds, collect_cpu_seconds       preload: report of a copy of the spool, on one processor
"""
import json
import mmap
import os
import resource
import shutil
import struct
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get("B", os.path.join(TOP, "build")))

OUR_WAYS = ("preload", "run")
HEAPTRACK_MODES = ("raw", "full")
MODES = ("plain", *OUR_WAYS, *HEAPTRACK_MODES)
OTHER = "other-"  # a mode of another build of ours
OUR_MODES = (*OUR_WAYS, *(OTHER + way for way in OUR_WAYS))
LOSSES = ("lost", "unmatched_frees", "implied_frees")
NAME = "bench.mprof"
PAGE = 4096
CHUNK = struct.Struct("<IIQ8sQIIIIQQQ")  # doc/format.md, up to the commit word
CHUNK_MARK = 0x4B4E4843
EVENTS_OFFSET = 80
WARM_BYTES, WARM_STEP, WARM_SECONDS = 256 << 20, 2 << 20, 0.5
MADV_POPULATE_WRITE = 23  # Linux 5.14


class Failure(Exception):
    """A measurement that cannot be made."""


class Recorder:
    """What records: a build of ours."""

    def __init__(self, build):
        self.mprof, self.lib = os.path.join(build, "mprof-c"), os.path.join(build, "libmprof.so")

    def missing(self):
        return [path for path in (self.mprof, self.lib) if not os.path.exists(path)]


class Workload:
    """A program to measure; `prints` says that it reports as tests/programs/throughput.h does, `in_folder` that
    {folder} in its command stands for the empty folder of each run."""

    def __init__(self, name, command, env=None, prints=False, in_folder=False):
        self.name, self.command, self.env = name, command, env or {}
        self.prints, self.in_folder = prints, in_folder

    def command_in(self, folder):
        return [word.replace("{folder}", folder) for word in self.command] if self.in_folder else self.command


class Progress:
    """What is being done, on a terminal."""

    def __init__(self):
        self.on = sys.stderr.isatty()

    def say(self, text):
        if self.on:
            sys.stderr.write(f"\r\033[K{text[:78]}")
            sys.stderr.flush()


def base_environment():
    """The caller's, with the recorder's settings, less what says where recordings lie and whose they are."""
    return {k: v for k, v in os.environ.items() if k not in ("MPROF_OUTPUT", "MPROF_TREE")}


def execute(command, env, output="/dev/null"):
    """Runs a command to its end; only its own time is measured, from the spawn to the wait."""
    actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
               (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
               (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)]
    begin = time.monotonic()
    try:
        pid = os.posix_spawnp(command[0], command, env, file_actions=actions)
    except OSError as error:
        raise Failure(f"{command[0]}: {error.strerror}") from error
    _, status, usage = os.wait4(pid, 0)
    seconds = time.monotonic() - begin
    return {"seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime, "rss_kib": usage.ru_maxrss,
            "rss_floor_kib": own_peak_rss_kib(), "status": os.waitstatus_to_exitcode(status)}


def touch_pages(path):
    """Has the file system give pages to a file, and take them back."""
    with open(path, "wb+") as f:
        os.unlink(path)
        f.truncate(WARM_BYTES)
        with mmap.mmap(f.fileno(), WARM_BYTES) as pages:
            pages.madvise(mmap.MADV_HUGEPAGE)
            for at in range(0, WARM_BYTES, WARM_STEP):
                pages.madvise(MADV_POPULATE_WRITE, at, WARM_STEP)


def warm_up(folder):
    """All processors are awake when this returns, and the pages that a recording will ask for have been used a moment ago.
    The host of a virtual machine may take free ones away: the first touch then costs ten times as much, or not, by chance,
    whatever is measured."""
    children = []
    for i in range(len(os.sched_getaffinity(0))):
        child = os.fork()
        if child == 0:
            try:
                end = time.monotonic() + WARM_SECONDS
                while time.monotonic() < end:
                    touch_pages(os.path.join(folder, f"warm{i}"))
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


def own_peak_rss_kib():
    """ru_maxrss of a child begins with this: the kernel hands on what was before the exec."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def way_of(mode):
    """What a mode does, whichever build of ours does it."""
    return mode.removeprefix(OTHER)


def launch(workload, mode, recorder, folder):
    """The workload in one mode, in an empty folder."""
    env = {**base_environment(), **workload.env}
    recording = os.path.join(folder, NAME)
    command = workload.command_in(folder)
    if way_of(mode) == "preload":
        others = env.get("LD_PRELOAD")
        env["LD_PRELOAD"] = f"{recorder.lib}:{others}" if others else recorder.lib
        env["MPROF_OUTPUT"] = recording
    elif way_of(mode) == "run":
        command = [recorder.mprof, "run", "-q", "-o", recording, "--", *command]
    elif mode in HEAPTRACK_MODES:
        raw = ["-r"] if mode == "raw" else []
        command = ["heaptrack", *raw, "-o", os.path.join(folder, "heaptrack"), *command]
    if not workload.prints:
        return execute(command, env)
    output = os.path.join(folder, "output")
    sample = execute(command, env, output)
    with open(output, encoding="utf-8") as f:
        lines = [line.split() for line in f]
    sample.update({words[0]: int(words[1]) for words in lines
                   if len(words) == 2 and words[0] in ("operations", "operations_per_second", "peak_rss_kib")})
    return sample


def spool_sizes(path):
    """(bytes on disk, bytes carved for chunks, bytes of events in them) of a spool."""
    with open(path, "rb") as f:
        start = struct.unpack("<Q", os.pread(f.fileno(), 8, 224))[0]
        carved = struct.unpack("<Q", os.pread(f.fileno(), 8, PAGE))[0]
        on_disk = os.fstat(f.fileno()).st_blocks * 512
        committed, at = 0, start
        while at < carved:
            head = os.pread(f.fileno(), CHUNK.size, at)
            if len(head) < CHUNK.size:
                break
            mark, sequence, offset, _, size, *_, commit = CHUNK.unpack(head)
            if mark != CHUNK_MARK or offset != at or size < PAGE:
                at += PAGE
                continue
            if commit >> 32 == sequence:
                committed += commit & 0xFFFFFFFF
            at += size
        return on_disk, carved - start, committed


def copy_sparse(source, target):
    """Copies a file without its holes."""
    with open(source, "rb") as old, open(target, "wb") as new:
        size, at = os.fstat(old.fileno()).st_size, 0
        os.truncate(new.fileno(), size)
        while at < size:
            try:
                at = os.lseek(old.fileno(), at, os.SEEK_DATA)
            except OSError:  # a hole up to the end
                break
            end = os.lseek(old.fileno(), at, os.SEEK_HOLE)
            os.lseek(new.fileno(), at, os.SEEK_SET)
            os.lseek(old.fileno(), at, os.SEEK_SET)
            while at < end:
                at += os.sendfile(new.fileno(), old.fileno(), None, end - at)


def recordings(folder):
    """The recordings there, collected or not: the program's own comes first."""
    names = {n.removesuffix(".spool") for n in os.listdir(folder) if n.startswith(NAME)}
    return [os.path.join(folder, n) for n in sorted(names, key=lambda n: (len(n), n))]


def contents(mprof, folder):
    """What all recordings of a folder hold together."""
    sums = dict.fromkeys(("events", *LOSSES), 0)
    names = recordings(folder)
    for name in names:
        done = subprocess.run([mprof, "report", "--json", name], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False, env=base_environment())
        if done.returncode:
            raise Failure(f"mprof-c report: {done.stderr.decode(errors='replace').strip()}")
        report = json.loads(done.stdout)
        for process in (report, *(c for c in report["children"] if c["kind"] == "fork")):
            totals, quality = process.get("totals", {}), process.get("quality", {})
            sums["events"] += totals.get("allocations", 0) + totals.get("frees", 0)
            for key in LOSSES:
                sums[key] += quality.get(key, 0)
    return {**sums, "recordings": len(names), "capture_bytes": sum(os.path.getsize(n) for n in names)}


def timed_view(command):
    """Seconds of a command that shows something, and those of the processor."""
    view = execute(command, base_environment())
    if view["status"]:
        raise Failure(f"{' '.join(command)}: exit status {view['status']}")
    return view["seconds"], view["cpu_seconds"]


def collect_alone(mprof, folder, copies):
    """Collects copies of the spools, on one processor that the other processes are free to leave."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        times = [timed_view([mprof, "report", os.path.join(folder, c)]) for c in copies]
    finally:
        os.sched_setaffinity(0, allowed)
    return {"collect_seconds": sum(t[0] for t in times), "collect_cpu_seconds": sum(t[1] for t in times)}


def examine_ours(mode, mprof, folder):
    """What became of our recording."""
    sample = {}
    names = recordings(folder)
    if not names:
        return {"recordings": 0}
    copies = []
    if way_of(mode) == "preload":
        spools = [n + ".spool" for n in names if os.path.exists(n + ".spool")]
        sizes = [spool_sizes(s) for s in spools]
        for i, key in enumerate(("spool_bytes", "spool_used", "spool_committed")):
            sample[key] = sum(s[i] for s in sizes)
        for i, spool in enumerate(spools):
            copies.append(f"copy{i}.mprof")
            copy_sparse(spool, os.path.join(folder, copies[-1] + ".spool"))
    sample["report_seconds"] = timed_view([mprof, "report", names[0]])[0]
    if copies:
        sample.update(collect_alone(mprof, folder, copies))
    sample.update(contents(mprof, folder))
    return sample


def examine_heaptrack(mode, folder):
    """What became of heaptrack's recording."""
    names = [os.path.join(folder, n) for n in os.listdir(folder) if n.startswith("heaptrack.")]
    if len(names) != 1:
        raise Failure("heaptrack left no file")
    sample = {"capture_bytes": os.path.getsize(names[0])}
    if mode == "full":
        sample["report_seconds"] = timed_view(["heaptrack_print", names[0]])[0]
    return sample


def run_once(workload, mode, recorder, folder):
    """One run in one mode, with all that is measured of its recording; leaves nothing behind."""
    os.mkdir(folder)
    try:
        sample = launch(workload, mode, recorder, folder)
        if recorder:
            sample.update(examine_ours(mode, recorder.mprof, folder))
        elif mode in HEAPTRACK_MODES:
            sample.update(examine_heaptrack(mode, folder))
        return sample
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_rounds(workloads, modes, args, folder, progress):
    """{workload: [{mode: sample}, a round each]}; within a round workloads and modes take turns. modes: the recorder of
    each, None where it is not ours."""
    names = list(modes)
    samples = {w.name: [] for w in workloads}
    work = os.path.join(folder, "work")
    for workload in workloads:
        progress.say(f"{workload.name}: once without being measured")
        for mode in names[:2]:
            # heaptrack would wait for such a program's first event for ever.
            if run_once(workload, mode, modes[mode], work).get("recordings") == 0:
                raise Failure(f"nothing can be recorded of {workload.command[0]} (mprof-c run says why)")
    for n in range(args.rounds):
        for workload in workloads:
            found = {}
            for i in range(len(names)):
                mode = names[(i + n) % len(names)]
                progress.say(f"{workload.name}: round {n + 1} of {args.rounds}, {mode}")
                if not args.cold:
                    warm_up(folder)
                found[mode] = run_once(workload, mode, modes[mode], work)
            samples[workload.name].append({m: found[m] for m in names})
    progress.say("")
    return samples
