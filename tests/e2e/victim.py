#!/usr/bin/python3
"""Records one victim and compares with what its source expects (tests/programs/README.md).

    victim.py SOURCE PROGRAM preload|run

preload: LD_PRELOAD alone; the spool is also read by the second reader, which must agree.
run:     mprof-c run, with a live collector.
"""
import os
import re
import resource
import shutil
import subprocess
import sys

from common import (LIB, PROGRAMS, QUALITY, TESTS, Differences, check, check_same, copy_sparse, execute, leaks,
                    preloaded, reader, report, run_case, under_run, valgrind_totals)

READER_KEYS = ("allocations frees allocated_bytes peak_bytes live_at_end_bytes live_at_end_blocks temporary "
               "mapped_peak_bytes reserved_peak_bytes file_peak_bytes failed_allocations rss_high_water_bytes").split()
READER_QUALITY = ("lost", "unmatched_frees", "implied_frees", "inherited", "truncated_stacks")
READER_LIMIT = 3_000_000  # events; Python takes about 3 us for each


class Expectations:
    """The directives in a victim's first comment."""

    def __init__(self, source, program):
        with open(os.path.join(TESTS, "programs", source), encoding="utf-8") as f:
            comment = f.read().split("*/")[0]
        lines = re.findall(r"^ \* ([A-Z-]+) (.*)$", comment, re.M)
        self.arguments, self.status = [], 0
        self.valgrind, self.threads = None, 0
        self.root, self.functions, self.children, self.leaks, self.failed = {}, [], {}, [], []
        self.thread_figures = []
        for word, rest in lines:
            words = rest.split()
            if word == "ARGUMENTS":
                self.arguments = words
            elif word == "EXIT":
                self.status = -int(words[1]) if words[0] == "signal" else int(words[0])
            elif word == "VALGRIND":
                self.valgrind = words[0].rstrip(":")
                self.threads = int(words[1]) if self.valgrind == "threads" else 0
            elif word == "VALGRIND-NOT" and words[0].rstrip(":") == program:
                self.valgrind = "no"
            elif word == "EXPECT":
                self.expect(words)
            elif word == "LEAK":
                self.leaks.append((int(words[0]), int(words[1]), words[2:]))
            elif word == "FAILED":
                self.failed.append((int(words[0]), int(words[1]), words[2:]))

    def expect(self, words):
        value = int(words[-1])
        if words[0] == "child":
            self.children.setdefault(int(words[1]), {})[words[2]] = value
        elif words[0] == "thread":
            self.thread_figures.append((words[1].replace("\\_", " "), words[2], value))
        elif len(words) == 2:
            self.root[words[0]] = value
        else:
            self.functions.append((words[0].replace("\\_", " "), words[1], words[2], value))


def bare(name):
    """A demangled name without its parameters and return type, as the victims write it."""
    return re.sub(r"\(.*", "", name).split(" ")[-1] if not name.startswith("operator") else name


def compare_root(expect, got, differences):
    known = {**got["totals"], **got["quality"], "cut": int(got["cut"])}
    wanted = {**dict.fromkeys(QUALITY, 0), "cut": 0, **expect.root}
    for key, value in wanted.items():
        differences.compare(key, value, known.get(key, "no such key"))


def check_sums(got, differences):
    """What the functions have by themselves is what the program has, and no figure is above its bound."""
    totals, functions = got["totals"], got["functions"]
    for key, total in (("allocations", "allocations"), ("allocated_bytes", "allocated_bytes"),
                       ("temporary", "temporary"), ("at_peak_bytes", "peak_bytes"),
                       ("live_at_end_bytes", "live_at_end_bytes"), ("live_at_end_blocks", "live_at_end_blocks")):
        differences.compare(f"sum of {key} over functions", totals[total], sum(f["self"][key] for f in functions))
    for f in functions:
        for part in ("self", "inclusive"):
            peak = f[part]["own_peak_bytes"]
            least = max(f[part]["at_peak_bytes"], f[part]["live_at_end_bytes"])
            if not least <= peak <= totals["peak_bytes"]:
                differences.lines.append(f"{f['name']}: {part} own peak {peak} is not in "
                                         f"{least} .. {totals['peak_bytes']}")


