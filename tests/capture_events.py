"""capture_events.py - the events of a capture, and which block each free takes; a part of the second reader of captures
(capture_reader.py)."""
import collections
import itertools

from capture_file import Numbers, require

(ALLOCATION, FREE, TEMPORARY_FREE, REALLOC_FREE, IMPLIED_FREE, INHERITED_FREE, UNKNOWN_FREE, MAPPING,
 UNMAPPING) = range(9)
OWN_FREES = (FREE, TEMPORARY_FREE, REALLOC_FREE, IMPLIED_FREE)
COUNTED_FREES = (FREE, TEMPORARY_FREE, REALLOC_FREE, INHERITED_FREE, UNKNOWN_FREE)
NEW_CLASS, TEMPORARY, ESCAPE = range(3)  # tokens
YOUNGEST, YOUNGER, OLDER, OLDEST, NEAREST, BEHIND_NEAREST, BY_BIRTH = range(7)  # places
FROM_YOUNGER, FROM_OLDER, FROM_YOUNGEST = 8, 16, 24  # and how many steps further
NEAREST_STEPS = 8

Event = collections.namedtuple("Event", "tick thread kind block_class bytes")


class Segment:
    """A payload of type EVENTS."""

    def __init__(self, payload, named):
        numbers = Numbers(payload)
        self.count, self.first_tick, self.last_tick, self.highest, self.live_bytes, self.mapped_bytes = \
            (numbers.number() for _ in range(6))
        self.allocations_before = numbers.number() if named else None
        self.run_threads, self.run_lengths, self.tick_counts, self.tick_steps = (column(numbers) for _ in range(4))
        self.block_runs, self.block_places = (column(numbers) for _ in range(2)) if named else ([], [])
        self.block_births = column(numbers, Numbers.signed) if named else []
        threads = [(numbers.number(), numbers.number()) for _ in range(numbers.number())]
        self.streams = [Stream(serial, numbers.take(size)) for serial, size in threads]
        numbers.end()
        require(len(self.run_threads) == len(self.run_lengths), "runs of threads")
        require(len(self.tick_steps) == max(len(self.tick_counts) - 1, 0), "steps of ticks")
        require(sum(self.run_lengths) == sum(self.tick_counts) == self.count, "events of a segment")

    def ticks(self):
        """The tick of each event."""
        tick = self.first_tick
        for count, step in zip(self.tick_counts, [*self.tick_steps, 0]):
            yield from itertools.repeat(tick, count)
            tick += step

    def events(self):
        """All events in their order."""
        highest, ticks, tick = self.highest, self.ticks(), self.first_tick
        for index, length in zip(self.run_threads, self.run_lengths):
            require(index < len(self.streams), f"no thread {index} in a segment")
            for _ in range(length):
                tick = next(ticks)
                event = self.streams[index].event(tick, highest)
                highest = max(highest, event.block_class)
                yield event
        require(tick == self.last_tick, "the last tick of a segment")
        for stream in self.streams:
            stream.tokens.end()


def column(numbers, read=Numbers.number):
    """The numbers of a column that stands behind its length in bytes."""
    part = Numbers(numbers.take(numbers.number()))
    return part.rest(lambda: read(part))


class Stream:
    """The tokens of one thread."""

    def __init__(self, serial, payload):
        self.serial, self.tokens = serial, Numbers(payload)
        self.last_class = 0

    def event(self, tick, highest):
        """The next event; `highest` is the highest class that was named before it."""
        token, size = self.tokens.number(), 0
        if token == NEW_CLASS:
            kind, self.last_class = ALLOCATION, highest + 1
        elif token == TEMPORARY:
            kind = TEMPORARY_FREE
        elif token == ESCAPE:
            kind = self.tokens.number()
            self.last_class += self.tokens.signed()
            require(kind <= UNMAPPING, f"an event of kind {kind}")
            size = self.tokens.number() if kind == UNMAPPING else 0
        else:
            zigzag, is_free = divmod(token - 3, 2)
            kind = FREE if is_free else ALLOCATION
            self.last_class += zigzag >> 1 ^ -(zigzag & 1)
        require(self.last_class >= 0, "a class below 0")
        return Event(tick, self.serial, kind, self.last_class, size)


