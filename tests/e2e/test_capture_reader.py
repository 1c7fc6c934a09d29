#!/usr/bin/python3
"""The second reader of captures (tests/capture_reader.py) finds in recordings what `mprof-c report --json` says, and
what the events in them add up to; in old ones, in new ones, and in the example of doc/format.md."""
# TIMEOUT 240
import glob
import itertools
import json
import os
import re
import shutil
import struct
import sys

from common import PROGRAMS, QUALITY, TESTS, Differences, check, execute, leaks, preloaded, report, run_case, under_run

sys.path.insert(0, TESTS)
import capture_file  # noqa: E402
from capture_payloads import ALLOCATION_FUNCTION  # noqa: E402
import capture_reader  # noqa: E402

# They map memory, have threads, have allocations that fail, fork, fork while they allocate, become another program,
# call operator new, and free blocks of any age.
VICTIMS = "mappings threads failing fork births exec newdelete any_age".split()
FIGURES = ("allocations allocated_bytes own_peak_bytes own_peak_time_s at_peak_bytes live_at_end_bytes "
           "live_at_end_blocks temporary").split()
PEAKS = ("own_peak_bytes", "own_peak_time_s", "at_peak_bytes")
MS = 1_000_000
NEW_TOTALS = ("failed_allocations", "rss_high_water_bytes")


def seconds(ns):
    """A time as the report has it."""
    return float(f"{ns // 10**9}.{ns % 10**9:09}")


def figure(record, name):
    """A figure of a record of the capture by the report's name, which is another where it is a time."""
    return seconds(record[name[:-2]]) if name.endswith("_s") else record[name]


def figures(record, part):
    """All figures of a part of a function, self for one."""
    return {name: figure(record, f"{part}_{name}") for name in FIGURES}


def memory_figures(record, part):
    """Of heap and mapped memory together: peaks are the capture's, all else is the sum."""
    heap, mapped = figures(record, part), figures(record, f"mapped_{part}")
    return {name: figure(record, f"memory_{part}_{name}") if name in PEAKS else heap[name] + mapped[name]
            for name in FIGURES}


def series(record, part):
    """A function's or thread's figures of all memory, as the report has them."""
    if f"mapped_{part}_allocations" not in record:  # the process has mapped nothing
        return {part: figures(record, part), f"mapped_{part}": {name: 0 for name in FIGURES},
                f"memory_{part}": figures(record, part)}
    return {part: figures(record, part), f"mapped_{part}": figures(record, f"mapped_{part}"),
            f"memory_{part}": memory_figures(record, part)}


def expected_function(f, old):
    """What the report says of a function."""
    known = {key: f[key] for key in ("name", "module", "file", "line")}
    known.update(offset=hex(f["offset"]) if f.get("offset") else None, build_id=f.get("build_id", ""))
    known.update(activations=None if old else f["activations"])
    for part in ("self", "inclusive"):
        known.update(series(f, part))
        known[f"mapped_{part}_at_memory_peak_bytes"] = f.get(f"mapped_{part}_at_memory_peak", 0)
    known["activation"] = {"thread": f["thread"], "begin_s": seconds(f["begin"]), "end_s": seconds(f["end"])} \
        if f["valid"] else None
    return known


def expected_thread(t):
    """What the report says of a thread."""
    return {"serial": t["serial"], "tid": t["tid"], "name": t["name"], "threads": t["threads"],
            "begin_s": seconds(t["begin"]), "end_s": seconds(t["end"]), **series(t, "self"),
            "mapped_at_memory_peak_bytes": t.get("mapped_self_at_memory_peak", 0)}


def expected_frame(frame):
    """What leaks says of a frame."""
    return {"function": frame["function"], "module": frame.get("path", frame["module"]), "file": frame["file"],
            "line": frame["line"], "offset": hex(frame["offset"]) if "offset" in frame else None,
            "build_id": frame.get("build_id", "")}


def expected_stack(frames):
    """What leaks says of a stack: it leaves out the functions at its inner end that do nothing but allocate."""
    shown = itertools.dropwhile(lambda frame: frame["flags"] & ALLOCATION_FUNCTION, frames)
    return [expected_frame(frame) for frame in shown]


def expected_leak(leak):
    """What leaks says of a stack."""
    return {"bytes": leak["bytes"], "blocks": leak["blocks"], "first_time_s": seconds(leak["first_time"]),
            "last_time_s": seconds(leak["last_time"]), "stack": expected_stack(leak["stack"])}


def expected_failure(failure):
    """What the report says of allocations that failed."""
    return {"count": failure["count"], "bytes": failure["bytes"], "largest_bytes": failure["largest_bytes"],
            "first_time_s": seconds(failure["first_time"]), "last_time_s": seconds(failure["last_time"]),
            "stack": expected_stack(failure["stack"])}


def expected_totals(process):
    """All totals; where nothing was mapped, memory is the heap."""
    totals = {**dict.fromkeys(NEW_TOTALS, 0), **process["totals"]}
    heap = {"memory_peak_bytes": totals["peak_bytes"], "memory_peak_time": totals["peak_time"],
            **dict.fromkeys(("mapped_at_memory_peak_bytes", "reserved_peak_bytes", "reserved_at_end_bytes",
                             "file_peak_bytes", "file_at_end_bytes"), 0)}
    return {key + "_s" if key.endswith("time") else key: seconds(value) if key.endswith("time") else value
            for key, value in {**heap, **totals}.items()}