def check_mapped_sums(got, differences):
    """The same of mapped memory, and of heap and mapped memory together."""
    totals, functions = got["totals"], got["functions"]
    for part, key, total in (("mapped_self", "at_peak_bytes", "mapped_peak_bytes"),
                             ("mapped_self", "live_at_end_bytes", "mapped_at_end_bytes"),
                             ("memory_self", "at_peak_bytes", "memory_peak_bytes")):
        differences.compare(f"sum of {part}.{key} over functions", totals[total], sum(f[part][key] for f in functions))
    differences.compare("sum of mapped memory at memory's peak", totals["mapped_at_memory_peak_bytes"],
                        sum(f["mapped_self_at_memory_peak_bytes"] for f in functions))
    for f in functions:
        for series in ("mapped", "memory"):
            for part in ("self", "inclusive"):
                figures, peak = f[f"{series}_{part}"], totals[f"{series}_peak_bytes"]
                least = max(figures["at_peak_bytes"], figures["live_at_end_bytes"])
                if not least <= figures["own_peak_bytes"] <= peak:
                    differences.lines.append(f"{f['name']}: {series} {part} own peak is not in {least} .. {peak}")


def compare_functions(expect, got, differences):
    for name, part, key, value in expect.functions:
        found = [f for f in got["functions"] if bare(f["name"]) == name]
        if key == "absent":
            differences.compare(f"functions called {name}", 0, len(found))
            continue
        differences.compare(f"functions called {name}", 1, len(found))
        if found:
            differences.compare(f"{name}: {part}.{key}", value, found[0][part].get(key))


def check_thread_sums(totals, threads, differences):
    """What the threads allocated is what the process did, and no figure is above its bound."""
    for key, total in (("allocations", "allocations"), ("allocated_bytes", "allocated_bytes"),
                       ("temporary", "temporary"), ("at_peak_bytes", "peak_bytes"),
                       ("live_at_end_bytes", "live_at_end_bytes"), ("live_at_end_blocks", "live_at_end_blocks")):
        differences.compare(f"sum of {key} over threads", totals[total], sum(t["self"][key] for t in threads))
    for t in threads:
        figures = t["self"]
        if not max(figures["at_peak_bytes"], figures["live_at_end_bytes"]) <= figures["own_peak_bytes"] \
                <= totals["peak_bytes"]:
            differences.lines.append(f"thread {t['serial']} {t['name']}: figures out of bounds: {figures}")


def compare_threads(expect, got, differences):
    for process in (got, *(c for c in got["children"] if c["kind"] == "fork")):
        check_thread_sums(process["totals"], process["threads"], differences)
    for name, key, value in expect.thread_figures:
        found = [t for t in got["threads"] if t["name"] == name]
        differences.compare(f"threads called {name}", 1, len(found))
        if found:
            differences.compare(f"thread {name}: {key}", value, found[0]["self"].get(key))


def compare_leaks(expect, name, differences):
    if not expect.leaks:
        return
    entries = leaks(name)["leaks"]
    sizes = [e["bytes"] for e in entries]
    differences.compare("leaks are sorted", sorted(sizes, reverse=True), sizes)
    for blocks, size, frames in expect.leaks:
        mine = [e for e in entries if [bare(f["function"]) for f in e["stack"][:len(frames)]] == frames]
        differences.compare(f"blocks leaked by {' '.join(frames)}", blocks, sum(e["blocks"] for e in mine))
        differences.compare(f"bytes leaked by {' '.join(frames)}", size, sum(e["bytes"] for e in mine))


def compare_failed(expect, got, differences):
    entries = got["failed"]
    differences.compare("sum of failed allocations over stacks", got["totals"]["failed_allocations"],
                        sum(e["count"] for e in entries))
    for count, largest, frames in expect.failed:
        mine = [e for e in entries if [bare(f["function"]) for f in e["stack"][:len(frames)]] == frames]
        differences.compare(f"failed below {' '.join(frames)}", count, sum(e["count"] for e in mine))
        differences.compare(f"the largest that failed below {' '.join(frames)}", largest,
                            max((e["largest_bytes"] for e in mine), default=0))


def compare_children(expect, got, differences):
    children = [c for c in got["children"] if c["kind"] == "fork"]
    for serial, wanted in expect.children.items():
        if serial > len(children):
            differences.lines.append(f"child {serial} is not in the report")
            continue
        child = children[serial - 1]
        known = {**child.get("totals", {}), **child.get("quality", {})}
        for key, value in wanted.items():
            differences.compare(f"child {serial}: {key}", value, known.get(key, "no such key"))


