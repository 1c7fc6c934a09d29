#!/usr/bin/python3
"""A second, small reader of spools, written from doc/format.md alone.

    spool_reader.py FILE.spool          prints one JSON object
    spool_reader.py --events FILE.spool prints every event, for people

It (with spool_kinds.py, spool_process.py and spool_content.py) shares no code with the analyzer and takes the
plainest way through: all events of a process sorted by time, a dictionary of live blocks, a list of live
mappings. tests/e2e compares its figures with those of `mprof-c report --json`.
"""
import argparse
import collections
import heapq
import itertools
import json
import mmap
import struct
import sys

sys.dont_write_bytecode = True  # no __pycache__ beside the tests
from spool_kinds import (FORK, FRAME_RAW, FRAME_UNKNOWN, HAS_DELTA, HAS_PAYLOAD, HAS_SIZE, HAS_VALUE, LABEL, LABEL_BIRTH,
                         LABEL_DIFFERENCE, LABEL_FORKED, NAMES, NOTHING, THREAD)
from spool_process import Process

MAGIC = 0x0A1A6C6F6F70736D
PAGE = 4096
CHUNK_MARK = 0x4B4E4843
HIGH_WATER_OFFSET, HIGH_WATER_COUNT = 1024, 384
CHUNK = struct.Struct("<IIQ8sQIIIIQQQII")
KNOWN_FEATURES = 1
MASK = (1 << 64) - 1
LATE = 1
MEND_NS, MEND_TICKS = 100_000, 300_000  # how long an allocation waits for the release of its address


class Damaged(Exception):
    """The file breaks a rule of the format."""


class Header:
    """The header page, as far as this reader needs it."""

    def __init__(self, data):
        if len(data) < PAGE:
            raise Damaged("shorter than its header")
        magic, self.version, self.features, self.id, self.boot_id = struct.unpack_from("<QII16s16s", data, 0)
        if magic != MAGIC:
            raise Damaged("not a spool")
        if self.version not in (1, 2, 3) or self.features & ~KNOWN_FEATURES:
            raise Damaged("of a later version")
        (self.tree, self.pid, self.parent_pid, self.start_time, self.parent_start_time, self.epoch_ns,
         self.ticks, self.ns, self.clock, self.start_kind, self.machine, self.info_truncated, self.cap,
         self.info_offset, self.info_bytes) = struct.unpack_from("<QiiQQQQQIIIIQQI", data, 48)
        at = 48 + struct.calcsize("<QiiQQQQQIIIIQQI") + 4
        strings = []
        for _ in range(4):
            offset, size = struct.unpack_from("<II", data, at)
            start = self.info_offset + offset
            strings.append(bytes(data[start:start + size]))
            at += 8
        self.command = [s.decode("utf-8", "replace") for s in strings[0].split(b"\0")[:-1]]
        self.executable, self.folder, self.host = (s.decode("utf-8", "replace") for s in strings[1:])
        self.tables = []
        for _ in range(3):
            self.tables.append(struct.unpack_from("<QII", data, at))
            at += 16
        self.chunks_offset, = struct.unpack_from("<Q", data, at)


class Cursor:
    """Reads integers from the bytes of one chunk."""

    def __init__(self, data, at, end):
        self.data, self.at, self.end = data, at, end

    def take(self, count):
        if count > self.end - self.at:
            raise Damaged("an event runs past the committed bytes")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, count):
        return int.from_bytes(self.take(count), "little")

    def leb(self):
        value = shift = 0
        while True:
            byte = self.number(1)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value


class Stream:
    """The chunks of one stream; `events` yields (ticks, stream, index, kind, thread, address, size, complete,
    payload, extra), of events without a payload the stack after them."""

    def __init__(self, serial):
        self.serial = serial
        self.chunks = {}  # index -> (first byte, end, ticks at its opening)

    def events(self, data, version, pc_count):
        number = 0
        for index in sorted(self.chunks):
            start, end, ticks = self.chunks[index]
            cursor = Cursor(data, start, end)
            address, thread, stack, nodes = 0, None, None, []
            while cursor.at < end:
                head = cursor.number(2)
                kind = head & 15
                if kind == NOTHING:
                    raise Damaged("an event of kind 0")
                ticks += cursor.number((head >> 4 & 7) + 1)
                value = size = 0
                if kind in HAS_DELTA:
                    value = cursor.number((head >> 7 & 7) + 1)
                    delta = (value >> 1) ^ -(value & 1)
                    address = value = (address + (delta if head >> 15 else delta * 16)) & MASK
                elif kind in HAS_VALUE:
                    value = cursor.number((head >> 7 & 7) + 1)
                if kind in HAS_SIZE:
                    size = cursor.number((head >> 10 & 7) + 1)
                extra = cursor.leb() if head >> 14 & 1 else 0
                if head >> 13 & 1:
                    stack = read_stack(cursor, version, stack, nodes, pc_count)
                payload = b""
                if kind in HAS_PAYLOAD:
                    payload = cursor.take(size)
                    if kind == LABEL and value == LABEL_DIFFERENCE:
                        check_difference(Cursor(payload, 0, size), pc_count)
                if kind == THREAD:
                    thread = value >> 32
                if thread is None:
                    raise Damaged("a chunk does not begin with a thread event")
                whole = bool(stack) and stack.outermost != FRAME_UNKNOWN
                yield ticks, self.serial, number, kind, thread, value, size, whole, \
                    payload if kind in HAS_PAYLOAD else stack, extra
                number += 1


