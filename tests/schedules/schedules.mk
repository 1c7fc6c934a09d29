# schedules.mk - recorder and collector in one program, in every order of their steps; part of tests.mk.
#
#   make schedules     builds build/schedules/schedules (see there)
#
# Chunks and windows are small, so that a few events fill them.

SCHEDULES       := $(B)/schedules
SCHEDULES_SMALL := -DMPROF_POINTS -DWINDOW_BYTES=16384 -DSLOT_BYTES=4096 -DSLOT_BYTES_LARGE=8192 -DMANY_NUMBERS=8 -DWINDOWS_FROM=4096 -DDEEP_PART=1
SCHEDULES_REC   := $(filter-out preload/interpose% preload/real.c preload/host.c preload/vdso.c preload/life.c preload/own_text.c preload/own_libc.c,$(PRELOAD_SRC))
SCHEDULES_OWN   := tests/schedules/world.c tests/schedules/scenarios.c tests/schedules/stand_ins.c
SCHEDULES_OBJ   := $(SCHEDULES_REC:%.c=$(SCHEDULES)/%.o) $(SCHEDULES_OWN:%.c=$(SCHEDULES)/%.o) \
	$(filter-out $(SCHEDULES)/analyzer/main.o,$(ANALYZER_SRC:%.c=$(SCHEDULES)/%.o)) $(FORMAT_SRC:%.c=$(SCHEDULES)/%.o) \
	$(SCHEDULES)/tests/schedules/schedules.o

schedules: $(SCHEDULES)/schedules

$(SCHEDULES)/preload/%.o: preload/%.c tests/schedules/yields.h
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) $(PRELOAD_FLAGS) $(SCHEDULES_SMALL) -include tests/schedules/yields.h \
		$(addprefix -iquote ,$(sees_preload)) -MMD -MP -c -o $@ $<

$(SCHEDULES_OWN:%.c=$(SCHEDULES)/%.o): $(SCHEDULES)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) $(PRELOAD_FLAGS) $(SCHEDULES_SMALL) $(addprefix -iquote ,tests/schedules $(sees_preload)) -MMD -MP -c -o $@ $<

$(SCHEDULES)/analyzer/%.o: analyzer/%.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) -DMPROF_POINTS $(addprefix -iquote ,$(sees_$(patsubst %/,%,$(dir $<)))) -MMD -MP -c -o $@ $<

$(SCHEDULES)/format/%.o: format/%.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) -iquote format -MMD -MP -c -o $@ $<

$(SCHEDULES)/tests/schedules/schedules.o: tests/schedules/schedules.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) -DMPROF_POINTS $(addprefix -iquote ,tests/schedules $(sees_analyzer/capture)) -MMD -MP -c -o $@ $<

$(SCHEDULES)/schedules: $(SCHEDULES_OBJ)
	$(CC) -Wl,--wrap=start_facts_read,--wrap=boot_clock_ns,--wrap=clock_gettime -o $@ $(SCHEDULES_OBJ) $(LDFLAGS) $(ANALYZER_LIBS) -ldl

.PHONY: schedules
-include $(SCHEDULES_OBJ:.o=.d)
