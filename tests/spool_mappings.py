"""spool_mappings.py - the mappings of a process, as the second reader of spools sees them (doc/format.md, RANGE_MAP)."""
import bisect
import copy

MEMORY, RESERVED, FILE = range(3)
MMAP, PROTECT, MOVED, VIEW, BREAK, SEGMENT = range(1, 7)
WRITE, SHARED, ANONYMOUS, FIXED, DONTUNMAP, HUGE, EACCES = 2, 1, 0x20, 0x10, 4, 0x40000, 13


def whole_pages(address, size):
    """The kernel maps and drops whole ones, whatever is asked for."""
    return address & -4096, (address + size + 4095) & -4096


class Range:
    """origin: which mapping it is of. others: memory that was inherited; it may have lost all access, and is the
    parent's all the same. base: where the shared memory `number` of `size` bytes would begin; second: that is memory
    in another place. page: the size of its pages."""

    def __init__(self, begin, end, kind, origin):
        self.begin, self.end, self.kind, self.origin = begin, end, kind, origin
        self.own, self.others = True, False
        self.number, self.base, self.size, self.second, self.page = None, 0, 0, False, 4096

    def part(self, begin, end):
        """What of it lies there."""
        part = copy.copy(self)
        part.begin, part.end = max(self.begin, begin), min(self.end, end)
        return part

    def is_segment(self):
        return isinstance(self.number, int)

    def reached(self, end):
        """`end` in its pages."""
        return (end + self.page - 1) & -self.page


class Open:
    """A call that is about to drop something: where, and what lay there."""

    def __init__(self, begin, end, seen):
        self.begin, self.end, self.seen = begin, end, seen


