#!/usr/bin/python3
"""A second, small reader of captures, written from doc/format.md alone.

    capture_reader.py FILE          prints one JSON object
    capture_reader.py --events FILE prints every event, for people

It (with capture_file.py, capture_payloads.py and capture_events.py) shares no code with the analyzer. It reads every
block, adds up the events, follows which block each free takes, and complains where two parts of the file do not agree.
tests/e2e compares its figures with those of `mprof-c report --json`.
"""
import argparse
import collections
import json
import sys

sys.dont_write_bytecode = True  # no __pycache__ beside the tests
import capture_payloads as payloads
from capture_events import (ALLOCATION, COUNTED_FREES, IMPLIED_FREE, INHERITED_FREE, MAPPING, OWN_FREES, TEMPORARY_FREE,
                            UNKNOWN_FREE, UNMAPPING, Follower, Segment)
from capture_file import (BLOCKS_NAMED, BOUNDS, CHECKPOINT, EVENTS, FAILED, FAMILY, HEAD, INDEX, LIVE, LOST, MAPPED,
                          MODULES, POSITIONS, PROCESSES, SAMPLES, SELFCHECK, STRINGS, SUMMARY, THREADS, Damaged, Numbers,
                          read_blocks, read_header, read_tail, require)

KINDS = "allocation free temporary realloc implied inherited unknown mapping unmapping".split()
HEADER_SHOWN = "version tree pid parent_pid start_time parent_start_time epoch_ns start_kind tick_ns".split()


class Level:
    """Live bytes of the program or of a function, and the highest that they were."""

    def __init__(self):
        self.heap = self.mapped = self.heap_peak = self.mapped_peak = self.memory_peak = 0

    def change(self, heap, mapped):
        """Either grows or shrinks."""
        self.heap += heap
        self.mapped += mapped
        require(self.heap >= 0 and self.mapped >= 0, "more is freed than lives")
        self.heap_peak = max(self.heap_peak, self.heap)
        self.mapped_peak = max(self.mapped_peak, self.mapped)
        self.memory_peak = max(self.memory_peak, self.heap + self.mapped)


class Sums:
    """What the events of a process come to."""

    def __init__(self):
        self.kinds = [0] * len(KINDS)
        self.allocated_bytes = 0
        self.level = Level()
        self.own, self.inclusive = (collections.defaultdict(Level) for _ in range(2))  # by function

    def take(self, event, size, functions):
        """Adds an event; `size` is that of its class, `functions` those on its stack, the innermost first."""
        self.kinds[event.kind] += 1
        self.allocated_bytes += size if event.kind == ALLOCATION else 0
        heap = size if event.kind == ALLOCATION else -size if event.kind in OWN_FREES else 0
        mapped = size if event.kind == MAPPING else -event.bytes
        if heap or mapped:
            levels = [self.level, *(self.inclusive[f] for f in functions), *(self.own[f] for f in functions[:1])]
            for level in levels:
                level.change(heap, mapped)

    def totals(self):
        """By the names of the summary's totals."""
        level = self.level
        return {"allocations": self.kinds[ALLOCATION], "frees": sum(self.kinds[k] for k in COUNTED_FREES),
                "allocated_bytes": self.allocated_bytes, "peak_bytes": level.heap_peak, "live_at_end_bytes": level.heap,
                "live_at_end_blocks": self.kinds[ALLOCATION] - sum(self.kinds[k] for k in OWN_FREES),
                "temporary": self.kinds[TEMPORARY_FREE], "mapped_peak_bytes": level.mapped_peak,
                "mapped_at_end_bytes": level.mapped, "memory_peak_bytes": level.memory_peak,
                "implied_frees": self.kinds[IMPLIED_FREE], "unmatched_frees": self.kinds[UNKNOWN_FREE]}

    def peaks(self, function):
        """A function's own peaks."""
        return {f"{series}{part}": getattr(levels[function], f"{series}_peak")
                for part, levels in (("_self", self.own), ("_inclusive", self.inclusive))
                for series in ("heap", "mapped", "memory")}