def check_difference(cursor, pc_count):
    """A difference holds as many frames as it says, and nothing else."""
    ours, theirs, _ = (cursor.number(4) for _ in range(3))
    for _ in range(ours + theirs):
        frame = cursor.number(3)
        if frame == FRAME_RAW:
            cursor.take(8)
        elif frame > pc_count:
            raise Damaged("a frame of a difference names a pc that is not in the table")
    if cursor.at != cursor.end:
        raise Damaged("bytes behind the frames of a difference")


class Stack:
    """A stack as its innermost frame and the stack further out, so that nodes share what they have in common."""

    def __init__(self, frame, outer):
        self.frame, self.outer = frame, outer
        self.outermost = outer.outermost if outer else frame


def read_stack(cursor, version, stack, nodes, pc_count):
    """The stack after an event; each frame it pushes is appended to `nodes`, as the stack that ends in it."""
    word = cursor.leb()
    value, has_frames = (word, True) if version == 1 else (word >> 2, word & 2)
    if version > 1 and word & 1:
        if value >= len(nodes):
            raise Damaged("an event names a node that the chunk does not have")
        stack = nodes[value]
    else:
        for _ in range(value):
            if not stack:
                raise Damaged("an event pops more frames than there are")
            stack = stack.outer
    for _ in range(cursor.leb() if has_frames else 0):
        frame = cursor.number(3)
        if frame == FRAME_RAW:
            cursor.take(8)
        elif frame > pc_count:
            raise Damaged("a frame names a pc that is not in the table")
        stack = Stack(frame, stack)
        nodes.append(stack)
    return stack


