# Fuzz targets for every parser of untrusted bytes in the core: tests/fuzz/<target>.cpp. Included after unit.mk.
#
#   make fuzz FUZZ_SECONDS=60               each target under libFuzzer, from its seeds; needs clang++
#   make fuzz FUZZ_TARGETS=roots            one target
# The seeds alone, with all their one-byte changes and cuts, run with `make check-unit`, built by the ordinary compiler.

FUZZ_SECONDS ?= 60
FUZZ_CXX ?= clang++
fuzz_all_targets := $(patsubst tests/fuzz/%.cpp,%,$(filter-out %/support.cpp %/replay.cpp,$(wildcard tests/fuzz/*.cpp)))
fuzz_core := $(patsubst src/%.cpp,%,$(wildcard src/core/*/*.cpp))
FUZZ_TARGETS ?= $(fuzz_all_targets)
fuzz_build := $(BUILD)/fuzz
fuzz_sanitizers := -fsanitize=address,undefined -fno-sanitize-recover=all
fuzz_cxxflags = $(filter-out -O2 -D_FORTIFY_SOURCE=2,$(VISAGE_CXXFLAGS)) -O1

.PHONY: fuzz fuzz-programs

fuzz: fuzz-programs $(fuzz_build)/seeds ## libFuzzer on every parser of the core: FUZZ_SECONDS a target
	@set -e; for target in $(FUZZ_TARGETS); do \
	  mkdir -p $(fuzz_build)/corpus/$$target; \
	  echo "fuzz: $$target for $(FUZZ_SECONDS) s" >&2; \
	  $(fuzz_build)/$$target -max_total_time=$(FUZZ_SECONDS) -max_len=10300 -print_final_stats=1 -verbosity=0 \
	    -artifact_prefix=$(fuzz_build)/$$target- $(fuzz_build)/corpus/$$target $(fuzz_build)/seeds/$$target; \
	done

fuzz-programs:
	@command -v $(FUZZ_CXX) > /dev/null || { echo "fuzz: $(FUZZ_CXX) is not installed; libFuzzer needs it. \
	Install it (Debian: apt-get install clang libclang-rt-14-dev) or set FUZZ_CXX." >&2; exit 1; }
	@$(MAKE) --no-print-directory $(FUZZ_TARGETS:%=$(fuzz_build)/%)

$(fuzz_build)/seeds: tests/fuzz/seeds.py $(wildcard tests/vectors/*.txt)
	@mkdir -p $@
	@tests/fuzz/seeds.py $@
	@touch $@

# The core once more under libFuzzer's instrumentation, and once under the ordinary compiler's sanitizers for the replay.
fuzz_core_objs := $(fuzz_core:%=$(fuzz_build)/libfuzzer/%.o) $(fuzz_build)/libfuzzer/fuzz/support.o
$(fuzz_build)/libfuzzer/core/%.o: src/core/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $< (libFuzzer)"
	@$(FUZZ_CXX) $(fuzz_cxxflags) -Wno-unknown-warning-option $(fuzz_sanitizers) -fsanitize=fuzzer-no-link -c -o $@ $<
$(fuzz_build)/libfuzzer/fuzz/%.o: tests/fuzz/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $< (libFuzzer)"
	@$(FUZZ_CXX) $(fuzz_cxxflags) -Wno-unknown-warning-option -DVISAGE_LIBFUZZER $(fuzz_sanitizers) -fsanitize=fuzzer-no-link -c -o $@ $<
$(fuzz_all_targets:%=$(fuzz_build)/%): $(fuzz_build)/%: $(fuzz_build)/libfuzzer/fuzz/%.o $(fuzz_core_objs)
	@echo "  LD   $@"
	@$(FUZZ_CXX) $(fuzz_sanitizers) -fsanitize=fuzzer -o $@ $^ -lcrypto

fuzz_replay_objs := $(fuzz_core:%=$(fuzz_build)/replay/%.o) \
	$(patsubst tests/%.cpp,$(fuzz_build)/replay/%.o,$(wildcard tests/fuzz/*.cpp))
$(fuzz_build)/replay/core/%.o: src/core/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $< (sanitizers)"
	@$(CXX) $(fuzz_cxxflags) $(fuzz_sanitizers) -c -o $@ $<
$(fuzz_build)/replay/fuzz/%.o: tests/fuzz/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $< (sanitizers)"
	@$(CXX) $(fuzz_cxxflags) -DFUZZ_SEEDS='"$(fuzz_build)/seeds"' $(fuzz_sanitizers) -c -o $@ $<
$(fuzz_replay): $(fuzz_replay_objs) | $(fuzz_build)/seeds
	@mkdir -p $(@D)
	@echo "  LD   $@"
	@$(CXX) $(fuzz_sanitizers) -o $@ $^ -lcrypto
