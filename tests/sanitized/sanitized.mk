# sanitized.mk - the analyzer and its unit tests with ASan and UBSan, the recorder and what the
# analyzer's threads share with TSan; part of tests.mk.
#
#   make sanitized         builds build/asan (as build, its mprof-c sanitized) and build/tsan
#   make check-sanitized   the whole suite with that mprof-c, whose runtime need not be the first library, as
#                          cases preload others into it
#
# The recorder stays as it is where it is preloaded: a sanitizer wants to be first in a program.

ASAN         := $(B)/asan
ASAN_MAKE     = $(MAKE) --no-print-directory B=$(ASAN) SANITIZE=address,undefined CFLAGS="-O1 -g"
ASAN_UNIT    := $(filter-out $(RECORDER_TESTS),$(UNIT_TESTS))
TSAN_FLAGS   := -O1 -g -fsanitize=thread -Wno-tsan -include tests/sanitized/seen_calls.h
TSAN_SRC     := $(FORMAT_SRC) $(filter-out preload/interpose% preload/real.c preload/host.c preload/own_text.c preload/own_libc.c,$(PRELOAD_SRC))
TSAN_OBJ     := $(TSAN_SRC:%.c=$(B)/tsan/%.o)
# A test takes as much longer.
PATIENCE     := 4

sanitized: all $(UNIT_TESTS) $(VICTIMS) $(ALLOCATORS) $(B)/tsan/recorder_threads $(B)/tsan/xalloc_threads
	+@$(ASAN_MAKE) $(ASAN)/mprof-c $(ASAN_UNIT:$(B)/%=$(ASAN)/%)
	@ln -sfn ../libmprof.so $(ASAN)/libmprof.so
	@ln -sfn ../../tests/programs $(ASAN)/tests/programs
	@ln -sfn ../schedules $(ASAN)/schedules
	@ln -sfn ../delays $(ASAN)/delays
	@for each in $(notdir $(RECORDER_TESTS)); do ln -sfn ../../../tests/unit/$$each $(ASAN)/tests/unit/$$each; done

check-sanitized: sanitized fuzz schedules delays
	@ASAN_OPTIONS=verify_asan_link_order=0 $(RUN_TESTS)/asan --patience $(PATIENCE) unit e2e

$(B)/tsan/%.o: %.c tests/sanitized/seen_calls.h
	@mkdir -p $(@D)
	$(CC) $(BASE) $(PRELOAD_FLAGS) $(TSAN_FLAGS) $(addprefix -iquote ,$(sees_preload)) -MMD -MP -c -o $@ $<

$(B)/tsan/recorder_threads: tests/sanitized/recorder_threads.c $(TSAN_OBJ)
	@mkdir -p $(@D)
	$(CC) $(BASE) $(PRELOAD_FLAGS) $(TSAN_FLAGS) $(addprefix -iquote ,$(sees_preload)) -MMD -MP \
		-o $@ $< $(TSAN_OBJ) $(LDFLAGS) -lpthread -ldl

$(B)/tsan/xalloc_threads: tests/sanitized/xalloc_threads.c analyzer/model/xalloc.c analyzer/model/xalloc.h
	@mkdir -p $(@D)
	$(CC) $(BASE) -O1 -g -fsanitize=thread -iquote analyzer/model -o $@ $(filter %.c,$^) $(LDFLAGS) -lpthread

.PHONY: sanitized check-sanitized
-include $(TSAN_OBJ:.o=.d) $(B)/tsan/recorder_threads.d
