#!/usr/bin/python3
"""A second, small reader of spools, written from doc/format.md alone.

    spool_reader.py FILE.spool          prints one JSON object
    spool_reader.py --events FILE.spool prints every event, for people

It shares no code with the analyzer and takes the plainest way through: all events of a process sorted
by time, a dictionary of live blocks, a list of live mappings. tests/e2e compares its figures with those
of `mprof-c report --json`.
"""
import argparse
import collections
import heapq
import itertools
import json
import mmap
import struct
import sys

MAGIC = 0x0A1A6C6F6F70736D
PAGE = 4096
CHUNK_MARK = 0x4B4E4843
CHUNK = struct.Struct("<IIQ8sQIIIIQQQII")
KNOWN_FEATURES = 1
LATE = 1
MEND_NS, MEND_TICKS = 100_000, 300_000  # how long an allocation waits for the release of its address

(NOTHING, ALLOC, FREE, REALLOC_BEGIN, REALLOC_MOVED, REALLOC_FAILED, REALLOC_FREED, RANGE_BEGIN,
 RANGE_MAP, RANGE_DROPPED, RANGE_FAILED, SAMPLE, THREAD, FORK, EXEC, LABEL) = range(16)
NAMES = ("nothing alloc free realloc-begin realloc-moved realloc-failed realloc-freed range-begin "
         "range-map range-dropped range-failed sample thread fork exec label").split()

HAS_DELTA = {ALLOC, FREE, REALLOC_BEGIN, REALLOC_MOVED, RANGE_BEGIN, RANGE_MAP}
HAS_VALUE = {SAMPLE, THREAD, FORK, LABEL}
HAS_SIZE = {ALLOC, REALLOC_MOVED, RANGE_BEGIN, RANGE_MAP, SAMPLE, THREAD, EXEC, LABEL}
HAS_PAYLOAD = {THREAD, EXEC, LABEL}

FRAME_UNKNOWN, FRAME_RAW = 0, 0xFFFFFF
LABEL_DIFFERENCE, LABEL_NAME, LABEL_FORKED, LABEL_BIRTH = range(65536, 65540)
MASK = (1 << 64) - 1


class Damaged(Exception):
    """The file breaks a rule of the format."""


def content_hash(at, first, bias):
    """"Content" of doc/format.md; at(address, count) gives bytes of the object, b"" where there are none."""
    state = 0xCBF29CE484222325

    def add(data):
        nonlocal state
        for i in range(0, len(data), 8):
            state = (state ^ int.from_bytes(data[i:i + 8], "little")) * 0x9E3779B97F4A7C15 & MASK
            state ^= state >> 32

    def add_range(address, count):
        add(count.to_bytes(8, "little"))
        add(at(address, min(count, PAGE)))
        if count > PAGE:
            tail = min(count - PAGE, PAGE)
            add(at(address + count - tail, tail))

    elf = at(first, 64)
    if elf[:5] != b"\x7fELF\2":
        return 0
    headers_at, = struct.unpack_from("<Q", elf, 32)
    entry, count = struct.unpack_from("<HH", elf, 54)
    headers = at(first + headers_at, entry * count)
    add(elf[:40])
    add(headers)
    parts = {}
    for i in range(count):
        kind, _, _, address, _, _, size, _ = struct.unpack_from("<IIQQQQQQ", headers, 56 * i)
        parts[kind] = address, size
    add_range(*parts.get(0x6474E550, (0, 0)))
    address, size = parts.get(2, (0, 0))
    dynamic = struct.iter_unpack("<QQ", at(address, min(size, PAGE)))
    names = dict(itertools.takewhile(lambda entry: entry[0], dynamic))
    address = names.get(5, 0)
    add_range(address - bias if address >= bias else address, names.get(10, 0))
    return state or 1


