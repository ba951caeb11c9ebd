# The extension under valgrind. Included by tests/tests.mk. Two minutes, and valgrind is an optional package: not part
# of `make check`.

# Tests of check-memory; empty: all.
MEMORY_TESTS ?=

.PHONY: check-memory

check-memory: all ## SQL tests with the server under valgrind; MEMORY_TESTS="probe match" for some
	@tests/memory/check $(MEMORY_TESTS)
