# mprof-c: make, make demo, make check, make install PREFIX= DESTDIR=
#
# Who may include whom (doc/internals.md) is enforced here: a folder compiles with -iquote for itself,
# format/ and what it may see, and nothing else.

VERSION  := 0.1.0
CC       ?= gcc
CFLAGS   ?= -O2 -g
PREFIX   ?= /usr/local
B        := build
# An object with point() (format/points.h), where the build has points (make delays).
POINTS   :=
# Sanitizers of the analyzer and its tests (make sanitized); the recorder, a guest in others, goes without.
SANITIZE :=

WARN     := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes
BASE     := -std=gnu17 -D_GNU_SOURCE -DMPROF_VERSION='"$(VERSION)"' $(WARN)

sees_format           := format
sees_preload          := preload format include
sees_analyzer         := analyzer analyzer/commands analyzer/views format
sees_analyzer/commands:= analyzer/commands analyzer analyzer/capture analyzer/views analyzer/export analyzer/model analyzer/symbols format
sees_analyzer/capture := analyzer/capture analyzer/model analyzer/symbols format
sees_analyzer/model   := analyzer/model
sees_analyzer/symbols := analyzer/symbols format
sees_analyzer/views   := analyzer/views analyzer/model
sees_analyzer/export  := analyzer/export analyzer/model

ANALYZER_DIRS := analyzer analyzer/commands analyzer/capture analyzer/model analyzer/symbols analyzer/views analyzer/export
FORMAT_SRC    := $(wildcard format/*.c)
PRELOAD_SRC   := $(wildcard preload/*.c)
ANALYZER_SRC  := $(foreach d,$(ANALYZER_DIRS),$(wildcard $(d)/*.c))

PRELOAD_FLAGS  := -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-omit-frame-pointer -fno-optimize-sibling-calls -fno-stack-protector
# No vector registers: a host's stack may be aligned to 8 bytes only; and a struct copied by vectors right
# after it was written word by word waits for the store buffer (20 ns an event in the walk).
# No procedure linkage table: an auditor's la_pltexit would stand between us and dlsym, which then takes
# ld.so for the caller of RTLD_NEXT and crashes.
LIBRARY_FLAGS  := -mgeneral-regs-only -fno-plt
ANALYZER_FLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
ANALYZER_LIBS  := -ldw -lelf -llzma -lzstd -liberty -lpthread -lm

PRELOAD_OBJ    := $(FORMAT_SRC:%.c=$(B)/pic/%.o) $(PRELOAD_SRC:%.c=$(B)/pic/%.o)
ANALYZER_OBJ   := $(FORMAT_SRC:%.c=$(B)/obj/%.o) $(ANALYZER_SRC:%.c=$(B)/obj/%.o)
# All but main.o: what the unit tests link with.
ANALYZER_PARTS := $(filter-out $(B)/obj/analyzer/main.o,$(ANALYZER_OBJ))

all: $(B)/libmprof.so $(B)/mprof-c

$(B)/libmprof.so: $(PRELOAD_OBJ) preload/libmprof.map
	$(CC) -shared -nostartfiles -Wl,-soname,libmprof.so -Wl,--version-script=preload/libmprof.map -Wl,-z,defs -Wl,-z,now -Wl,-z,separate-code -o $@ $(PRELOAD_OBJ) $(POINTS) $(LDFLAGS)

$(B)/mprof-c: $(ANALYZER_OBJ)
	$(CC) $(ANALYZER_FLAGS) -Wl,--export-dynamic-symbol=mprof_c_is_left_alone -o $@ $(ANALYZER_OBJ) $(POINTS) $(LDFLAGS) $(ANALYZER_LIBS)

# Our elf_begin asks dlsym for the next one, which must see who asks: see LIBRARY_FLAGS.
$(B)/obj/analyzer/symbols/elf_load.o: ANALYZER_FLAGS += -fno-plt

# Where nothing is to be recorded hooks are jumps: our frame must not stand between caller and provider. Nor may
# one of popen, which allocates, or of syscall, from which a raw clone's child returns on a stack of its own.
# And where it is cramped, no frame may be larger than it must (preload/record.c).
$(B)/pic/preload/record.o $(B)/pic/preload/interpose.o $(B)/pic/preload/interpose_map.o $(B)/pic/preload/interpose_space.o $(B)/pic/preload/interpose_cxx.o $(B)/pic/preload/interpose_loader.o $(B)/pic/preload/interpose_process.o: PRELOAD_FLAGS += -foptimize-sibling-calls

# The compiler must not take the loops of strlen for calls of strlen.
$(B)/pic/preload/own_text.o: PRELOAD_FLAGS += -ffreestanding -fno-tree-loop-distribute-patterns

$(B)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) $(PRELOAD_FLAGS) $(LIBRARY_FLAGS) $(addprefix -iquote ,$(sees_$(patsubst %/,%,$(dir $<)))) -MMD -MP -c -o $@ $<

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) $(ANALYZER_FLAGS) $(addprefix -iquote ,$(sees_$(patsubst %/,%,$(dir $<)))) -MMD -MP -c -o $@ $<

# Set up what is missing, build, record a real program at real work, and say where the plot lies.
demo:
	scripts/setup
	@$(MAKE) --no-print-directory all
	@scripts/demo $(B)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/man/man7 $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 755 $(B)/mprof-c $(DESTDIR)$(PREFIX)/bin/mprof-c
	install -m 755 $(B)/libmprof.so $(DESTDIR)$(PREFIX)/lib/libmprof.so
	install -m 644 doc/mprof-c.1 $(DESTDIR)$(PREFIX)/share/man/man1/mprof-c.1
	install -m 644 doc/libmprof.7 $(DESTDIR)$(PREFIX)/share/man/man7/libmprof.7
	install -m 644 scripts/mprof-c.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mprof-c

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/mprof-c $(DESTDIR)$(PREFIX)/lib/libmprof.so \
		$(DESTDIR)$(PREFIX)/share/man/man1/mprof-c.1 $(DESTDIR)$(PREFIX)/share/man/man7/libmprof.7 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/mprof-c

clean:
	rm -rf $(B)

.PHONY: all demo install uninstall clean
.DELETE_ON_ERROR:
-include $(PRELOAD_OBJ:.o=.d) $(ANALYZER_OBJ:.o=.d)
include tests/tests.mk
