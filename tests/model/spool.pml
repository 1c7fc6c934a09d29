/*
 * spool.pml - the protocol of the spool (doc/format.md, "The protocol") as a model for spin.
 *
 * Two threads fill chunks; a collector finds, reads, orders and recycles them; a process may be
 * killed between any two steps. A step is one atomic block: one store to the shared file, or one
 * reading of it, and what follows from it. Steps interleave in every way, and spin looks at every
 * state that can be reached. What is checked:
 *
 *   - no event is given after one of a later time
 *   - of each stream the events are given in their order, each once
 *   - no chunk is found when it is too late for it, and none is missing at the end
 *   - at the end all that was committed has been given
 *   - the collector comes to its end, whoever was killed, and wherever
 *
 * Times come from one counter, which every reading of the clock moves on. A store is seen at once,
 * and there is no slack: the slack is there to make this true of a real processor. A chunk's THREAD
 * event is not modelled, nor is space that runs out.
 *
 * tests/model/check knows the configurations:
 *   EVENTS0, EVENTS1  of stream 0 and 1   CAP     events that a chunk holds
 *   SLOTS      that can be used again     CHUNKS  of a stream, at most
 *   ANY_PLACE  fresh space is taken also where a slot is free
 *   CHILD      stream 1 is a forked child's; parent and child are killed one by one
 *   HANDOVER   after its first event a stream serves another thread, which may need a new chunk
 *   JUMP       a handler jumps out of one event of stream 0, after any of its steps
 *   RESTART    the collector is killed once in recycling, and another one begins anew
 *   EVERY_STEP what cannot change is read in steps of its own, too
 *   BUG_..     breaks one rule: spin must find out
 */
#ifndef EVENTS0
#define EVENTS0 2
#endif
#ifndef EVENTS1
#define EVENTS1 1
#endif
#define WANTED(s) (s == 0 -> EVENTS0 : EVENTS1)
#ifndef CAP
#define CAP 1
#endif
#ifndef SLOTS
#define SLOTS 1
#endif
#ifndef CHUNKS
#define CHUNKS EVENTS0 /* of a stream, at most */
#endif
#define STREAMS 2
#ifndef CELLS
#define CELLS (SLOTS + 2 * STREAMS * CHUNKS)
#endif
#ifndef LOOKS
#define LOOKS 2 /* order_look.c: 3; what is right with two is right with more */
#endif
#define NONE  255
#define NEVER 255 /* later than all times */

/* ---- the file: a cell is one chunk's place; the first SLOTS can be used again ---- */

#define OPEN   0 /* `closed` */
#define CLOSED 1
#define MOVED  2
#define TAKEN  3

byte carved = SLOTS;
bit mark[CELLS];
byte closed[CELLS];
bit busy[CELLS];
bit stream_of[CELLS];
byte number_of[CELLS]; /* the chunk's index in its stream */
byte opened[CELLS];
byte events[CELLS]; /* the commit word */
byte times[CELLS * CAP];
bit copy[CELLS];
byte first[CELLS]; /* which event of the stream its first one is: for the check alone */

/* ---- the world ---- */


bit held[SLOTS + 1];     /* slots that no thread may take: in the process's own memory */
byte clock;
byte time[STREAMS];      /* of the event that a thread is writing; 0 none */
byte committed[STREAMS]; /* events: for the check alone */
bit ended[STREAMS];      /* the thread */

#ifdef CHILD
bit has_forked;
bit dead[2];
#define PROCESS(s) (s)
#define IS_OVER(s) (dead[s] || ended[s] || (s == 1 && !has_forked && (dead[0] || ended[0])))
#define ALL_OVER   (IS_OVER(0) && IS_OVER(1))
#else
bit dead[1];
#define PROCESS(s) 0
#define IS_OVER(s) (dead[0] || (ended[0] && ended[1]))
#define ALL_OVER   IS_OVER(0)
#endif