def content_of_file(path):
    """The same of a file."""
    with open(path, "rb") as f:
        data = f.read()
    headers, = struct.unpack_from("<Q", data, 32)
    entry, count = struct.unpack_from("<HH", data, 54)
    loaded = [h for h in (struct.unpack_from("<IIQQQQQQ", data, headers + i * entry) for i in range(count)) if h[0] == 1]

    def at(address, wanted):
        for _, _, offset, begin, _, size, _, _ in loaded:
            if begin <= address and address + wanted <= begin + size:
                return data[offset + address - begin:][:wanted]
        return b""

    return content_hash(at, next((h[3] for h in loaded if h[2] == 0), 0), 0)


class Header:
    """The header page, as far as this reader needs it."""

    def __init__(self, data):
        if len(data) < PAGE:
            raise Damaged("shorter than its header")
        magic, self.version, self.features, self.id, self.boot_id = struct.unpack_from("<QII16s16s", data, 0)
        if magic != MAGIC:
            raise Damaged("not a spool")
        if self.version not in (1, 2) or self.features & ~KNOWN_FEATURES:
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
    payload), of events without a payload the stack after them."""

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
                if head >> 14 & 1:
                    cursor.leb()
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
                yield ticks, self.serial, number, kind, thread, value, size, whole, payload if kind in HAS_PAYLOAD else stack
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


class Owed:
    """A release that has found no block, and waits for one."""

    def __init__(self, until, stream, exchanged, realloc):
        self.until, self.stream = until, stream
        self.exchanged = exchanged  # another stream's release has taken its block
        self.realloc = realloc  # whose it is the beginning of, while that has not ended


def whole_pages(address, size):
    """The kernel maps and drops whole ones, whatever is asked for."""
    return address & -4096, (address + size + 4095) & -4096


class Process:
    """A process of the image and what it did to its heap."""

    def __init__(self, serial, entry):
        (_, self.flags, self.parent, self.pid, self.parent_pid, self.threads, _, self.fork_ticks, _,
         self.end_kind, _, *self.loss, checked, differing, _, self.lost_maps, _) = \
            struct.unpack_from("<IIIiiIQQIIQQQQQQQQQQ", entry)
        self.tells_forked = False
        self.serial, self.lost = serial, self.loss[0] + self.loss[1] + self.loss[3]
        self.selfcheck = {"selfcheck_compared": checked, "selfcheck_differences": differing, "selfcheck_labels": 0}
        self.streams = {}
        self.blocks = {}  # address -> (size, number of the event that made it; None inherited)
        self.maps = []  # (begin, end), apart and sorted
        self.last = {}  # thread -> number of its latest heap event
        self.open_blocks, self.open_ranges = {}, {}  # thread -> what its begin event took out
        self.waiting = {}  # child's serial -> a late child's fork time
        self.numbers = dict.fromkeys(
            ("allocations frees allocated_bytes peak_bytes live_at_end_bytes live_at_end_blocks temporary "
             "mapped_peak_bytes maps unmaps unmatched_frees implied_frees inherited truncated_stacks forks "
             "events threads samples rss_peak_bytes").split(), 0)
        self.heap = self.mapped = 0
        self.window, self.recent, self.owed = 0, {}, {}  # address -> [(ticks, stream)] of frees; -> [Owed]
        self.unborn = {}  # child's serial -> what happened since its FORK: (stream, ticks, address, size or None)
        self.thread_names = {}  # by serial, of all threads seen; the last one known

    def take_over(self, parent):
        """What a fork copies. Inherited mappings are nobody's figures, so they are not kept."""
        self.blocks = {a: (size, None) for a, (size, _) in parent.blocks.items()}
        for address, block in parent.open_blocks.values():
            if block:
                self.blocks[address] = (block[0], None)
        self.numbers["inherited"] = len(self.blocks)
        self.tells_forked = parent.tells_forked

    def be_born(self, log, births):
        """What the parent's streams did during the fork, as far as each had come in the child's memory."""
        for stream, ticks, address, size in log:
            if ticks > births.get(stream, 0):
                continue
            self.blocks.pop(address, None)
            if size is not None:
                self.blocks[address] = size, None
        self.numbers["inherited"] = len(self.blocks)

    def allocate(self, thread, stream, address, size, whole):
        n = self.numbers
        old = self.blocks.pop(address, None)
        if old:
            n["implied_frees"] += 1
            self.heap -= old[0] if old[1] is not None else 0
        self.blocks[address] = (size, n["events"])
        n["allocations"] += 1
        n["allocated_bytes"] += size
        n["truncated_stacks"] += not whole
        self.heap += size
        n["peak_bytes"] = max(n["peak_bytes"], self.heap)
        self.last[thread] = n["events"]
        self.settle(stream, address)

    def settle(self, stream, address):
        """An allocation is what an earlier release at its address has waited for, unless it is the stream's own."""
        for owed in self.owed.get(address, []):
            if owed.stream == stream and not owed.exchanged:
                continue
            self.owed[address].remove(owed)
            block = self.blocks.pop(address)
            if owed.realloc is not None:
                self.open_blocks[owed.realloc] = address, block
            else:
                self.heap -= block[0]
            return

    def owe(self, ticks, stream, address, realloc=None, exchanged=False):
        exchanged |= any(s != stream and ticks - at <= self.window for at, s in self.recent.get(address, []))
        self.owed.setdefault(address, []).append(Owed(ticks + self.window, stream, exchanged, realloc))

    def take(self, ticks, stream, address):
        """The block at an address, from the realloc of another stream if that has it: it is owed the next one."""
        block = self.blocks.pop(address, None)
        for key, (at, held) in self.open_blocks.items():
            if block is None and held is not None and at == address:
                block = held
                self.open_blocks[key] = at, None
                self.owe(ticks, key[1], address, key, True)
        if block is not None:
            self.recent[address] = self.recent.get(address, [])[-8:] + [(ticks, stream)]
        return block

    def free(self, ticks, stream, thread, address):
        block = self.take(ticks, stream, address)
        if block is None:
            self.owe(ticks, stream, address)
            self.numbers["unmatched_frees"] -= 1
        self.release(thread, block, True)

    def end_realloc(self, key, thread, failed):
        """Ends what is owed to it, too: as a free, if it did not fail."""
        address, block = self.open_blocks.pop(key, (0, None))
        for owed in [o for o in self.owed.get(address, []) if o.realloc == key]:
            owed.realloc = None
            if failed:
                self.owed[address].remove(owed)
            else:
                self.numbers["unmatched_frees"] -= 1
        if failed and block:
            self.blocks[address] = block
        elif not failed:
            self.release(thread, block, False)
        return address

    def expire(self, ticks):
        for address in [a for a, all_owed in self.owed.items() if all_owed]:
            late = [o for o in self.owed[address] if o.realloc is None and o.until < ticks]
            self.numbers["unmatched_frees"] += len(late)
            self.owed[address] = [o for o in self.owed[address] if o not in late]

    def note(self, stream, ticks, address, size=None):
        for log in self.unborn.values():
            log.append((stream, ticks, address, size))

    def release(self, thread, block, may_be_temporary):
        n = self.numbers
        n["frees"] += 1
        if block is None:
            n["unmatched_frees"] += 1
        elif block[1] is not None:
            self.heap -= block[0]
            if may_be_temporary and self.last.get(thread) == block[1]:
                n["temporary"] += 1
        self.last[thread] = None

    def out_of_order(self, event):
        """The kinds of event at this address that must have come before this one."""
        kind, address = event[3], event[5]
        if kind in (ALLOC, REALLOC_MOVED) and address in self.blocks:
            return FREE, REALLOC_BEGIN
        return None

    def unmap(self, begin, end):
        """Takes [begin, end) out of the mappings; returns what went."""
        gone, kept = [], []
        for b, e in self.maps:
            cut = max(b, begin), min(e, end)
            if cut[0] >= cut[1]:
                kept.append((b, e))
                continue
            gone.append(cut)
            kept += [piece for piece in ((b, cut[0]), (cut[1], e)) if piece[0] < piece[1]]
        self.maps = sorted(kept)
        return gone

    def apply(self, event):
        ticks, stream, _, kind, thread, address, size, whole, payload = event
        n = self.numbers
        self.expire(ticks)
        n["events"] += 1
        key = thread, stream  # a signal handler's stream has the thread's serial, and calls of its own
        if kind == ALLOC:
            self.allocate(thread, stream, address, size, whole)
            self.note(stream, ticks, address, size)
        elif kind == FREE:
            self.free(ticks, stream, thread, address)
            self.note(stream, ticks, address)
        elif kind == REALLOC_BEGIN:
            self.open_blocks[key] = address, self.take(ticks, stream, address)
            if self.open_blocks[key][1] is None:
                self.owe(ticks, stream, address, key)
        elif kind in (REALLOC_MOVED, REALLOC_FREED):
            self.note(stream, ticks, self.end_realloc(key, thread, False))
            if kind == REALLOC_MOVED:
                self.allocate(thread, stream, address, size, whole)
                self.note(stream, ticks, address, size)
        elif kind == REALLOC_FAILED:
            self.end_realloc(key, thread, True)
        elif kind == RANGE_BEGIN:
            self.open_ranges.setdefault(key, []).extend(self.unmap(*whole_pages(address, size)))
        elif kind == RANGE_FAILED:
            self.maps = sorted(self.maps + self.open_ranges.pop(key, []))
        elif kind in (RANGE_MAP, RANGE_DROPPED):
            gone = self.open_ranges.pop(key, [])
            self.mapped -= sum(e - b for b, e in gone)
            n["unmaps"] += bool(gone)
            if kind == RANGE_MAP:
                self.map(*whole_pages(address, size))
        elif kind == THREAD:
            self.name(thread, payload)
        elif kind == SAMPLE:
            n["samples"] += 1
            n["rss_peak_bytes"] = max(n["rss_peak_bytes"], size)
        elif kind == FORK:
            n["forks"] += 1
            if self.tells_forked:
                self.unborn[address] = []
        elif kind == LABEL:
            self.selfcheck["selfcheck_labels"] += address == LABEL_DIFFERENCE
            if address == LABEL_NAME and int.from_bytes(payload[:4], "little") in self.thread_names:
                self.name(int.from_bytes(payload[:4], "little"), payload[4:])

    def name(self, thread, name):
        if name or thread not in self.thread_names:
            self.thread_names[thread] = name[:15].decode("utf-8", "replace")

    def map(self, begin, end):
        self.mapped -= sum(e - b for b, e in self.unmap(begin, end))
        self.maps = sorted([*self.maps, (begin, end)])
        self.mapped += end - begin
        self.numbers["maps"] += 1
        self.numbers["mapped_peak_bytes"] = max(self.numbers["mapped_peak_bytes"], self.mapped)

    def finish(self):
        self.expire(float("inf"))
        own = [size for size, made in self.blocks.values() if made is not None]
        own += [b[0] for _, b in self.open_blocks.values() if b and b[1] is not None]
        for key, lost in zip(("allocations", "frees", "allocated_bytes"), self.loss):
            self.numbers[key] += lost  # what found no room is counted all the same
        self.numbers["maps"] += self.lost_maps
        self.numbers.update(live_at_end_bytes=sum(own), live_at_end_blocks=len(own),
                            threads=len(self.thread_names))
        return {"serial": self.serial, "parent": self.parent, "pid": self.pid, "lost": self.lost,
                "exec": self.end_kind == 2, "thread_names": self.thread_names, **self.numbers, **self.selfcheck}


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
        self.find_chunks()

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
                for ticks, stream, _, kind, thread, value, size, _, _ in spool.events(process):
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
