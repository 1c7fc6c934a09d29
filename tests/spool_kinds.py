"""spool_kinds.py - numbers of events and labels, for the second reader of spools (spool_reader.py)."""
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