/*
 * A killed process does nothing more. So it is enough to have it killed when somebody looks whether
 * it was: had it been killed earlier, its last steps would not have been.
 */
inline maybe_kill(p)
{
    if
    :: dead[p] = 1
    :: skip
    fi
}

/* ---- the recorder ---- */

mtype = { NEXT, READ_TIME, PLACE, SHOW, OWN, CLOSE, LET_OLD_GO, READ_TIME_AGAIN,
          IDLE_TOO_EARLY, COMMIT, LET_GO, NAME_THREAD, NAMED, CLAIM, SHOW_EMPTY, ABANDON, ABANDONED };

#ifdef BUG_NOT_HELD
#define IS_HELD(c) false
#else
#define IS_HELD(c) held[c]
#endif
#define MAY_TAKE(c) (c < SLOTS && !IS_HELD(c) && closed[c] == MOVED)

/* A free slot, or fresh space. The code takes a slot where there is one. */
inline choose_place()
{
    if
    :: MAY_TAKE(0) -> place = 0
    :: SLOTS > 1 && MAY_TAKE(SLOTS - 1) -> place = SLOTS - 1
#ifdef ANY_PLACE
    :: place = carved
#else
    :: else -> place = carved
#endif
    fi
}

inline claim_place()
{
    if
    :: place < SLOTS -> closed[place] = TAKEN; held[place] = 1
    :: else -> carved = place + 1
    fi
}

inline let_slot_go(c)
{
    if
    :: c < SLOTS -> held[c] = 0
    :: else
    fi
}

inline read_clock(to)
{
    clock++;
    to = clock;
    c_code { tidy(); }
}

/* Everything but what makes the chunk visible. */
inline fill_in(c, number, is_busy_from_birth)
{
    stream_of[c] = s;
    number_of[c] = number;
    read_clock(opened[c]);
    events[c] = 0;
    first[c] = committed[s];
    copy[c] = 0;
    busy[c] = is_busy_from_birth
}

inline make_visible(c, state)
{
    closed[c] = state;
    mark[c] = 1
}

/* Nobody has a place that is claimed and not filled in: claiming and filling in are one step. */
inline find_place()
{
    choose_place();
#ifdef BUG_CLAIM_NOT_ATOMIC
    at = CLAIM
#else
    claim_place();
    begin_chunk()
#endif
}

inline begin_chunk()
{
    opening = place;
    opening_number = next;
#ifdef BUG_NOT_BUSY_FROM_BIRTH
    fill_in(place, next, 0);
#else
    fill_in(place, next, 1);
#endif
    at = SHOW
}

/* An event that has its time is next encoded; in a new chunk THREAD is committed before it. */
#if defined BUG_THREAD_IDLE || defined BUG_IDLE_BEFORE_COMMIT
#define IN_NEW IDLE_TOO_EARLY
#else
#define IN_NEW COMMIT
#endif
#ifdef BUG_IDLE_BEFORE_COMMIT
#define IN_OLD IDLE_TOO_EARLY
#else
#define IN_OLD COMMIT
#endif

/* The visible chunk becomes the stream's. */
inline own_chunk()
{
    old = cur;
    cur = opening;
    next = opening_number + 1;
    place = NONE;
    opening = NONE;
    opening_number = 0;
    here = 0;
    time[s] = (old != NONE && !naming -> opened[cur] : time[s]); /* no event is earlier than its chunk */
    if
#ifdef BUG_CLOSE_FIRST
    :: next > 1 -> time[s] = opened[cur]; at = IN_NEW
    :: next == 1 -> at = READ_TIME_AGAIN
#else
    :: old != NONE -> at = CLOSE
    :: old == NONE && !naming -> at = READ_TIME_AGAIN
    :: old == NONE && naming -> at = NAMED
#endif
    fi
}

inline commit()
{
    times[cur * CAP + here] = time[s];
    here++;
    events[cur] = here;
    committed[s]++;
    time[s] = 0;
#ifdef CHILD
    if
    :: s == 0 -> has_forked = 1 /* the first event is the FORK, and the fork follows */
    :: else
    fi;
#endif
    at = LET_GO
}