class Process:
    """What the blocks of one process say."""

    def __init__(self, serial):
        self.serial = serial
        self.figures = {"serial": serial, "threads": [], "mapped_leaks": []}
        self.sums, self.follower = Sums(), Follower()
        self.checkpoint, self.samples, self.live, self.threads = {}, [], None, set()

    def check_checkpoint(self, named):
        """What lives when a segment begins, by class."""
        if named:
            require(self.checkpoint == self.follower.checkpoint(), "a checkpoint says what else lives")
        self.checkpoint = {}

    def check_summary(self, identity):
        """Parts of the file that say the same."""
        figures, totals = self.figures, self.figures["totals"]
        require(all(figures[key] == value for key, value in identity.items()), "PROCESSES says another process")
        require(max(self.threads, default=-1) < figures["thread_count"], "an event of a thread that was not given out")
        lines = [("timeline", "", self.sums.level.heap), ("mapped_timeline", "mapped_", self.sums.level.mapped)]
        if "memory_timeline" in figures:
            lines.append(("memory_timeline", "memory_", self.sums.level.heap + self.sums.level.mapped))
        for line, series, last in lines:
            payloads.check_line(figures[line], totals[f"{series}peak_bytes"], totals[f"{series}peak_time"], last)

    def check_live(self):
        """The blocks that the events leave are those that LIVE names; an exec leaves none."""
        if self.figures["end_kind"] == payloads.END_EXEC:
            require(not self.live, "blocks that an exec has dropped are live")
            return
        left = sorted((b.tick, c) for c, blocks in self.follower.living.items() for b in blocks)
        require(left == sorted((b["tick"], b["class"]) for b in self.live or []), "LIVE names other blocks than are left")


