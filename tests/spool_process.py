"""spool_process.py - a process as the second reader of spools (spool_reader.py) sees it: its live blocks and mappings."""
import struct

from spool_mappings import MOVED, PROTECT, VIEW, Mappings
from spool_kinds import (ALLOC, FORK, FREE, LABEL, LABEL_DIFFERENCE, LABEL_NAME, RANGE_BEGIN, RANGE_DROPPED, RANGE_FAILED,
                         RANGE_MAP, REALLOC_BEGIN, REALLOC_FAILED, REALLOC_FREED, REALLOC_MOVED, SAMPLE, THREAD)


class Owed:
    """A release that has found no block, and waits for one."""

    def __init__(self, until, stream, exchanged, realloc):
        self.until, self.stream = until, stream
        self.exchanged = exchanged  # another stream's release has taken its block
        self.realloc = realloc  # whose it is the beginning of, while that has not ended


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
        self.mappings = Mappings()
        self.last = {}  # thread -> number of its latest heap event
        self.open_blocks, self.open_ranges = {}, {}  # thread -> what its begin event took out
        self.waiting = {}  # child's serial -> a late child's fork time
        self.numbers = dict.fromkeys(
            ("allocations frees allocated_bytes peak_bytes live_at_end_bytes live_at_end_blocks temporary "
             "mapped_peak_bytes maps unmaps unmatched_frees implied_frees inherited truncated_stacks forks "
             "events threads samples rss_peak_bytes failed_allocations").split(), 0)
        self.heap = 0
        self.window, self.recent, self.owed = 0, {}, {}  # address -> [(ticks, stream)] of frees; -> [Owed]
        self.unborn = {}  # child's serial -> what happened since its FORK: (stream, ticks, address, size or None)
        self.thread_names = {}  # by serial, of all threads seen; the last one known

    def take_over(self, parent):
        """What a fork copies."""
        self.mappings.inherit(parent.mappings)
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

    def apply(self, event):
        ticks, stream, _, kind, thread, address, size, whole, payload, extra = event
        n = self.numbers
        self.expire(ticks)
        n["events"] += 1
        key = thread, stream  # a signal handler's stream has the thread's serial, and calls of its own
        if kind == ALLOC and address == 0:
            n["failed_allocations"] += 1
        elif kind == ALLOC:
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
        elif kind in (RANGE_BEGIN, RANGE_MAP, RANGE_DROPPED, RANGE_FAILED):
            self.apply_range(kind, self.open_ranges.setdefault(key, []), address, size, extra)
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

    def apply_range(self, kind, calls, address, size, extra):
        """calls: those that are open, the last one innermost."""
        n, mappings, call = self.numbers, self.mappings, extra & 15
        if kind == RANGE_BEGIN:
            calls.append(mappings.begin(address, size))
        elif kind == RANGE_FAILED:
            del calls[-1:]
        elif kind == RANGE_DROPPED:
            n["unmaps"] += 1
            if calls:
                mappings.drop(calls.pop())
        elif call == PROTECT:
            mappings.protect(address, size, extra >> 4 & 7, extra >> 8)
        elif call == MOVED:
            n["maps"] += 1
            n["unmaps"] += mappings.move(address, size, extra >> 8, calls.pop() if calls else None)
        else:
            n["maps"] += 1
            if not call:  # an older recorder: any mapping ends what is open
                n["unmaps"] += any(c.seen for c in calls)
                while calls:
                    mappings.drop(calls.pop())
            is_view = call == VIEW and calls and calls[-1].begin == calls[-1].end
            n["unmaps"] += mappings.map(address, size, extra, calls.pop() if is_view else None)

    def name(self, thread, name):
        if name or thread not in self.thread_names:
            self.thread_names[thread] = name[:15].decode("utf-8", "replace")

    def finish(self):
        self.expire(float("inf"))
        own = [size for size, made in self.blocks.values() if made is not None]
        own += [b[0] for _, b in self.open_blocks.values() if b and b[1] is not None]
        for key, lost in zip(("allocations", "frees", "allocated_bytes"), self.loss):
            self.numbers[key] += lost  # what found no room is counted all the same
        self.numbers["maps"] += self.lost_maps
        mapped, reserved, files = self.mappings.peaks
        self.numbers.update(mapped_peak_bytes=mapped, reserved_peak_bytes=reserved, file_peak_bytes=files)
        self.numbers.update(live_at_end_bytes=sum(own), live_at_end_blocks=len(own),
                            threads=len(self.thread_names))
        return {"serial": self.serial, "parent": self.parent, "pid": self.pid, "lost": self.lost,
                "exec": self.end_kind == 2, "thread_names": self.thread_names, **self.numbers, **self.selfcheck}