class Spool:
    """A whole file."""

    def __init__(self, data):
        self.data = data
        self.header = Header(data)
        control = data[PAGE:PAGE + 28].ljust(28, b"\0")  # where nothing could be recorded the file ends early
        self.carved, process_count, self.module_count, self.pc_count, _, version = struct.unpack("<QIIIII", control)
        offset, size, capacity = self.header.tables[0]
        self.processes = {}
        for serial in range(min(process_count, capacity)):
            entry = data[offset + serial * size:offset + (serial + 1) * size]
            if len(entry) == size and struct.unpack_from("<I", entry)[0] == 1:
                self.processes[serial] = Process(serial, entry)
                self.processes[serial].tells_forked = version >= 2
                self.processes[serial].numbers["rss_high_water_bytes"] = self.high_water(serial)
        self.find_chunks()

    def high_water(self, serial):
        """The process's mark on the control page, 0 where it has none."""
        at = PAGE + HIGH_WATER_OFFSET + 8 * serial
        mark = self.data[at:at + 8] if serial < HIGH_WATER_COUNT else b""
        return struct.unpack("<Q", mark)[0] if len(mark) == 8 else 0

    def find_chunks(self):
        at, end = self.header.chunks_offset, min(self.carved, len(self.data))
        while at + CHUNK.size <= end:
            (mark, sequence, offset, id8, size, process, stream, index, _, ticks, _, commit, _, state) = \
                CHUNK.unpack_from(self.data, at)
            if (mark != CHUNK_MARK or offset != at or id8 != self.header.id[:8] or size % PAGE or not size):
                at += PAGE
                continue
            used = commit & 0xFFFFFFFF
            first = at + CHUNK.size
            if state in (2, 3):  # moved, or being made another chunk of
                at += size
                continue
            if commit >> 32 == sequence and process in self.processes and first + used <= len(self.data):
                streams = self.processes[process].streams
                streams.setdefault(stream, Stream(stream)).chunks[index] = first, first + used, ticks
            at += size

    def pcs(self, stack):
        """The (pc, module serial, flags) of a stack's frames, the innermost first; of those that are in the table."""
        offset, size, _ = self.header.tables[2]
        while stack:
            if FRAME_UNKNOWN < stack.frame < FRAME_RAW:
                yield struct.unpack_from("<QII", self.data, offset + stack.frame * size)
            stack = stack.outer

    def bias(self, module):
        """What is added to the addresses of a module's file."""
        offset, size, _ = self.header.tables[1]
        return struct.unpack_from("<Q", self.data, offset + module * size + 24)[0]

    def module_path(self, module):
        offset, size, _ = self.header.tables[1]
        at = offset + module * size
        return self.data[at + 80:at + 80 + struct.unpack_from("<I", self.data, at + 68)[0]].decode("utf-8", "replace")

    def modules(self):
        """What the recorder says of each loaded object."""
        offset, size, capacity = self.header.tables[1]
        for serial in range(1, min(self.module_count + 1, capacity)):
            entry = self.data[offset + serial * size:offset + (serial + 1) * size]
            if len(entry) < size or struct.unpack_from("<I", entry)[0] != 1:
                continue
            id_bytes, build_id, path_bytes = struct.unpack_from("<I32sI", entry, 32)
            module = {"path": entry[80:80 + path_bytes].decode("utf-8", "replace"), "build_id": build_id[:id_bytes].hex()}
            *facts, flags, _ = struct.unpack_from("<QQQQQII", entry, 976)
            if path_bytes <= 895 and flags & 1:
                module.update(zip(("content", "device", "inode", "file_bytes", "mtime_ns"), facts))
            yield module

    def events(self, process):
        return heapq.merge(*(s.events(self.data, self.header.version, self.pc_count) for s in process.streams.values()))

    def in_order(self, process):
        """The events of a process as they happened: for one address allocation and free alternate, and where
        the times of two streams contradict that, what lies a little ahead in another stream came first."""
        window = MEND_NS if self.header.clock == 0 else MEND_TICKS
        process.window = 10 * window
        coming, queue = self.events(process), collections.deque()
        for event in iter(lambda: queue.popleft() if queue else next(coming, None), None):
            while wanted := process.out_of_order(event):
                at = 0
                while True:
                    if at == len(queue):
                        queue.extend(itertools.islice(coming, 1))
                    if at == len(queue) or queue[at][0] > event[0] + window:
                        at = None
                        break
                    if queue[at][1] != event[1] and queue[at][3] in wanted and queue[at][5] == event[5]:
                        break
                    at += 1
                if at is None:
                    break
                stream = queue[at][1]
                first = [e for e in itertools.islice(queue, at + 1) if e[1] == stream]
                for e in first:
                    queue.remove(e)
                    yield e
            yield event

    def births(self, process):
        """How far the parent's streams had come in the child's memory, by stream."""
        for event in itertools.islice(self.events(process), 8):
            if event[3] == LABEL and event[5] == LABEL_BIRTH:
                return {stream: ticks for ticks, stream, _ in struct.iter_unpack("<QII", event[8])}
        return {}

    def bear(self, parent, serial):
        """The fork of this child is over."""
        log, child = parent.unborn.pop(serial, None), self.processes.get(serial)
        if log and child:
            child.be_born(log, self.births(child))

    def replay(self):
        """Plays every process through; a parent comes before its children."""
        for serial in sorted(self.processes):
            process = self.processes[serial]
            late = sorted((c.fork_ticks, c.serial) for c in self.processes.values()
                          if c.parent == serial and c.serial != serial and c.flags & LATE)
            for event in self.in_order(process):
                while late and event[0] > late[0][0]:
                    self.processes[late.pop(0)[1]].take_over(process)
                process.apply(event)
                if event[3] == FORK and event[5] in self.processes:
                    self.processes[event[5]].take_over(process)
                if event[3] == LABEL and event[5] == LABEL_FORKED:
                    self.bear(process, int.from_bytes(event[8], "little"))
            for child in list(process.unborn):
                self.bear(process, child)
            for _, child in late:
                self.processes[child].take_over(process)
        return [self.processes[s].finish() for s in sorted(self.processes)]


def open_spool(path):
    with open(path, "rb") as f:
        try:
            return Spool(mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError as e:
            raise Damaged(f"cannot be mapped: {e}") from e


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", action="store_true")
    parser.add_argument("file")
    args = parser.parse_args()
    try:
        spool = open_spool(args.file)
        if args.events:
            for process in spool.processes.values():
                for ticks, stream, _, kind, thread, value, size, *_ in spool.events(process):
                    print(f"{process.serial} {thread} {stream} {ticks} {NAMES[kind]} {value:#x} {size}")
            return 0
        header = spool.header
        print(json.dumps({"pid": header.pid, "command": header.command, "folder": header.folder,
                          "executable": header.executable, "start": header.epoch_ns / 1e9,
                          "modules": [*spool.modules()], "processes": spool.replay()}, indent=1))
    except (Damaged, OSError) as e:
        print(f"spool_reader.py: {args.file}: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
