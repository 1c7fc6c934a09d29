#!/usr/bin/python3
"""Programs that misuse their heap fail, or do not fail, as without us; what came before is recorded."""
# TIMEOUT 120
import os

from common import MPROF, PROGRAMS, check, check_same, execute, function_self, preloaded, report, run_case, under_run

WRONG = os.path.join(PROGRAMS, "wrong")
# A second free, or one of what is no block, is told as unmatched; one that glibc lets pass gives a block twice.
UNMATCHED = {"double_free_cached": 1, "double_free_large": 1, "double_free_unnoticed": 1, "free_stack": 1,
             "free_static": 1, "free_odd": 1, "free_interior": 1, "free_small_number": 1, "free_mapping": 1,
             "free_unmapped": 1}
IMPLIED = {"double_free_unnoticed": 1}


def check_recording(who, way, name):
    got = report(name)
    for key, want in (("allocations", 100), ("allocated_bytes", 4000), ("live_at_end_blocks", 0)):
        have = function_self(got, "before", key)
        check(have == want, f"{who}: {key} of before: expected {want}, got {have}")
    check(got["quality"]["lost"] == 0, f"{who}: lost events")
    for key, table in (("unmatched_frees", UNMATCHED), ("implied_frees", IMPLIED)):
        have = got["quality"][key]
        check(have == table.get(way, 0), f"{who}: {key}: expected {table.get(way, 0)}, got {have}")
    status, _, err = execute([MPROF, "leaks", name])
    check(status == 0, f"{who}: leaks: {err}")


def check_way(way):
    """Returns whether the program died of it."""
    plain = execute([WRONG, way])
    for how in ("preload", "run"):
        name = f"{way}-{how}.mprof"
        if how == "preload":
            recorded = execute([WRONG, way], env=preloaded(name))
        else:
            recorded = execute(under_run(name, [WRONG, way]))
        check_same(f"{way} ({how})", plain, recorded)
        check_recording(f"{way} ({how})", way, name)
    return plain[0] < 0


def main():
    ways = execute([WRONG])[1].split()
    died = [way for way in ways if check_way(way)]
    print("died:", *died)
    check(10 <= len(died) < len(ways), f"{len(died)} of {len(ways)} died")


run_case(main)