class Mappings:
    """Ranges, apart from each other and in order, and how much there is of each kind."""

    def __init__(self):
        self.ranges, self.levels, self.peaks, self.origins = [], [0, 0, 0], [0, 0, 0], 0
        self.known = []  # (begin, end) of what was mapped or dropped

    def inherit(self, parent):
        self.ranges, self.origins = [copy.copy(r) for r in parent.ranges], parent.origins
        self.known = list(parent.known)
        for r in self.ranges:
            r.own, r.others = False, r.others or r.kind == MEMORY or r.second

    def count(self, parts):
        """All that one call makes."""
        for part in parts:
            self.put(part)
            self.know(part.begin, part.end)
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

    def know(self, begin, end):
        if begin >= end or any(low <= begin and end <= high for low, high in self.known):
            return
        near = [k for k in self.known if k[0] <= end and k[1] >= begin]
        self.known = sorted([k for k in self.known if k not in near] +
                            [(min([begin] + [k[0] for k in near]), max([end] + [k[1] for k in near]))])

    def unknown(self, begin, end):
        """The parts of it that were mapped before we came."""
        parts = []
        for low, high in [k for k in self.known if k[0] < end and k[1] > begin] + [(end, end)]:
            parts += [Range(begin, low, MEMORY, 0)] if begin < low else []
            begin = max(begin, high)
        return parts

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
            for last in self.at(end - 1, end):
                end = last.reached(end)
            return Open(begin, end, self.at(begin, end))
        there = [r for r in self.ranges if r.is_segment() and r.base == address and r.end > address]
        return Open(address, address, [copy.copy(r) for r in there if r.number == there[0].number])

    def take_seen(self, call):
        """What has not been mapped anew since."""
        self.know(call.begin, call.end)
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
        return FILE if call == SEGMENT and not protection & WRITE else MEMORY

    def settle(self, place, others=()):
        """A place that is about to be memory, by its bytes: those that are memory in another place are so there."""
        if place.kind != MEMORY or place.number is None:
            return [place]
        there = sorted((r.begin - r.base, r.end - r.base) for r in (*self.ranges, *others)
                       if r.number == place.number and r.kind == MEMORY)
        parts, at = [], place.begin - place.base
        size, end = max(at, min(place.size, place.end - place.base)), place.end - place.base
        for low, high in there + [(size, size)]:
            for is_second, to in ((False, min(low, size)), (True, min(high, size))):
                if at < to:
                    parts.append(place.part(place.base + at, place.base + to))
                    parts[-1].kind, parts[-1].second = (FILE if is_second else MEMORY), is_second
                    at = to
        if size < end:
            parts.append(place.part(place.base + size, place.end))
            parts[-1].kind = FILE
        return parts

    def view(self, begin, end, call):
        """What is mapped in a second place."""
        new = Range(begin, end, FILE, self.origins)
        for of in self.at(call.begin, call.begin + 1) if call else []:
            new.end, new.page = of.reached(end), of.page
            if of.number is not None:
                new.kind = MEMORY if of.second else of.kind
                new.number, new.size, new.base = of.number, of.size, begin - (call.begin - of.base)
        return new

    def describe(self, begin, end, extra):
        call, flags = extra & 15, extra >> 8
        new = Range(begin, end, self.kind_of(extra), self.origins)
        if call == MMAP and flags & HUGE:
            new.page = 1 << (flags >> 26 & 63 or 21)
        if call == SEGMENT:
            new.number = flags
        elif call == MMAP and flags & ANONYMOUS and flags & SHARED:
            new.number = "nameless", self.origins
        new.base, new.size = begin, end - begin
        return new

    def map(self, address, size, extra, of=None):
        """A new mapping, or a view of what lies where the call `of` began. Returns whether it replaces something."""
        begin, end = whole_pages(address, size)
        call, flags = extra & 15, extra >> 8
        self.origins += 1
        new = self.view(begin, end, of) if call == VIEW else self.describe(begin, end, extra)
        under = self.take(new.begin, new.end)
        self.gone(under)
        self.count(self.settle(new))
        return bool(under) and (call == SEGMENT or (call == MMAP and bool(flags & FIXED)))

    def move(self, address, size, flags, call):
        """What mremap has moved, and whether there was something."""
        begin, end = whole_pages(address, size)
        call = call or Open(begin, begin, [])
        if call.seen and call.seen[0].begin == call.begin:
            end = call.seen[0].reached(end)
        self.origins += 1
        seen, at = [], call.begin
        for part in call.seen:
            seen += [*self.unknown(at, part.begin), part]
            at = part.end
        seen += self.unknown(at, call.end)
        tail = copy.copy(call.seen[-1] if call.seen and at >= call.end else Range(at, at, MEMORY, 0))
        reach = call.begin + end - begin
        tail.begin, tail.end = max(at, call.end), reach
        more = [tail] if not flags & DONTUNMAP else [*seen, tail]
        moved = []
        for r in (*seen, tail):
            r, is_more = r.part(0, reach), r in more
            r.begin, r.end, r.base = (a - call.begin + begin for a in (r.begin, r.end, r.base))
            r.origin = self.origins
            if is_more:
                r.own, r.others = True, False
                r.kind, r.second = (MEMORY, False) if r.second else (r.kind, False)
            moved += [] if r.begin >= r.end else self.settle(r) if is_more else [r]
        if not flags & DONTUNMAP:
            taken = self.take_seen(call)
            self.uncount([r.part(0, reach) for r in taken if r.begin < reach])
            self.gone([r.part(reach, r.end) for r in taken if r.end > reach])
        for r in moved:
            self.gone(self.take(r.begin, r.end))
        self.count([p for r in moved for p in self.settled_again(r, moved)])
        return bool(call.seen) and not flags & DONTUNMAP

    def settled_again(self, place, moved):
        """A second place whose first one has gone since."""
        if not place.second:
            return [place]
        fresh = copy.copy(place)
        fresh.kind, fresh.second = MEMORY, False
        return self.settle(fresh, moved)

    def reached(self, begin, end, error):
        """How far a change of protection got that failed."""
        at = begin
        for r in self.at(begin, end):
            if r.begin > at or (error == EACCES and r.kind == FILE and not r.second):
                return at
            at = r.end
        return at if at < end else begin

    def protect(self, address, size, protection, error):
        begin, end = whole_pages(address, size)
        changed = []
        if end >= 1 << 64:
            return  # it goes round the end of the address space, and has failed
        for part in self.at(begin, self.reached(begin, end, error) if error else end):
            kind = part.kind
            if kind == RESERVED and protection & WRITE:
                kind = MEMORY
            elif (kind == MEMORY or part.second) and protection == 0:
                kind = RESERVED
            if kind != part.kind:
                self.gone(self.take(part.begin, part.end))
                part.own = part.own or (kind == MEMORY and not part.others)
                part.kind, part.second = kind, False
                changed += self.settle(part, changed)
        self.count(changed)