class Capture:
    """A whole file."""

    def __init__(self, data, on_event=None):
        self.header = read_header(data)
        self.named = bool(self.header["features"] & BLOCKS_NAMED)
        self.on_event = on_event
        self.tables = payloads.Tables(self.header["version"])
        self.head, self.list, self.modules, self.family, self.running = None, [], [], None, False
        self.processes, self.functions_of, self.index = {}, {}, []
        tail = read_tail(data)
        self.cut = tail is None
        self.blocks = read_blocks(data, tail)
        for block in self.blocks:
            self.take(block)
        if tail:
            self.check()

    def check(self):
        """Different parts of a whole file agree."""
        told = sorted(serial for serial, process in self.processes.items() if "totals" in process.figures)
        require(self.list and [p["serial"] for p in self.list] == told, "PROCESSES and summaries are of others")
        require(told == sorted(self.processes), "a process has no summary")
        require(self.list[0]["pid"] == self.header["pid"], "the header's pid")
        for identity in self.list:
            process = self.processes[identity["serial"]]
            process.check_summary(identity)
            if self.named:
                process.check_live()

    def process(self, serial):
        """A process by its serial, made where nothing was known of it."""
        return self.processes.setdefault(serial, Process(serial))

    def take(self, block):
        """Reads a block; types that are not known are stepped over."""
        about = 0, 0, 0
        if block.type == STRINGS or block.type in payloads.TABLES:
            self.tables.take(block.type, block.payload())
        elif block.type == EVENTS:
            segment = Segment(block.payload(), self.named)
            about = segment.count, segment.first_tick, segment.last_tick
            self.take_segment(self.process(block.process), segment)
        elif block.type in self.READERS:
            numbers = Numbers(block.payload(), self.tables.texts)
            self.READERS[block.type](self, numbers, block)
            numbers.end()
        self.index.append((block.type, block.process, block.offset, *about))

    def take_head(self, numbers, _):
        self.head = payloads.read_head(numbers)

    def take_processes(self, numbers, _):
        self.list = payloads.read_processes(numbers)

    def take_modules(self, numbers, _):
        self.modules = payloads.read_modules(numbers)

    def take_family(self, numbers, _):
        self.family = numbers.number()

    def take_checkpoint(self, numbers, block):
        columns = payloads.CHECKPOINT if self.named else payloads.CHECKPOINT_BY_STACK
        for record in numbers.records(numbers.number(), columns):
            self.process(block.process).checkpoint[record.get("class")] = record["blocks"]

    def take_positions(self, numbers, _):
        numbers.records(numbers.number(), payloads.POSITIONS)

    def take_samples(self, numbers, block):
        self.process(block.process).samples += numbers.records(numbers.number(), payloads.RESIDENT)

    def take_live(self, numbers, block):
        process = self.process(block.process)
        process.live = (process.live or []) + numbers.records(numbers.number(), payloads.LIVE)

    def take_summary(self, numbers, block):
        figures = self.process(block.process).figures
        require("totals" not in figures, "a second summary")
        figures.update(payloads.read_summary(numbers, self.header["version"]))
        require(figures["serial"] == block.process, "a summary of another process")

    def take_mapped(self, numbers, block):
        payloads.read_mapped(numbers, self.header["version"], self.process(block.process).figures)

    def take_lost(self, numbers, block):
        self.process(block.process).figures["lost"] = numbers.fields(payloads.LOST)

    def take_bounds(self, numbers, block):
        self.process(block.process).figures["bounds"] = numbers.fields("shortened left_out")

    def take_selfcheck(self, numbers, block):
        self.process(block.process).figures["selfcheck"] = payloads.read_selfcheck(numbers)

    def take_threads(self, numbers, block):
        self.process(block.process).figures["threads"] = payloads.read_threads(numbers)

    def take_failed(self, numbers, block):
        self.process(block.process).figures["failed"] = numbers.records(numbers.number(), payloads.FAILED)

    def take_index(self, numbers, _):
        """The index says of every block what the block itself does."""
        state = numbers.number()
        self.cut, self.running = self.cut or bool(state & 1), bool(state & 2)
        entries = numbers.records(numbers.number(), "type:plain process:plain offset:difference events:plain "
                                                    "first_tick:plain last_tick:plain")
        require([tuple(entry.values()) for entry in entries] == self.index, "the index says what the blocks do not")

    READERS = {HEAD: take_head, PROCESSES: take_processes, CHECKPOINT: take_checkpoint, POSITIONS: take_positions,
               SAMPLES: take_samples, LIVE: take_live, SUMMARY: take_summary, INDEX: take_index,
               SELFCHECK: take_selfcheck, THREADS: take_threads, LOST: take_lost, BOUNDS: take_bounds,
               MODULES: take_modules, MAPPED: take_mapped, FAILED: take_failed, FAMILY: take_family}

    def take_segment(self, process, segment):
        """Plays a segment."""
        sums, follower = process.sums, process.follower
        process.threads |= {stream.serial for stream in segment.streams}
        require(segment.live_bytes == sums.level.heap and segment.mapped_bytes == sums.level.mapped,
                "a segment begins with other bytes")
        process.check_checkpoint(self.named)
        if self.named:
            follower.begin(segment)
        for event in segment.events():
            sums.take(event, self.tables.size(event.block_class), self.functions(event.block_class))
            if self.named:
                follower.take(event)
            if self.on_event:
                self.on_event(process, event, self.tables.size(event.block_class))
        if self.named:
            follower.end()

    def functions(self, block_class):
        """The functions on the stack of a class, the innermost first."""
        stack = self.tables.stack(block_class)
        if stack not in self.functions_of:
            self.functions_of[stack] = self.tables.functions_of(stack)
        return self.functions_of[stack]

    def shown(self, process):
        """A process's figures, with names in the place of indices."""
        figures = dict(process.figures)
        for key in ("leaks", "mapped_leaks", "failed"):
            figures[key] = [{**entry, "stack": list(self.tables.frames(entry["stack"]))}
                            for entry in figures.get(key, [])]
        places = self.tables.places()
        figures["functions"] = [{**self.tables.function(f["function"]), **places.get(f["function"], {}), **f,
                                 "sums": process.sums.peaks(f["function"])}
                                for f in figures.get("functions", [])]
        figures["sums"] = process.sums.totals()
        if figures.get("end_kind") == payloads.END_EXEC:  # all went with the program
            figures["sums"].update(live_at_end_bytes=0, live_at_end_blocks=0, mapped_at_end_bytes=0)
        figures["events"], figures["samples"] = sum(process.sums.kinds), process.samples
        figures["live"] = process.live
        return figures

    def json(self):
        """All of it."""
        return {**{key: self.header[key] for key in HEADER_SHOWN}, "id": self.header["id"].hex(), "cut": self.cut,
                "running": self.running, **(self.head or {}), "modules": self.modules, "family": self.family,
                "list": self.list, "types": sorted({b.type for b in self.blocks}),
                "processes": [self.shown(process) for _, process in sorted(self.processes.items())]}


def print_event(process, event, size):
    """An event, for people."""
    print(f"{process.serial} {event.thread} {event.tick} {KINDS[event.kind]} {event.block_class} {event.bytes or size}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", action="store_true")
    parser.add_argument("file")
    args = parser.parse_args()
    try:
        with open(args.file, "rb") as f:
            capture = Capture(f.read(), print_event if args.events else None)
        if not args.events:
            print(json.dumps(capture.json(), indent=1))
    except (Damaged, OSError) as e:
        print(f"capture_reader.py: {args.file}: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
