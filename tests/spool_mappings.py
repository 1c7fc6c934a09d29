"""spool_mappings.py - the mappings of a process, as the second reader of spools sees them (doc/format.md, RANGE_MAP)."""
MEMORY, RESERVED, FILE = range(3)
MMAP, PROTECT, MOVED, VIEW, BREAK, SEGMENT = range(1, 7)
WRITE, ANONYMOUS, DONTUNMAP = 2, 0x20, 4


def whole_pages(address, size):
    """The kernel maps and drops whole ones, whatever is asked for."""
    return address & -4096, (address + size + 4095) & -4096


class Range:
    """others: memory that was inherited; it may have lost all access, and is the parent's all the same."""

    def __init__(self, begin, end, kind, own=True, segment=0, others=False):
        self.begin, self.end, self.kind, self.own, self.segment, self.others = begin, end, kind, own, segment, others

    def part(self, begin, end):
        return Range(begin, end, self.kind, self.own, self.segment, self.others)


class Mappings:
    """Ranges, apart from each other, and how much there is of each kind."""

    def __init__(self):
        self.ranges, self.levels, self.peaks = [], [0, 0, 0], [0, 0, 0]

    def inherit(self, parent):
        self.ranges = [Range(r.begin, r.end, r.kind, False, r.segment, r.others or r.kind == MEMORY)
                       for r in parent.ranges]

    def count(self, part, sign):
        if part.own:
            self.levels[part.kind] += sign * (part.end - part.begin)
            self.peaks[part.kind] = max(self.peaks[part.kind], self.levels[part.kind])

    def take(self, begin, end):
        """Takes [begin, end) out; returns what went. It is not counted out yet."""
        gone, kept = [], []
        for r in self.ranges:
            low, high = max(r.begin, begin), min(r.end, end)
            if low >= high:
                kept.append(r)
                continue
            gone.append(r.part(low, high))
            kept += [r.part(b, e) for b, e in ((r.begin, low), (high, r.end)) if b < e]
        self.ranges = kept
        return gone

    def begin(self, address, size):
        """What a RANGE_BEGIN takes."""
        if size:
            return self.take(*whole_pages(address, size))
        gone = [r for r in self.ranges if r.segment == address]
        self.ranges = [r for r in self.ranges if r not in gone]
        return gone

    def put_back(self, parts):
        """What another thread has mapped meanwhile lies there now."""
        for part in parts:
            others = [r for r in self.ranges if r.begin < part.end and r.end > part.begin]
            for r in sorted(others, key=lambda r: r.begin):
                low, high = max(r.begin, part.begin), min(r.end, part.end)
                self.drop([part.part(low, high)])
                if part.begin < low:
                    self.ranges.append(part.part(part.begin, low))
                part = part.part(high, part.end)
            if part.begin < part.end:
                self.ranges.append(part)

    def drop(self, parts):
        for part in parts:
            self.count(part, -1)

    def kind_of(self, extra, dropping):
        call, protection, flags = extra & 15, extra >> 4 & 7, extra >> 8
        if call == MMAP:
            return FILE if not flags & ANONYMOUS else MEMORY if protection & WRITE else RESERVED
        if call == MOVED:
            return dropping[0].kind if dropping else MEMORY
        if call == VIEW or (call == SEGMENT and not protection & WRITE):
            return FILE
        return MEMORY

    def map(self, address, size, extra, dropping):
        kind = self.kind_of(extra, dropping)
        if extra & 15 == MOVED and extra >> 8 & DONTUNMAP:
            self.put_back(dropping)
        else:
            self.drop(dropping)
        begin, end = whole_pages(address, size)
        self.drop(self.take(begin, end))
        new = Range(begin, end, kind, True, begin if extra & 15 == SEGMENT else 0)
        self.ranges.append(new)
        self.count(new, 1)

    def protect(self, address, size, protection):
        for part in self.take(*whole_pages(address, size)):
            kind = part.kind
            if kind == RESERVED and protection & WRITE:
                kind = MEMORY
            elif kind == MEMORY and protection == 0:
                kind = RESERVED
            if kind != part.kind:
                self.count(part, -1)
                part.kind, part.own = kind, part.own or not part.others
                self.count(part, 1)
            self.ranges.append(part)