def high_water(theirs, totals):
    """The kernel's mark, or the highest sample where that is a little higher: the kernel counts in batches."""
    mark, sample = theirs["rss_high_water_bytes"], totals["rss_peak_bytes"]
    return sample if sample - sample // 64 <= mark < sample else mark


def compare_reader(spool, got, differences):
    """The second reader and the C decoder must say the same of every process."""
    if got["totals"]["allocations"] + got["totals"]["frees"] > READER_LIMIT:
        return
    processes = reader(spool)["processes"]
    reports = [got, *(c for c in got["children"] if c["kind"] == "fork")]
    differences.compare("processes", len(processes), len(reports))
    for theirs, ours in zip(processes, reports):
        who = f"second reader, process {theirs['serial']}: "
        for key in READER_KEYS:
            if key.startswith("live") and theirs["exec"]:
                continue
            wanted = high_water(theirs, ours["totals"]) if key == "rss_high_water_bytes" else theirs[key]
            differences.compare(who + key, wanted, ours.get("totals", {}).get(key))
        for key in READER_QUALITY:
            differences.compare(who + key, theirs[key], ours.get("quality", {}).get(key))
        names = {str(t["serial"]): t["name"] for t in ours.get("threads", []) if t["threads"] == 1}
        theirs_named = {serial: name for serial, name in theirs["thread_names"].items() if serial in names}
        differences.compare(who + "names of threads", theirs_named, names)


def compare_valgrind(expect, command, got, differences):
    if expect.valgrind not in ("exact", "threads"):
        return
    allocations, frees, size = valgrind_totals(command)
    vectors = 16 * expect.threads * added_tls_modules() if expect.threads else 0
    totals = got["totals"]
    differences.compare("valgrind's allocations", allocations, totals["allocations"])
    differences.compare("valgrind's frees", frees, totals["frees"])
    differences.compare(f"valgrind's bytes (and {vectors} of thread vectors)", size + vectors,
                        totals["allocated_bytes"])


def added_tls_modules():
    """By how many modules with thread-local storage the recorder makes a thread vector longer."""
    program = os.path.join(PROGRAMS, "tls_modules")
    _, plain, _ = execute([program])
    _, recorded, _ = execute([program], env={**preloaded("tls_modules.mprof")})
    return int(recorded) - int(plain)


def tell_where(program):
    """Prints the stacks of a crash that may not come again, where the kernel has left a core and gdb is there."""
    core = next((f for f in os.listdir(".") if f.startswith("core")), None)
    if core and shutil.which("gdb"):
        subprocess.run(["gdb", "-batch", "-nx", "-ex", "info registers", "-ex", "x/4i $pc", "-ex", "thread apply all bt 40",
                        program, core], stderr=subprocess.STDOUT, check=False)


def record(way, command, name):
    if way == "preload":
        return execute(command, env=preloaded(name))
    return execute(under_run(name, command))


def main():
    source, program, way = sys.argv[1:]
    expect = Expectations(source, program)
    command = [os.path.join(PROGRAMS, program), *expect.arguments]
    name = "victim.mprof"
    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
    check(os.path.exists(LIB), f"{LIB} is missing")
    plain = execute(command)
    check(plain[0] == expect.status, f"without recording: exit status {plain[0]}, not {expect.status}")
    recorded = record(way, command, name)
    if recorded[0] != plain[0]:
        tell_where(command[0])
    check_same(program, plain, recorded)
    if way == "preload":
        copy_sparse(name + ".spool", "copy.spool")
    else:
        check(not os.path.exists(name + ".spool"), "mprof-c run left a spool behind")
    got = report(name)
    differences = Differences()
    compare_root(expect, got, differences)
    check_sums(got, differences)
    check_mapped_sums(got, differences)
    compare_functions(expect, got, differences)
    compare_threads(expect, got, differences)
    compare_leaks(expect, name, differences)
    compare_failed(expect, got, differences)
    compare_children(expect, got, differences)
    compare_valgrind(expect, command, got, differences)
    if way == "preload":
        compare_reader("copy.spool", got, differences)
    differences.finish()


run_case(main)
