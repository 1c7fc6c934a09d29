# fuzz.mk - the fuzz targets: all that reads files, with clang's libFuzzer, ASan and UBSan; part of tests.mk.
#
#   make fuzz             builds tests/fuzz/fuzz_*.c into build/fuzz/
#   tests/fuzz/run        runs them for long (tests/e2e/test_fuzz.sh does for some seconds each)

FUZZ_CC       := clang
FUZZ_SANITIZE := address,undefined
FUZZ_FLAGS    := -O1 -g -fno-omit-frame-pointer -fsanitize=$(FUZZ_SANITIZE) -fno-sanitize-recover=all
FUZZ_DIRS     := tests/fuzz preload $(ANALYZER_DIRS) format
FUZZ_SRC      := $(wildcard tests/fuzz/fuzz_*.c)
FUZZERS       := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/fuzz/%)
FUZZ_OBJ      := $(FORMAT_SRC:%.c=$(B)/fuzz/obj/%.o) $(ANALYZER_SRC:%.c=$(B)/fuzz/obj/%.o)
# An archive, so that a target may bring a part of its own in place of one of the analyzer's.
FUZZ_PARTS    := $(B)/fuzz/analyzer.a

fuzz: $(FUZZERS) $(B)/fuzz/make_seed

$(B)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(BASE) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link $(addprefix -iquote ,$(sees_$(patsubst %/,%,$(dir $<)))) -MMD -MP -c -o $@ $<

# The targets have a main of their own.
$(B)/fuzz/obj/analyzer/main.o: BASE += -Dmain=analyzer_main -Wno-missing-prototypes

$(FUZZ_PARTS): $(FUZZ_OBJ)
	@rm -f $@
	ar rcs $@ $(FUZZ_OBJ)

$(FUZZERS): $(B)/fuzz/%: tests/fuzz/%.c $(FUZZ_PARTS)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(BASE) -Wno-missing-prototypes $(FUZZ_FLAGS) -fsanitize=fuzzer $(addprefix -iquote ,$(FUZZ_DIRS)) -MMD -MP \
		-o $@ $< $(FUZZ_PARTS) $(LDFLAGS) $(ANALYZER_LIBS)

$(B)/fuzz/make_seed: tests/fuzz/make_seed.c $(FUZZ_PARTS)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(BASE) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link $(addprefix -iquote ,$(FUZZ_DIRS)) -MMD -MP \
		-o $@ $< $(FUZZ_PARTS) $(LDFLAGS) $(ANALYZER_LIBS)

.PHONY: fuzz
-include $(FUZZ_OBJ:.o=.d) $(FUZZERS:%=%.d)
