"""spool_mappings.py - the mappings of a process, as the second reader of spools sees them (doc/format.md, RANGE_MAP)."""
import bisect
import copy

MEMORY, RESERVED, FILE = range(3)
MMAP, PROTECT, MOVED, VIEW, BREAK, SEGMENT = range(1, 7)
WRITE, ANONYMOUS, FIXED, DONTUNMAP, EACCES = 2, 0x20, 0x10, 4, 13


def whole_pages(address, size):
    """The kernel maps and drops whole ones, whatever is asked for."""
    return address & -4096, (address + size + 4095) & -4096


class Range:
    """origin: which mapping it is of. others: memory that was inherited; it may have lost all access, and is the
    parent's all the same. base: where the segment `number` would begin; second: that is memory in another place."""

    def __init__(self, begin, end, kind, origin):
        self.begin, self.end, self.kind, self.origin = begin, end, kind, origin
        self.own, self.others, self.number, self.base, self.second = True, False, None, 0, False

    def part(self, begin, end):
        """What of it lies there."""
        part = copy.copy(self)
        part.begin, part.end = max(self.begin, begin), min(self.end, end)
        return part

    def is_memory_of(self, number):
        return self.number is not None and self.number == number and self.kind == MEMORY


class Open:
    """A call that is about to drop something: where, and what lay there."""

    def __init__(self, begin, end, seen):
        self.begin, self.end, self.seen = begin, end, seen


class Mappings:
    """Ranges, apart from each other and in order, and how much there is of each kind."""

    def __init__(self):
        self.ranges, self.levels, self.peaks, self.origins = [], [0, 0, 0], [0, 0, 0], 0

    def inherit(self, parent):
        self.ranges, self.origins = [copy.copy(r) for r in parent.ranges], parent.origins
        for r in self.ranges:
            r.own, r.others = False, r.others or r.kind == MEMORY

    def count(self, parts):
        """All that one call makes."""
        for part in parts:
            self.put(part)
            if part.own:
                self.levels[part.kind] += part.end - part.begin
        self.peaks = [max(pair) for pair in zip(self.peaks, self.levels)]

    def uncount(self, parts):
        for part in parts:
            if part.own:
                self.levels[part.kind] -= part.end - part.begin

    def put(self, part):
        if part.begin < part.end:
            bisect.insort(self.ranges, part, key=lambda r: r.begin)

    def at(self, begin, end):
        """The parts that lie there; they stay."""
        first = bisect.bisect_right(self.ranges, begin, key=lambda r: r.end)
        last = bisect.bisect_left(self.ranges, end, key=lambda r: r.begin)
        return [r.part(begin, end) for r in self.ranges[first:last]]

    def take(self, begin, end):
        """Takes [begin, end) out; returns what went. It is not counted out yet."""
        parts = self.at(begin, end)
        first = bisect.bisect_right(self.ranges, begin, key=lambda r: r.end)
        old = self.ranges[first:first + len(parts)]
        self.ranges[first:first + len(parts)] = \
            [p for r in old for p in (r.part(0, begin), r.part(end, r.end)) if p.begin < p.end]
        return parts

    def begin(self, address, size):
        """A RANGE_BEGIN."""
        if size:
            begin, end = whole_pages(address, size)
            return Open(begin, end, self.at(begin, end))
        there = [r for r in self.ranges if r.number is not None and r.base == address and r.end > address]
        return Open(address, address, [copy.copy(r) for r in there if r.number == there[0].number])

    def take_seen(self, call):
        """What has not been mapped anew since."""
        return [p for seen in call.seen for r in self.at(seen.begin, seen.end) if r.origin == seen.origin
                for p in self.take(r.begin, r.end)]

    def drop(self, call):
        """Its RANGE_DROPPED."""
        self.gone(self.take_seen(call))

    def gone(self, parts):
        for part in parts:
            self.uncount(self.pass_on(part) if part.number is not None and part.kind == MEMORY else [part])

    def pass_on(self, part):
        """Memory of a segment that has another place stays. Returns the parts that have none."""
        for place in self.ranges:
            low = max(place.begin - place.base, part.begin - part.base)
            high = min(place.end - place.base, part.end - part.base)
            if not place.second or place.number != part.number or low >= high:
                continue
            self.uncount(self.take(place.base + low, place.base + high))
            fresh = copy.copy(part)
            fresh.begin, fresh.end = place.base + low, place.base + high
            fresh.base, fresh.origin = place.base, place.origin
            self.put(fresh)
            around = part.part(0, part.base + low), part.part(part.base + high, part.end)
            return [p for rest in around if rest.begin < rest.end for p in self.pass_on(rest)]
        return [part]

    def kind_of(self, extra):
        call, protection, flags = extra & 15, extra >> 4 & 7, extra >> 8
        if call == MMAP:
            return FILE if not flags & ANONYMOUS else MEMORY if protection & WRITE else RESERVED
        if call == VIEW or (call == SEGMENT and not protection & WRITE):
            return FILE
        return MEMORY

    def map(self, address, size, extra):
        """A new mapping. Returns whether it replaces something."""
        begin, end = whole_pages(address, size)
        call, flags = extra & 15, extra >> 8
        under = self.take(begin, end)
        self.gone(under)
        self.origins += 1
        new = Range(begin, end, self.kind_of(extra), self.origins)
        if call == SEGMENT:
            new.number, new.base = flags, begin
            if new.kind == MEMORY and any(r.is_memory_of(flags) for r in self.ranges):
                new.kind, new.second = FILE, True
        self.count([new])
        return bool(under) and (call == SEGMENT or (call == MMAP and bool(flags & FIXED)))

    def move(self, address, size, flags, call):
        """What mremap has moved, and whether there was something."""
        begin, end = whole_pages(address, size)
        call = call or Open(begin, begin, [])
        self.origins += 1
        seen, at = [], call.begin
        for part in call.seen:
            seen += [Range(at, part.begin, MEMORY, 0), part]
            at = part.end
        seen.append(Range(at, call.end, MEMORY, 0))
        tail = copy.copy(([r for r in seen if r.begin < r.end] or seen)[-1])
        tail.begin, tail.end, tail.own, tail.others = call.end, call.begin + end - begin, True, False
        moved = [r.part(0, call.begin + end - begin) for r in (*seen, tail)]
        for r in moved:
            r.begin, r.end, r.base = (a - call.begin + begin for a in (r.begin, r.end, r.base))
            r.origin = self.origins
            if flags & DONTUNMAP:
                r.own, r.others = True, False
        if not flags & DONTUNMAP:
            self.uncount(self.take_seen(call))
        self.gone(self.take(begin, end))
        self.count([r for r in moved if r.begin < r.end])
        return bool(call.seen) and not flags & DONTUNMAP

    def reached(self, begin, end, error):
        """How far a change of protection got that failed."""
        at = begin
        for r in self.at(begin, end):
            if r.begin > at or (error == EACCES and r.kind == FILE):
                return at
            at = r.end
        return at if at < end else begin

    def protect(self, address, size, protection, error):
        begin, end = whole_pages(address, size)
        changed = []
        for part in self.at(begin, self.reached(begin, end, error) if error else end):
            kind = part.kind
            if kind == RESERVED and protection & WRITE:
                kind = MEMORY
            elif kind == MEMORY and protection == 0:
                kind = RESERVED
            if kind != part.kind:
                self.uncount(self.take(part.begin, part.end))
                part.own = part.own or (kind == MEMORY and not part.others)
                part.kind = kind
                changed.append(part)
        self.count(changed)