def expected_quality(process):
    """What is missing."""
    quality, lost = process["quality"], process.get("lost", {})
    selfcheck = process.get("selfcheck", {})
    return {**{key: quality[key] for key in (*QUALITY, "inherited", "truncated_stacks", "lost_bytes")},
            "unresolved_frames": quality["unresolved_locations"], "lost_allocations": lost.get("allocations", 0),
            "lost_frees": lost.get("frees", 0), "unplaced_children": lost.get("children", 0),
            "unplaced_events": lost.get("child_events", 0), **process.get("bounds", {"shortened": 0, "left_out": 0}),
            "selfcheck_compared": selfcheck.get("compared", 0), "selfcheck_differences": selfcheck.get("differing", 0)}


def expected_end(process):
    """How it ended."""
    kind = process["end_kind"]
    return (None, {"code": process["end_value"]}, {"signal": process["end_value"]}, {"exec": process["exec_path"]},
            {"code": None})[kind]


def by_key(functions):
    """In an order that does not depend on who lists them."""
    return sorted(functions, key=lambda f: json.dumps([f[k] for k in ("name", "module", "file", "line")]))


def compare_some(what, wanted, got, differences):
    """The keys that are wanted."""
    for key, value in wanted.items():
        differences.compare(f"{what}: {key}", value, got.get(key, "no such key"))


def compare_process(capture, mine, theirs, differences):
    """Totals, quality and threads, and what the events add up to."""
    what = f"process {mine['serial']}"
    compare_some(what, expected_totals(mine), theirs["totals"], differences)
    compare_some(what, expected_quality(mine), theirs["quality"], differences)
    differences.compare(f"{what}: threads", [expected_thread(t) for t in mine["threads"]], theirs["threads"])
    if capture["version"] == 1:  # there, mapped bytes are those of all mappings
        del mine["sums"]["memory_peak_bytes"]
    for total, lost in (("allocations", "allocations"), ("frees", "frees"), ("allocated_bytes", "bytes")):
        mine["sums"][total] += mine.get("lost", {}).get(lost, 0)
    known = {**expected_totals(mine), **mine["quality"]}
    compare_some(f"{what}, sums of the events", mine["sums"], known, differences)
    for f in mine["functions"]:
        for part in ("self", "inclusive"):
            peaks = {"heap": f[f"{part}_own_peak_bytes"], "mapped": f.get(f"mapped_{part}_own_peak_bytes", 0)}
            peaks["memory"] = f.get(f"memory_{part}_own_peak_bytes", peaks["heap"])
            compare_some(f"{what}, {f['name']}: sums of the events", {f"{k}_{part}": v for k, v in peaks.items()},
                         f["sums"], differences)
    differences.compare(f"{what}: samples", mine["resident"], mine["samples"])


def compare(capture, got, left):
    """The capture by the second reader, and what report and leaks say; the lines that differ."""
    differences = Differences()
    first = capture["processes"][0]
    forked = [c for c in got["children"] if c["kind"] == "fork"]
    differences.compare("pids of processes", [p["pid"] for p in capture["processes"]], [p["pid"] for p in (got, *forked)])
    compare_some("recording", {"command": capture["command"], "start": seconds(capture["epoch_ns"]),
                               "duration_s": seconds(first["end"] - first["begin"]), "exit": expected_end(first),
                               "cut": capture["cut"], "running": capture["running"],
                               "modules": [{"module": m["module"], "missing": "names" if m["all_names"] else
                                            "debug information", "reason": m["reason"]} for m in capture["modules"]]},
                 got, differences)
    for mine, theirs in zip(capture["processes"], (got, *forked)):
        compare_process(capture, mine, theirs, differences)
    functions = by_key(expected_function(f, capture["version"] == 1) for f in first["functions"])
    differences.compare("functions", [(f["name"], f["module"]) for f in functions],
                        [(f["name"], f["module"]) for f in by_key(got["functions"])])
    for mine, theirs in zip(functions, by_key(got["functions"])):
        compare_some(mine["name"], mine, theirs, differences)
    for what, mine, theirs in (("leaks", map(expected_leak, first["leaks"]), left["leaks"]),
                               ("mapped leaks", map(expected_leak, first["mapped_leaks"]), left["mapped_leaks"]),
                               ("failed", map(expected_failure, first["failed"]), got["failed"])):
        differences.compare(what, list(mine), theirs)
    return differences


def second_reader(name):
    """The second reader's view of a capture."""
    status, out, err = execute([os.path.join(TESTS, "capture_reader.py"), name])
    check(status == 0, f"the second reader: {err}")
    return json.loads(out)


def compare_file(name):
    """A capture, read by both; returns what the second reader says."""
    got, left = report(name), leaks(name)
    capture = second_reader(name)
    compare(capture, got, left).finish(name)
    return capture


