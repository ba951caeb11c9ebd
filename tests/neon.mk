# The NEON kernels, run: the kernel test cross-compiled for 64-bit ARM and run by qemu's user-mode emulation, with
# GoogleTest from Debian's sources, so that no ARM library is needed. Not part of `make check`: its packages are optional.

NEON_CXX ?= aarch64-linux-gnu-g++
NEON_RUN ?= qemu-aarch64-static
NEON_GTEST ?= /usr/src/googletest/googletest
neon_build := $(BUILD)/neon
neon_sources := $(wildcard src/core/reference/kernels*.cpp src/core/gallery/search*.cpp) src/core/reference/rotation.cpp \
  tests/unit/core/kernels_test.cpp tests/unit/core/gallery_search_test.cpp
neon_objs := $(neon_sources:%.cpp=$(neon_build)/%.o)

.PHONY: check-neon

# The NEON level has to run there: a skipped test of it is a failure.
check-neon: ## the ARM kernels against the scalar ones, under emulation
	@missing=; for tool in "$(NEON_CXX)" "$(NEON_RUN)"; do command -v $$tool > /dev/null || missing="$$missing $$tool"; done; \
	[ -f $(NEON_GTEST)/src/gtest-all.cc ] || missing="$$missing $(NEON_GTEST)"; \
	[ -z "$$missing" ] || { echo "check-neon: missing:$$missing. Debian: apt-get install g++-aarch64-linux-gnu \
	qemu-user-static libgtest-dev (tools/setup --optional)" >&2; exit 1; }
	@$(MAKE) --no-print-directory $(neon_build)/kernels_test
	@output=$$($(NEON_RUN) $(neon_build)/kernels_test --gtest_filter=*/Neon 2>&1); status=$$?; echo "$$output"; \
	ran=$$(echo "$$output" | grep -c '^\[       OK \] .*/Neon'); all=$$(echo "$$output" | grep -c '^\[ RUN      \] .*/Neon'); \
	echo "$$ran passed, $$((all - ran)) failed"; [ $$status = 0 ] && [ "$$ran" = "$$all" ] && [ "$$ran" -gt 0 ]

$(neon_objs): $(neon_build)/%.o: %.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $< (aarch64)" >&2
	@$(NEON_CXX) $(VISAGE_CXXFLAGS) -isystem $(NEON_GTEST)/include -c -o $@ $<
$(neon_build)/gtest.o: $(NEON_GTEST)/src/gtest-all.cc
	@mkdir -p $(@D)
	@$(NEON_CXX) -std=c++20 -O1 -I$(NEON_GTEST) -I$(NEON_GTEST)/include -c -o $@ $<
$(neon_build)/gtest_main.o: $(NEON_GTEST)/src/gtest_main.cc
	@mkdir -p $(@D)
	@$(NEON_CXX) -std=c++20 -O1 -I$(NEON_GTEST)/include -c -o $@ $<
$(neon_build)/kernels_test: $(neon_objs) $(neon_build)/gtest.o $(neon_build)/gtest_main.o
	@echo "  LD   $@ (aarch64)" >&2
	@$(NEON_CXX) -static -o $@ $^ -pthread
