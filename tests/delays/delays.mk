# delays.mk - a recorder and an analyzer that stand still where they are told to; part of tests.mk.
#
#   make delays     builds build/delays/libmprof.so and build/delays/mprof-c (delays.c says how they are told)

DELAYS      := $(B)/delays
DELAYS_MAKE  = $(MAKE) --no-print-directory B=$(DELAYS) CFLAGS="$(CFLAGS) -DMPROF_POINTS"

delays: $(DELAYS)/pic/tests/delays/delays.o
	+@$(DELAYS_MAKE) POINTS=$(DELAYS)/pic/tests/delays/delays.o $(DELAYS)/libmprof.so $(DELAYS)/mprof-c

$(DELAYS)/pic/tests/delays/delays.o: tests/delays/delays.c preload/arch_x86_64.h format/points.h
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) -DMPROF_POINTS $(PRELOAD_FLAGS) $(LIBRARY_FLAGS) -iquote preload -iquote format -c -o $@ $<

.PHONY: delays