#define LIVES (!dead[PROCESS(s)])
#define ON(phase) LIVES && at == phase

proctype writer(bit s)
{
    mtype at = NEXT;
    byte cur = NONE; /* the stream's chunk */
    byte here = 0;   /* events in it */
    byte old = NONE; /* the chunk before, not closed yet */
    byte place = NONE, opening = NONE, opening_number = 0;
    byte next = 0; /* the next chunk's number */
    bit naming = 0, named = 0, jumped = 0;

#ifdef CHILD
    if
    :: s == 0
    :: s == 1 && has_forked
    :: s == 1 && !has_forked && (dead[0] || ended[0]) -> goto over
    fi;
#endif
    do
    :: atomic { !LIVES -> break }

    :: atomic { ON(NEXT) && cur == NONE -> /* nobody could see that we are busy */
#ifdef BUG_TIME_FIRST
        read_clock(time[s]); at = PLACE
#else
        find_place()
#endif
        }
    :: atomic { ON(NEXT) && cur != NONE ->
#ifdef BUG_BUSY_LATE
        if
        :: here < CAP && time[s] == 0 -> read_clock(time[s])
        :: else -> busy[cur] = 1; at = (here < CAP -> COMMIT : PLACE)
        fi
#else
        busy[cur] = 1;
        at = (here < CAP -> READ_TIME : PLACE)
#endif
        }
    :: atomic { ON(READ_TIME) -> read_clock(time[s]); at = IN_OLD }

    :: atomic { ON(PLACE) ->
#ifdef BUG_CLOSE_FIRST
        if
        :: cur != NONE -> busy[cur] = 0; closed[cur] = CLOSED; let_slot_go(cur); cur = NONE
        :: else -> find_place()
        fi
#else
        find_place()
#endif
        }
#ifdef BUG_CLAIM_NOT_ATOMIC
    :: atomic { ON(CLAIM) -> claim_place(); begin_chunk() }
#endif
    :: atomic { ON(SHOW) ->
        make_visible(place, OPEN);
#ifdef JUMP
#ifdef BUG_NUMBER_TWICE
        next = next + 1;
#endif
        at = OWN
#else
        own_chunk()
#endif
        }
    :: atomic { ON(OWN) -> own_chunk() }
#ifdef BUG_IDLE_FIRST
    :: atomic { ON(CLOSE) -> busy[old] = 0; at = LET_OLD_GO }
    :: atomic { ON(LET_OLD_GO) -> closed[old] = CLOSED; let_slot_go(old); old = NONE;
#else
    :: atomic { ON(CLOSE) -> closed[old] = CLOSED; at = LET_OLD_GO }
    :: atomic { ON(LET_OLD_GO) -> busy[old] = 0; let_slot_go(old); old = NONE;
#endif
        if
        :: naming -> at = NAMED
        :: else -> at = IN_NEW
        fi }
    :: atomic { ON(READ_TIME_AGAIN) ->
#ifdef BUG_NOT_BUSY_FROM_BIRTH
        if
        :: !busy[cur] && time[s] == 0 -> read_clock(time[s])
        :: else -> busy[cur] = 1; at = COMMIT
        fi
#else
#ifndef BUG_TIME_FIRST
        read_clock(time[s]);
#endif
        at = IN_NEW
#endif
        }
#if defined BUG_THREAD_IDLE || defined BUG_IDLE_BEFORE_COMMIT
    :: atomic { ON(IDLE_TOO_EARLY) -> busy[cur] = 0; at = COMMIT }
#endif
    :: atomic { ON(COMMIT) -> commit() }
    :: atomic { ON(LET_GO) ->
        busy[cur] = 0;
#ifdef HANDOVER
        at = (named || committed[s] == WANTED(s) -> NEXT : NAME_THREAD);
#else
        at = NEXT;
#endif
        if
        :: committed[s] == WANTED(s) -> ended[s] = 1; break
        :: else
        fi }

#ifdef HANDOVER /* The next thread says who it is, perhaps in a new chunk. */
    :: atomic { ON(NAME_THREAD) ->
        named = 1;
        naming = 1;
        busy[cur] = 1;
        if
        :: at = PLACE
        :: at = NAMED
        fi }
    :: atomic { ON(NAMED) -> busy[cur] = 0; naming = 0; at = NEXT }
#endif

#ifdef JUMP /* The next hook finds the stream as the jump has left it. */
    :: atomic { LIVES && s == 0 && !jumped && at != NEXT && at != SHOW_EMPTY && at != ABANDON ->
        jumped = 1;
        at = (opening != NONE -> SHOW_EMPTY : ABANDON) }
    :: atomic { ON(SHOW_EMPTY) -> /* or a number would be missing in the stream */
#ifdef BUG_NUMBER_TWICE
        opening_number = next;
#endif
        fill_in(opening, opening_number, 0);
        make_visible(opening, CLOSED);
        next = opening_number + 1;
        at = ABANDON }
    :: atomic { ON(ABANDON) ->
        opening = NONE; opening_number = 0; place = NONE; old = NONE; time[s] = 0;
        at = NEXT;
        if
        :: cur != NONE -> closed[cur] = CLOSED; at = ABANDONED
        :: else
        fi;
        if
        :: committed[s] == WANTED(s) -> ended[s] = 1; break
        :: else
        fi }
    :: atomic { ON(ABANDONED) -> busy[cur] = 0; let_slot_go(cur); cur = NONE; here = 0; at = NEXT }
#endif
    od;
over:
    atomic { /* one state instead of many */
        at = NEXT; cur = 0; here = 0; old = 0; place = 0; opening = 0; opening_number = 0; next = 0;
        time[s] = 0; naming = 0; named = 0; jumped = 0
    }
}

/* ---- the collector ---- */

#define UNSEEN 0 /* what it knows of a cell */
#define HOLE   1
#define FREE   2
#define FOUND  3

byte seen[CELLS];
byte scanned;
byte known[STREAMS * CHUNKS]; /* where the chunk lies */
byte count[STREAMS];          /* of chunks found */
byte last[STREAMS];           /* the highest number of one */
byte looked_at[STREAMS];
bit is_busy[STREAMS];
bit is_closed[STREAMS];
byte current[STREAMS]; /* number of the chunk that is being read */
bit begun[STREAMS];    /* its commit word has been read */
bit again[STREAMS];    /* and was read when the next chunk was known */
byte taken[STREAMS];   /* events of it */
byte there[STREAMS];   /* as its commit word said */
bit has_event[STREAMS];
byte moved[STREAMS]; /* chunks before it have been given back */
byte given[STREAMS];
byte given_time;
byte limit, limit_before;

mtype = { REFRESH, LOOK, ASK, CARVED, NEW, HOLES, SLOT, READ, CHECK, CARVE, COPY, GIVE_BACK,
          PICK_STREAM, SETTLE, PICK_EVENT };

#define AT(s, n)     known[(s) * CHUNKS + (n)]
#define LAST(s)      AT(s, last[s])
#define CURRENT(s)   AT(s, current[s])
#define HAS_NEXT(s)  (current[s] < last[s] && AT(s, current[s] + 1) != NONE)
#define NEXT_TIME(s) times[CURRENT(s) * CAP + taken[s]]
#define HAS_GAP(s) \
    (count[s] > 0 && (CURRENT(s) == NONE || (current[s] < last[s] && AT(s, current[s] + 1) == NONE)))
#define MUST_LOOK(s) (count[s] != looked_at[s] && (looked_at[s] == 0 || is_closed[s]))

/*
 * Only the order of times matters. They are counted anew from 1, without gaps, and bounds that lie
 * below the last event given are forgotten: fewer states.
 */
c_code {
    static void use(uchar *t, uchar *is_used) { is_used[*t] = 1; }
    static void change(uchar *t, uchar *to) { *t = to[*t]; }
    static void forget(uchar *t)
    {
#ifndef RESTART
        if (*t < now.given_time)
            *t = now.given_time ? 0 : *t;
#endif
    }
    static void all_times(void (*f)(uchar *, uchar *), uchar *a)
    {
        int i;
        for (i = 0; i < (int)sizeof now.opened; i++)
            f(&now.opened[i], a);
        for (i = 0; i < (int)sizeof now.times; i++)
            f(&now.times[i], a);
        for (i = 0; i < (int)sizeof now.time; i++)
            f(&now.time[i], a);
        f(&now.clock, a);
        f(&now.given_time, a);
        f(&now.limit, a);
        f(&now.limit_before, a);
    }
    static void tidy(void)
    {
        uchar to[256] = {0}, next = 1;
        int i;
        forget(&now.limit_before);
        for (i = 0; i < (int)sizeof now.opened; i++)
            forget(&now.opened[i]);
        all_times(use, to);
        for (i = 1; i <= now.clock; i++)
            to[i] = to[i] ? next++ : 0;
        to[0] = 0;
        to[255] = 255;
        all_times(change, to);
    }
};

inline chunk_found(c)
{
    seen[c] = FOUND;
    x = stream_of[c];
    n = number_of[c];
    if
    :: AT(x, n) != NONE ->
        assert(copy[c]);
        if
        :: n >= moved[x] -> AT(x, n) = c
        :: else
        fi
    :: else ->
        assert(n > current[x] || (n == current[x] && !begun[x])); /* it is not too late */
        AT(x, n) = c;
        count[x]++;
        if
        :: n > last[x] -> last[x] = n
        :: else
        fi;
#ifdef BUG_EARLY_CHUNK
        if
        :: count[x] == 1 -> current[x] = n
        :: else
        fi
#endif
    fi;
    x = 0;
    n = 0
}

inline look_at_cell(c)
{
    if
    :: !mark[c] -> seen[c] = HOLE
    :: mark[c] && (closed[c] == MOVED || closed[c] == TAKEN) ->
#ifdef BUG_NOT_WATCHED
        seen[c] = FOUND
#else
        seen[c] = FREE
#endif
    :: mark[c] && closed[c] != MOVED && closed[c] != TAKEN -> chunk_found(c)
    fi
}

/* The scan goes on: fresh space, then what was a hole before, then free slots. */
inline scan_on()
{
    if
    :: phase == NEW && i == end -> scanned = end; phase = HOLES; i = 0
    :: else
    fi;
    if
    :: phase == HOLES ->
        do
        :: i < before && seen[i] != HOLE -> i++
        :: else -> break
        od;
        if
        :: i == before -> phase = SLOT; i = 0
        :: else
        fi
    :: else
    fi;
    if
    :: phase == SLOT ->
        do
        :: i < SLOTS && seen[i] != FREE -> i++
        :: else -> break
        od;
        if
        :: i == SLOTS -> i = 0; end = 0; before = 0; scanned_all()
        :: else
        fi
    :: else
    fi
}

/* find_chunks and find_all of order_look.c. */
inline scanned_all()
{
    phase = CARVED;
    tries++;
    if
    :: tries < LOOKS && (HAS_GAP(0) || HAS_GAP(1)) -> skip
    :: else ->
        tries = 0;
        if
        :: is_last_scan -> take_for_busy()
        :: else ->
            looks++;
            closings = 0;
            q = 0;
#ifdef BUG_NO_SECOND_LOOK
            looked_at[0] = count[0];
            looked_at[1] = count[1];
#endif
            is_last_scan = (looks == LOOKS);
            if
            :: is_last_scan
            :: else -> look_again_on()
            fi
        fi
    fi
}

inline look_again_on()
{
    do
    :: q < STREAMS && !MUST_LOOK(q) -> q++
    :: else -> break
    od;
    phase = LOOK;
    if
    :: q == STREAMS -> q = 0; phase = CARVED; is_last_scan = (closings == 0); closings = 0
    :: else
    fi
}

inline take_for_busy()
{
    q = 0;
#if !defined BUG_NOT_TAKEN_FOR_BUSY && !defined BUG_NO_SECOND_LOOK
    do
    :: q < STREAMS -> is_busy[q] = is_busy[q] | MUST_LOOK(q); q++
    :: else -> break
    od;
#endif
    q = 0;
    looks = 0;
    is_last_scan = 0;
    work = PICK_STREAM;
    work_on()
}

/* The first look at all, or another one at those that have gone on. */
inline look_on()
{
    q++;
    if
    :: looks > 0 -> look_again_on()
    :: else ->
        do
        :: q < STREAMS && count[q] == 0 -> q++
        :: else -> break
        od;
        phase = LOOK;
        if
        :: q == STREAMS ->
            q = 0; phase = CARVED;
#ifdef BUG_NOW_LATE
            limit = (live -> clock : NEVER);
#endif
        :: else
        fi
    fi
}

/*
 * What comes next is not earlier than the stream's last event, nor than its last chunk; where
 * nothing is known of it, not earlier than what the refresh before could miss. A limit below the
 * last event that was given says the same as that one's time.
 */
inline hold_back()
{
    t = given_time;
    if
    :: !HAS_GAP(q) && opened[LAST(q)] > t -> t = opened[LAST(q)]
    :: HAS_GAP(q) && given[q] == 0 && limit_before > t -> t = limit_before
    :: else
    fi;
    limit = (t < limit -> t : limit);
    t = 0
}

/* Nobody reads it any more: fewer states. */
inline forget_cell(c)
{
#ifdef RESTART
    skip
#else
    opened[c] = 0; events[c] = 0; first[c] = 0
#endif
}

/* The stream's next event, as far as it is known; sets `work` to what comes next. */
inline settle()
{
    if
    :: CURRENT(q) == NONE -> no_event()
    :: CURRENT(q) != NONE && !begun[q] -> phase = READ; break
    :: CURRENT(q) != NONE && begun[q] ->
        if
        :: taken[q] < there[q] -> has_event[q] = 1; settled()
        :: taken[q] == there[q] && HAS_NEXT(q) && !again[q] -> phase = READ; break
        :: taken[q] == there[q] && HAS_NEXT(q) && again[q] ->
            forget_cell(CURRENT(q));
            current[q]++; begun[q] = 0; taken[q] = 0; there[q] = 0; again[q] = 0
        :: taken[q] == there[q] && !HAS_NEXT(q) -> no_event()
        fi
    fi
}

inline no_event()
{
    assert(live || !HAS_GAP(q)); /* no chunk is missing at the end */
    if
    :: live && (is_busy[q] || HAS_GAP(q)) -> hold_back()
    :: else
    fi;
    settled()
}

inline settled()
{
    if
    :: giving -> work = PICK_EVENT
    :: else -> q++; work = PICK_STREAM
    fi
}

inline pick_event()
{
    giving = 1;
    q = NONE;
    t = limit;
    if
    :: has_event[0] && NEXT_TIME(0) <= t -> q = 0; t = NEXT_TIME(0)
    :: else
    fi;
    if
    :: has_event[1] && NEXT_TIME(1) <= t && !(q == 0 && NEXT_TIME(1) == t) -> q = 1; t = NEXT_TIME(1)
    :: else
    fi;
    if
    :: q == NONE -> t = 0; giving = 0; q = 0; refreshed(); break
    :: else
    fi;
    assert(t >= given_time);
    assert(first[CURRENT(q)] + taken[q] == given[q] && stream_of[CURRENT(q)] == q);
#ifdef CHILD
    assert(q == 0 || given[0] > 0); /* the FORK came first */
#endif
    given_time = t;
    given[q]++;
    has_event[q] = 0;
#ifndef RESTART
    NEXT_TIME(q) = 0; /* nobody reads it any more: fewer states */
#endif
    taken[q]++;
    t = 0;
    work = SETTLE
}

/* Goes on until the file must be read. */
inline work_on()
{
    do
    :: work == PICK_STREAM ->
        if
        :: q == STREAMS -> work = PICK_EVENT
        :: q < STREAMS && count[q] == 0 -> q++
        :: q < STREAMS && count[q] > 0 ->
            work = SETTLE;
            if
            :: begun[q] && current[q] == last[q] -> phase = READ; break
            :: else
            fi
        fi
    :: work == SETTLE -> settle()
    :: work == PICK_EVENT -> pick_event()
    od
}

inline refreshed()
{
    work = PICK_STREAM;
    limit = (AT(0, 0) != NONE && AT(1, 0) != NONE && live -> 0 : limit); /* nobody asks for it */
    is_busy[0] = 0; is_busy[1] = 0; is_closed[0] = 0; is_closed[1] = 0;
    looked_at[0] = 0; looked_at[1] = 0;
    c_code { tidy(); }
    if
    :: live -> recycle_on()
    :: else -> phase = REFRESH
    fi
}

/* Chunks in slots that have been read to their end. */
inline recycle_on()
{
    do
    :: q < STREAMS && moved[q] < current[q] && AT(q, moved[q]) >= SLOTS -> moved[q]++
    :: q < STREAMS && moved[q] >= current[q] -> q++
    :: else -> break
    od;
    phase = CHECK;
    if
    :: q == STREAMS -> q = 0; phase = REFRESH
    :: else
    fi
}

#define FROM AT(q, moved[q])

inline write_copy()
{
    stream_of[to] = stream_of[FROM];
    number_of[to] = number_of[FROM];
    opened[to] = opened[FROM];
    events[to] = events[FROM];
    first[to] = first[FROM];
    do
    :: n < CAP -> times[to * CAP + n] = times[FROM * CAP + n]; n++
    :: else -> break
    od;
    n = 0;
    copy[to] = 1;
    busy[to] = 0;
    closed[to] = CLOSED;
    mark[to] = 1
}

inline free_slot()
{
    closed[FROM] = MOVED;
    seen[FROM] = FREE
}

inline begin_anew()
{
    i = 0;
    do
    :: i < CELLS -> seen[i] = UNSEEN; i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < STREAMS * CHUNKS -> known[i] = NONE; i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < STREAMS ->
        count[i] = 0; last[i] = 0; looked_at[i] = 0; is_busy[i] = 0; is_closed[i] = 0;
        current[i] = 0; begun[i] = 0; again[i] = 0; taken[i] = 0; there[i] = 0; has_event[i] = 0;
        moved[i] = 0; given[i] = 0;
        i++
    :: else -> break
    od;
    i = 0; q = 0; to = 0; scanned = 0; given_time = 0; limit = 0; limit_before = 0;
    phase = REFRESH
}

/*
 * Would what the next step reads be the same later? Then it needs no step of its own: spin has fewer
 * states, and misses none that differ. Copies are written in one step, as only the freed slot is
 * seen by others; where a collector may be killed, that is a choice between the stores.
 */
#define IN_USE(c) (mark[c] && (closed[c] == OPEN || closed[c] == CLOSED))
inline see_if_stable()
{
    stable = 0;
    if
    :: phase == LOOK -> stable = ALL_OVER || (closed[LAST(q)] != OPEN && !busy[LAST(q)])
    :: phase == CARVED -> stable = ALL_OVER
    :: phase == NEW || phase == HOLES || phase == SLOT -> stable = ALL_OVER || IN_USE(i)
    :: phase == READ -> stable = ALL_OVER || closed[CURRENT(q)] != OPEN
    :: phase == CHECK -> stable = ALL_OVER || closed[FROM] != OPEN
    :: phase == CARVE || phase == COPY || phase == GIVE_BACK ->
#ifdef RESTART
        stable = restarted
#else
        stable = 1
#endif
    :: else
    fi;
#ifdef EVERY_STEP
    stable = 0
#endif
}

inline step()
{
    if
    :: phase == REFRESH ->
        live = !(ALL_OVER);
        limit_before = limit;
        limit = (live -> clock : NEVER);
        q = NONE;
        look_on()

    :: phase == LOOK -> /* the words busy and closed are read together */
        is_busy[q] = busy[LAST(q)];
        is_closed[q] = (closed[LAST(q)] != OPEN);
        looked_at[q] = count[q];
        closings = closings + (looks > 0 && is_closed[q]);
        if
        :: is_busy[q] -> phase = ASK
        :: else -> look_on()
        fi

    :: phase == ASK ->
#ifdef BUG_GIVE_UP
        is_busy[q] = !choice;
#else
        is_busy[q] = !(choice && IS_OVER(q));
#endif
        look_on()

    :: phase == CARVED ->
        end = carved; before = scanned; i = scanned; phase = NEW;
        scan_on()
    :: phase == NEW || phase == HOLES || phase == SLOT -> look_at_cell(i); i++; scan_on()

    :: phase == READ ->
        assert(events[CURRENT(q)] >= taken[q]); /* a commit word never goes back */
        there[q] = events[CURRENT(q)];
        begun[q] = 1;
#ifdef BUG_NOT_READ_AGAIN
        again[q] = 1;
#else
        again[q] = HAS_NEXT(q);
#endif
        work_on()

    :: phase == CHECK ->
        if
        :: closed[FROM] == CLOSED ->
#ifdef BUG_FREE_BEFORE_COPY
            free_slot();
#endif
            phase = CARVE
        :: else -> q++; recycle_on() /* it is just being closed: another time */
        fi
    :: phase == CARVE -> to = carved; carved++; phase = COPY
    :: phase == COPY -> write_copy(); to = 0; phase = GIVE_BACK
    :: phase == GIVE_BACK ->
#ifndef BUG_FREE_BEFORE_COPY
        free_slot();
#endif
        moved[q]++;
        recycle_on()
    fi
}

/* What the world decides before a step: who was killed, and whether the collector asks for it now. */
inline choose()
{
    choice = 0;
    if
    :: phase == REFRESH ->
        maybe_kill(0);
#ifdef CHILD
        maybe_kill(1);
#endif
    :: phase == ASK ->
        maybe_kill(PROCESS(q));
        if
        :: choice = 1
        :: skip
        fi
#ifdef RESTART
    :: !restarted && (phase == CARVE || phase == COPY || phase == GIVE_BACK) ->
        restarted = 1;
        begin_anew();
        choice = 1
    :: phase == CARVE || phase == COPY || phase == GIVE_BACK
#endif
    :: else
    fi
}

proctype collector()
{
    mtype phase = REFRESH, work = PICK_STREAM;
    byte i, end, before, tries, looks, closings, q, to;
    byte x, n, t; /* of one step */
    bit stable, choice;
    bit live = 1, giving, is_last_scan, restarted;

    atomic { begin_anew() };
    do
    :: atomic { live || phase != REFRESH ->
        choose();
        if
        :: phase == REFRESH && choice -> choice = 0 /* the next collector begins */
        :: else ->
            d_step {
                stable = 1;
                do
                :: stable -> step(); see_if_stable()
                :: else -> break
                od;
                choice = 0
            }
        fi }
    :: atomic { !live && phase == REFRESH -> break }
    od;
    assert(given[0] == committed[0] && given[1] == committed[1])
}

init
{
    atomic {
        byte slot = 0;
        do
        :: slot < SLOTS -> mark[slot] = 1; closed[slot] = MOVED; slot++
        :: else -> break
        od;
        slot = 0;
        run writer(0);
        run writer(1);
        run collector()
    }
}
