#!/usr/bin/python3
"""The ways into and out of a program: output and status as in a plain run, and all events are there."""
import os

from common import LIB, PROGRAMS, check, execute, function_self, recorded_both_ways, report, run_case

ENDS = os.path.join(PROGRAMS, "ends")
# way: (exit status, blocks of in_handler)
WAYS = {
    "return": (8, 0),
    "on_exit": (4, 4),
    "quick_exit": (5, 2),
    "_exit": (3, 0),
    "_Exit": (3, 0),
    "exit_group": (3, 0),
    "exit_number": (3, 0),
    "abort": (-6, 0),
    "abort_handled": (-6, 1),
    "abort_threads": (-6, 0),
    "kill": (-9, 0),
    "thread_exit": (6, 1),
    "thread_exec": (3, 0),
}


def compare(what, want, got):
    check(want == got, f"{what}: expected {want}, got {got}")


def check_before_main(who, got):
    compare(who + "preinit's blocks", 3, function_self(got, "preinit", "allocations"))
    compare(who + "preinit's at the end", 1, function_self(got, "preinit", "live_at_end_blocks"))
    compare(who + "the resolver's blocks", 1, function_self(got, "resolver", "allocations"))
    compare(who + "the resolver's at the end", 0, function_self(got, "resolver", "live_at_end_blocks"))
    compare(who + "main's blocks", 3, function_self(got, "in_main", "allocations"))


def check_exit(who, how, way, got):
    """The status is run's to see; that a process came to its exit the recorder sees, too."""
    status = WAYS[way][0]
    if way == "thread_exec":
        check("exec" in got["exit"], f"{who}{got['exit']}")
    elif how == "run":
        compare(who + "exit", {"signal": -status} if status < 0 else {"code": status}, got["exit"])
    else:
        compare(who + "exit", {"code": None} if status > 0 else None, got["exit"])


def check_way(way):
    status, handled = WAYS[way]
    for how, name, got in recorded_both_ways([ENDS, way], way, status):
        who = f"{way} ({how}): "
        check_exit(who, how, way, got)
        if way != "thread_exec":
            check_before_main(who, got)
            compare(who + "blocks of handlers", handled, function_self(got, "in_handler", "allocations"))
        if way.endswith("threads") or way.startswith("thread") or way == "kill":
            made = function_self(got, "in_thread", "allocations")
            check(made >= 3 * 1000, f"{who}{made} blocks of three threads")
        if way == "thread_exec":
            compare(who + "blocks of the second image", 3,
                    function_self(report(name + ".1"), "in_main", "allocations"))


def check_library():
    """Preloaded behind the recorder: relocated before it, ended after it."""
    library = os.path.join(PROGRAMS, "ends_after")
    plain = execute([ENDS, "return"], env={**os.environ, "LD_PRELOAD": library})
    check(plain[0] == 8 and "resolved\n" in plain[1], f"without recording: {plain}")
    name = "library.mprof"
    recorded = execute([ENDS, "return"], env={**os.environ, "MPROF_OUTPUT": os.path.abspath(name),
                                              "LD_PRELOAD": LIB + ":" + library})
    check(plain == recorded, f"a library behind the recorder: plain {plain}, recorded {recorded}")
    got = report(name)
    compare("blocks before relocation", 0, function_self(got, "in_resolver", "allocations"))
    compare("blocks of a constructor", 2, function_self(got, "in_constructor", "allocations"))
    compare("its live ones", 0, function_self(got, "in_constructor", "live_at_end_blocks"))
    compare("blocks of the last destructor", 3, function_self(got, "in_destructor", "allocations"))
    compare("its bytes", 4140, function_self(got, "in_destructor", "live_at_end_bytes"))
    for key in ("lost", "unmatched_frees", "implied_frees"):
        compare(key, 0, got["quality"][key])


def main():
    for way in WAYS:
        check_way(way)
    check_library()


run_case(main)
