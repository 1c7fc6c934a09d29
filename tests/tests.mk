# tests.mk - builds and runs the tests; part of the Makefile.
#
#   make check        everything; installs what is missing first (scripts/setup --tests)
#   make check-all    besides, what needs minutes or packages of a gigabyte (scripts/setup --all)
#   make check-hosts  suites of other projects as hosts (hosts/check); their sources are fetched. Hours at the first time
#   make check-unit   tests/unit: one cmocka program per module
#   make check-e2e    tests/programs (victims of known counts) and tests/e2e (cases)
#   make fuzz         tests/fuzz: what reads files, given any bytes (fuzz.mk)
#   make sanitized    analyzer and recorder with sanitizers (sanitized/sanitized.mk)
#   make schedules     recorder and collector in every order of their steps (schedules/schedules.mk)
#   make delays        both standing still where they are told to (delays/delays.mk)
#   make bench-build  what scripts/bench runs
#
# A victim says in its own comment how it is built: " * BUILD -O0 -pthread" (tests/programs/README.md).

UNIT_DIRS    := $(ANALYZER_DIRS) format
UNIT_SRC     := $(wildcard tests/unit/test_*.c)
UNIT_TESTS   := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/unit/%)
# Tests of the recorder include its sources, as nothing in the library is visible from outside.
RECORDER_SRC := $(shell grep -lE '"(\.\./\.\./preload/|walk_dance\.h)' $(UNIT_SRC) /dev/null)
RECORDER_TESTS := $(RECORDER_SRC:tests/unit/%.c=$(B)/tests/unit/%)

VICTIM_SRC   := $(wildcard tests/programs/*.c tests/programs/*.cc)
VICTIMS      := $(addprefix $(B)/tests/programs/,$(basename $(notdir $(VICTIM_SRC))))
# One source, several suppliers of malloc and operator new: PROGRAM source-supplier.
SUPPLIERS    := jemalloc tcmalloc tcmalloc-full mimalloc
library_jemalloc      := libjemalloc.so.2
library_tcmalloc      := libtcmalloc_minimal.so.4
library_tcmalloc-full := libtcmalloc.so.4
library_mimalloc      := libmimalloc.so.2
ALLOCATORS   := $(addprefix $(B)/tests/programs/,$(shell sed -n 's/^ \* PROGRAM \(.*-.*\)/\1/p' $(VICTIM_SRC)))

RUN_TESTS     = tests/run --build $(B)
JOBS         := $(shell nproc 2>/dev/null || echo 1)

check:
	scripts/setup --tests
	@$(MAKE) --no-print-directory check-now

check-all:
	scripts/setup --all
	@$(MAKE) --no-print-directory -j$(JOBS) check-build
	@$(RUN_TESTS) --all unit e2e
	@$(MAKE) --no-print-directory check-sanitized
	@$(MAKE) --no-print-directory check-tiny

# All of check with a walk cache in which everything collides and nothing stays.
check-tiny:
	@$(MAKE) --no-print-directory -j$(JOBS) B=$(B)/tiny CFLAGS="$(CFLAGS) -DMPROF_TINY_TABLES" check-build
	@tests/run --build $(B)/tiny unit e2e

# What check does once all is installed.
check-now:
	@$(MAKE) --no-print-directory -j$(JOBS) check-build
	@$(RUN_TESTS) unit e2e

check-hosts:
	scripts/setup --hosts
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tests/hosts/check --build $(B)

check-unit: $(UNIT_TESTS)
	@$(RUN_TESTS) unit

check-e2e: all $(VICTIMS) $(ALLOCATORS)
	@$(RUN_TESTS) e2e

check-build: all $(UNIT_TESTS) $(VICTIMS) $(ALLOCATORS) fuzz sanitized schedules delays

bench-build: all $(addprefix $(B)/tests/programs/,allocloop factor handover manystacks minimise shortthreads)

$(B)/tests/programs/allocloop $(B)/tests/programs/handover $(B)/tests/programs/manystacks: tests/programs/throughput.h

$(RECORDER_TESTS): $(B)/tests/unit/%: tests/unit/%.c $(FORMAT_SRC:%.c=$(B)/pic/%.o)
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) $(PRELOAD_FLAGS) $(addprefix -iquote ,$(sees_preload)) -MMD -MP -o $@ $< \
		$(FORMAT_SRC:%.c=$(B)/pic/%.o) $(LDFLAGS) -lcmocka -lpthread -ldl

$(B)/tests/unit/test_clock: LDFLAGS += -Wl,--wrap=boot_clock_ns

$(B)/tests/unit/%: tests/unit/%.c $(ANALYZER_PARTS)
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) $(ANALYZER_FLAGS) $(addprefix -iquote ,$(UNIT_DIRS)) -MMD -MP -o $@ $< $(ANALYZER_PARTS) \
		$(LDFLAGS) -lcmocka $(ANALYZER_LIBS)

# Warnings are on for victims, too, but for the ones about uses of memory that are the point here.
VICTIM_FLAGS := -g -Wall -Wextra -Wno-unused-result
BUILD_OF      = $(shell sed -n 's/^ \* BUILD //p' $(1))

$(B)/tests/programs/%: tests/programs/%.c
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -D_GNU_SOURCE $(VICTIM_FLAGS) -o $@ $< $(call BUILD_OF,$<)

$(B)/tests/programs/%: tests/programs/%.cc
	@mkdir -p $(@D)
	$(CXX) -std=gnu++17 $(VICTIM_FLAGS) -o $@ $< $(call BUILD_OF,$<)

define with_supplier
$(B)/tests/programs/%-$(1): tests/programs/%.c
	$(CC) -std=gnu17 -D_GNU_SOURCE $(VICTIM_FLAGS) -o $$@ $$< $$(call BUILD_OF,$$<) -Wl,--no-as-needed -l:$(library_$(1))
$(B)/tests/programs/%-$(1): tests/programs/%.cc
	$(CXX) -std=gnu++17 $(VICTIM_FLAGS) -o $$@ $$< $$(call BUILD_OF,$$<) -Wl,--no-as-needed -l:$(library_$(1))
endef
$(foreach supplier,$(SUPPLIERS),$(eval $(call with_supplier,$(supplier))))

include tests/fuzz/fuzz.mk
include tests/sanitized/sanitized.mk
include tests/schedules/schedules.mk
include tests/delays/delays.mk

.PHONY: check check-all check-tiny check-hosts check-now check-unit check-e2e check-build bench-build
-include $(UNIT_TESTS:%=%.d)
