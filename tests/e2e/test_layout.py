#!/usr/bin/python3
"""What every event reads shares no cache line, nor pair of lines, with what threads write when they take chunks or begin.

A thread's own words lie in its state, which is aligned to a pair of lines (struct thread); here it is about the library's
variables, as the linker has laid them out.
"""
import re

from common import LIB, check, execute, run_case

PAIR = 128  # bytes that processors fetch together
READ = ("recorder_state", "recorder_alive", "recorder_free_stacks", "init_has_threads", "use_counter", "loaded_generation",
        "noticed_start", "noticed_bytes", "real", "real_state", "selfcheck_every", "sample_next", "sys_forbidden", "spool")
WRITTEN = ("carved_alone", "mapping", "anchor_count", "anchors", "unused", "aside", "pool_top", "pool_count", "state_count",
           "slabs", "arena_slabs", "used", "zone.0", "next.0", "next.1", "windows")


def variables():
    """{name: [(address, bytes), ..]} of all variables of the library but those of each thread."""
    status, out, err = execute(["nm", "-S", LIB])
    check(status == 0, err)
    found = {}
    for address, size, name in re.findall(r"^([0-9a-f]+) ([0-9a-f]+) [bBdD] (\S+)$", out, re.MULTILINE):
        found.setdefault(name, []).append((int(address, 16), int(size, 16)))
    found.pop("tls", None)
    return found


def pairs_of(place):
    address, size = place
    return set(range(address // PAIR, (address + size - 1) // PAIR + 1))


def main():
    found = variables()
    for name in READ + WRITTEN:
        check(name in found, f"{name}: no such variable; this list must be as the recorder is")
    for read in READ:
        for written in WRITTEN:
            shared = [(r, w) for r in found[read] for w in found[written] if pairs_of(r) & pairs_of(w)]
            check(not shared, f"{read} and {written} share a pair of cache lines")


run_case(main)
