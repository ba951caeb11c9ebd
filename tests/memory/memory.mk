# The extension under valgrind. Included by tests/tests.mk. All of it takes two minutes; `make check` runs the brief
# part where valgrind, an optional package, is installed.

# Tests of check-memory; empty: all.
MEMORY_TESTS ?=

# A server's start and end, the extension's creation, and the type whose bytes come from outside.
MEMORY_BRIEF := probe

.PHONY: check-memory check-memory-brief

check-memory: all ## SQL tests with the server under valgrind; MEMORY_TESTS="probe match" for some
	@tests/memory/check $(MEMORY_TESTS)
check-memory-brief: all ## of these the probe's, part of `make check` where valgrind is
	@tests/memory/check $(MEMORY_BRIEF)
