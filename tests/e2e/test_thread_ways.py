#!/usr/bin/python3
"""100,000 short threads, detached and cancelled ones: all recorded, disk and memory stay small."""
# TIMEOUT 240
import os

from common import PROGRAMS, check, execute, function_self, preloaded, recorded_both_ways, report, run_case

THREADS = os.path.join(PROGRAMS, "thread_ways")
MANY = 100000
SPOOL_MOST = 16 << 20  # a chunk of 4 KiB a thread would be 400 MiB
MEMORY_MOST = 16 << 10  # KiB


def check_brief(who, got, allocations):
    for function, key, want in (("brief", "allocations", allocations), ("brief", "live_at_end_blocks", 0)):
        have = function_self(got, function, key)
        check(have == want, f"{who}: {key} of {function}: expected {want}, got {have}")


def highest(file):
    with open(file, encoding="ascii") as f:
        return int(f.read())


def check_many():
    """Recorded by the library alone; what it leaves is looked at before it is collected."""
    plain = execute([THREADS, "many", "plain.kib"])
    recorded = execute([THREADS, "many", "recorded.kib"], env=preloaded("many.mprof"))
    check(plain == recorded == (0, "", ""), f"many: plain {plain}, recorded {recorded}")
    spool = os.stat("many.mprof.spool").st_blocks * 512
    check(spool <= SPOOL_MOST, f"the spool of {MANY} threads takes {spool} bytes")
    more = highest("recorded.kib") - highest("plain.kib")
    check(more <= MEMORY_MOST, f"the program's memory grew by {more} KiB")
    got = report("many.mprof")
    check_brief("many", got, MANY)
    for key in ("lost", "unmatched_frees", "implied_frees"):
        check(got["quality"][key] == 0, f"many: {key} is {got['quality'][key]}")
    print(f"{MANY} threads: {spool} bytes of spool, {more} KiB of memory")


def streams(spool):
    """As many as there are states of threads (doc/format.md, the control page)."""
    with open(spool, "rb") as f:
        f.seek(4096 + 20)
        return int.from_bytes(f.read(4), "little")


def check_states(way, most, stay):
    """There are not many more states than threads at a time."""
    name = way + "-states.mprof"
    recorded = execute([THREADS, way], env=preloaded(name))
    check(recorded == (0, "", ""), f"{way}: {recorded}")
    count = streams(name + ".spool")
    check(count <= most, f"{way}: {count} states of threads, not {most} at most")
    got = report(name)
    check(function_self(got, "stay", "allocations") == stay if stay else True, f"{way}: those that stay")
    for key in ("lost", "unmatched_frees", "implied_frees"):
        check(got["quality"][key] == 0, f"{way}: {key} is {got['quality'][key]}")
    print(f"{way}: {count} states of threads")


def main():
    check_many()
    check_states("many", 16, 0)
    check_states("crowd", 1300, 1000)
    for how, _, got in recorded_both_ways([THREADS, "inside"], "inside", 0):
        check_brief(f"inside ({how})", got, 200)
    for how, _, got in recorded_both_ways([THREADS, "detached"], "detached", 0):
        check_brief(f"detached ({how})", got, 5000)
    for way in ("deferred", "async"):
        for how, _, got in recorded_both_ways([THREADS, way], way, 0):
            who = f"{way} ({how})"
            check_brief(who, got, 100)
            check(function_self(got, "hold", "allocations") == 100, f"{who}: blocks held")
            check(function_self(got, "hold", "live_at_end_blocks") == 0, f"{who}: blocks held at the end")


run_case(main)