class LiveBlock:
    """An allocation that was not freed yet."""

    def __init__(self, number, tick, birth):
        self.number, self.tick, self.birth = number, tick, birth


class Follower:
    """Knows which blocks of a process live: the n-th allocation makes block n."""

    def __init__(self):
        self.allocations = 0
        self.living = {}  # class -> its live blocks, the oldest first
        self.freed = {}  # class -> (next younger, next older) of its block that was freed last
        self.last_birth = self.births = 0
        self.runs, self.places, self.segment_births, self.run = [], [], [], None  # what is left of a segment's columns

    def checkpoint(self):
        """How many live of each class."""
        return {c: len(blocks) for c, blocks in sorted(self.living.items()) if blocks}

    def begin(self, segment):
        """A segment knows nothing of the one before."""
        require(segment.allocations_before == self.allocations, "a segment begins behind other allocations")
        self.freed, self.last_birth, self.births = {}, 0, 0
        for _, blocks in sorted(self.living.items()):
            for block in blocks:
                block.birth = self.next_birth()
        self.segment_births, birth = [], 0
        for difference in segment.block_births:
            birth += difference
            self.segment_births.append(birth)
        self.segment_births.reverse()
        self.runs, self.places = segment.block_runs[::-1], segment.block_places[::-1]
        require(len(self.runs) == len(self.places), "runs and places of blocks")
        self.run = self.runs.pop() if self.runs else None

    def end(self):
        """All of the segment's names were used."""
        require(not (self.run or self.runs or self.places or self.segment_births), "names of blocks are left over")

    def next_birth(self):
        self.births += 1
        return self.births

    def take(self, event):
        """Follows an event."""
        if event.kind == ALLOCATION:
            self.allocations += 1
            block = LiveBlock(self.allocations, event.tick, self.next_birth())
            self.living.setdefault(event.block_class, []).append(block)
        elif event.kind in OWN_FREES:
            self.free(event.block_class)

    def free(self, block_class):
        blocks = self.living.get(block_class, [])
        require(blocks, f"a free of class {block_class}, of which nothing lives")
        at = self.index(blocks, block_class, self.next_place())
        require(at is not None and 0 <= at < len(blocks), f"a free of class {block_class} names no live block")
        block = blocks.pop(at)
        self.freed[block_class] = (blocks[at] if at < len(blocks) else None, blocks[at - 1] if at else None)
        self.last_birth = block.birth

    def next_place(self):
        """The place of the block that the next free takes."""
        if self.run is None:  # behind the last place
            return YOUNGEST
        if self.run:
            self.run -= 1
            return YOUNGEST
        self.run = self.runs.pop() if self.runs else None
        return self.places.pop()

    def index(self, blocks, block_class, place):
        """Where in the list the block of a place is; None or outside of the list where there is none."""
        younger, older = (blocks.index(b) if b else None for b in self.freed.get(block_class, (None, None)))
        youngest = len(blocks) - 1
        if place in (NEAREST, BEHIND_NEAREST):
            return self.nearest(blocks, youngest if younger is None else younger) - (place == BEHIND_NEAREST)
        if place == BY_BIRTH:
            require(self.segment_births, "a birth is missing")
            birth = self.segment_births.pop()
            return next((i for i, b in enumerate(blocks) if b.birth == birth), None)
        starts = {YOUNGEST: (youngest, 0), YOUNGER: (younger, 0), OLDER: (older, 0), OLDEST: (0, 0),
                  FROM_YOUNGER: (younger, 1), FROM_OLDER: (older, -1), FROM_YOUNGEST: (youngest, -1)}
        start, way = starts.get(place & ~7 if place & ~7 else place, (None, 0))
        return None if start is None else start + way * (place & 7)

    def nearest(self, blocks, at):
        """Place 4, sought from a block on."""
        steps = NEAREST_STEPS
        while steps and blocks[at].birth < self.last_birth and at + 1 < len(blocks):
            at, steps = at + 1, steps - 1
        while steps and at and blocks[at - 1].birth > self.last_birth:
            at, steps = at - 1, steps - 1
        return at