def record(victim, way):
    """A fresh recording; its name."""
    name, command = f"{victim}.{way}.mprof", [os.path.join(PROGRAMS, victim)]
    execute(command, env=preloaded(name)) if way == "preload" else execute(under_run(name, command))
    return name


def example():
    """The bytes of section 5 of doc/format.md. A line's offset, and that of the next one, say how many bytes it has."""
    with open(os.path.join(TESTS, "..", "doc", "format.md"), encoding="utf-8") as f:
        text = f.read().split("\n## 5 A capture, byte by byte\n")[1]
    lines = [(int(at, 16), rest.split()) for at, rest in re.findall(r"^([0-9a-f]{4})  (.*)$", text, re.M)]
    data, heads = bytearray(), []
    for (at, words), (end, _) in zip(lines, [*lines[1:], (lines[-1][0] + 8, None)]):
        check(at == len(data), f"the example: a line says that it begins at {at:#x}, not {len(data):#x}")
        if words[0] == "..":
            heads.append((at, int(words[2] + words[1], 16)))
            data += bytes(capture_file.BLOCK.size)
        else:
            data += bytes.fromhex("".join(words[:end - at]))
    for (at, kind), (end, _) in zip(heads, [*heads[1:], (len(data) - capture_file.TAIL.size, None)]):
        put_head(data, at, kind, end)
    return data


def put_head(data, at, kind, end):
    """The head of a block that is not compressed, and of process 0."""
    size = end - at - capture_file.BLOCK.size
    head = capture_file.BLOCK.pack(capture_file.BLOCK_MARK, kind, 0, 0, size, size, 0, 0)[:24]
    data[at:at + capture_file.BLOCK.size] = head + struct.pack("<Q", capture_file.fnv(head, data[end - size:end]))


def example_facts(capture):
    """What the text above the example says, and its comments; the lines that differ."""
    differences, process = Differences(), capture["processes"][0]
    compare_some("the example", {"executable": "/tmp/app", "folder": "/tmp", "host": "box", "command": ["./app"],
                                 "parent_pid": 4700, "start_time": 0x1234}, {**capture, **process}, differences)
    compare_some("its end", {"end": 3 * MS, "exec_path": ""}, process, differences)
    compare_some("totals", {"allocations": 2, "frees": 1, "allocated_bytes": 200, "peak_bytes": 200, "peak_time": 2 * MS,
                            "live_at_end_bytes": 100, "live_at_end_blocks": 1, "temporary": 0},
                 process["totals"], differences)
    differences.compare("what is missing", [0], sorted(set(process["quality"].values())))
    compare_some("main", {"name": "main", "flags": 5, "offset": 0x1135, "build_id": "c0ffee", "heap_begin": 0,
                          "heap_end": 100}, process["functions"][0], differences)
    compare_some("its call", {"file": "/tmp/app.c", "line": 4, "offset": 0x1144},
                 process["leaks"][0]["stack"][0], differences)
    differences.compare("the live block", [{"address": 0x5000, "tick": 2, "class": 1}], process["live"])
    compare_some("the last bucket", {"begin": MS, "highest": 200, "highest_time": 2 * MS, "lowest": 100, "last": 100,
                                     "first": 100, "lowest_time": MS, "last_time": 3 * MS}, process["timeline"][-1],
                 differences)
    return differences.lines


def check_example():
    """It is a capture, and holds what the text above it says."""
    data = example()
    with open("example.mprof", "wb") as f:
        f.write(data)
    lines = example_facts(compare_file("example.mprof"))
    check(not lines, "\n".join(lines))
    check_changes(data)


def check_changes(data):
    """A byte of a payload that is another one, with a checksum that is right, is not overlooked: the second reader
    refuses the file, or it finds something else than the report does or the text says."""
    got, left = report("example.mprof"), leaks("example.mprof")
    nameless = b"[unknown]"  # the name of function 0, which nobody shows
    skipped = range(data.find(nameless), data.find(nameless) + len(nameless))
    overlooked = []
    for block in capture_file.read_blocks(bytes(data), capture_file.read_tail(bytes(data))):
        for at in range(block.offset + capture_file.BLOCK.size, block.end):
            changed = bytearray(data)
            changed[at] ^= 1
            put_head(changed, block.offset, block.type, block.end)
            if at not in skipped and is_overlooked(bytes(changed), got, left):
                overlooked.append(at)
    check(overlooked == [], f"other bytes would not be seen at {' '.join(f'{at:#x}' for at in overlooked)}")


def is_overlooked(data, got, left):
    """Does the second reader take these bytes for the example?"""
    try:
        capture = capture_reader.Capture(data).json()
    except capture_file.Damaged:
        return False
    return not compare(capture, got, left).lines and not example_facts(capture)


def main():
    for old in sorted(glob.glob(os.path.join(TESTS, "data", "inlines.v*.capture"))):
        name = os.path.basename(old)
        shutil.copy(old, name)
        check(len(compare_file(name)["processes"]) == 1, f"{name}: processes")
    for victim in VICTIMS:
        for way in ("preload", "run"):
            compare_file(record(victim, way))
    check_example()


run_case(main)
