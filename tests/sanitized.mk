# Unit tests under AddressSanitizer and UndefinedBehaviorSanitizer, by the ordinary compiler. Included before
# fuzz.mk, whose replay is linked from the same objects.

ASAN := $(BUILD)/asan
asan_flags := -fsanitize=address,undefined -fno-sanitize-recover=all
asan_cxxflags = $(filter-out -O2 -D_FORTIFY_SOURCE=2,$(VISAGE_CXXFLAGS)) -O1 $(asan_flags) $(CAPTURE_INCLUDES) $(asan_more)
asan_core_objs := $(patsubst src/%.cpp,$(ASAN)/%.o,$(wildcard src/core/*/*.cpp))
asan_capture_objs := $(patsubst src/%.cpp,$(ASAN)/%.o,$(wildcard src/sidecar/capture/*.cpp src/sidecar/quality/*.cpp src/sidecar/liveness/*.cpp)) \
	$(unit_desks:%=$(ASAN)/%.o)
asan_unit_core_objs := $(patsubst tests/%.cpp,$(ASAN)/tests/%.o,$(wildcard tests/unit/core/*.cpp))
asan_unit_capture_objs := $(patsubst tests/%.cpp,$(ASAN)/tests/%.o,$(wildcard tests/unit/sidecar/*.cpp))
# FAISS itself is Debian's library, without the sanitizers.
asan_gallery_index_objs := $(patsubst src/%.cpp,$(ASAN)/%.o,$(wildcard src/gallery_index/*.cpp))
asan_unit_gallery_index_objs := $(patsubst tests/%.cpp,$(ASAN)/tests/%.o,$(wildcard tests/unit/gallery_index/*.cpp)) $(ASAN)/tests/unit/core/support.o
$(asan_gallery_index_objs): asan_more := -fopenmp
$(asan_unit_gallery_index_objs): asan_more := -Itests/unit/gallery_index
asan_programs := $(ASAN)/unit_core $(ASAN)/unit_gallery_index $(ASAN)/unit_capture

.PHONY: check-sanitized check-sanitized-core sanitized-core

# MatchResidue searches the whole process's memory for secrets: minutes here, and no memory fault of the core's.
asan_run = ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1 GTEST_FILTER=-*MatchResidue* \
	LSAN_OPTIONS=suppressions=tests/memory/lsan.supp:print_suppressions=0 tests/unit/run

check-sanitized: $(asan_programs) ## unit tests of the core, the galleries' indexes and the capture pipeline under ASan and UBSan
	@$(asan_run) $^
# The parsers and the cryptography, in seconds; the fuzz suite is linked from the same objects.
check-sanitized-core: sanitized-core ## of these the core's, part of `make check`
	@$(asan_run) $(ASAN)/unit_core
sanitized-core: $(ASAN)/unit_core

$(ASAN)/tests/%.o: tests/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $< (sanitizers)" >&2
	@$(CXX) $(asan_cxxflags) -Itests/unit/core -DVISAGE_VECTORS='"tests/vectors"' -c -o $@ $<
$(ASAN)/%.o: src/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $< (sanitizers)" >&2
	@$(CXX) $(asan_cxxflags) -c -o $@ $<

$(ASAN)/unit_core: $(asan_unit_core_objs) $(asan_core_objs)
	@echo "  LD   $@" >&2
	@$(CXX) $(asan_flags) -o $@ $^ -lgtest -lgtest_main -lcrypto
$(ASAN)/unit_gallery_index: $(asan_unit_gallery_index_objs) $(asan_gallery_index_objs) $(asan_core_objs)
	@echo "  LD   $@" >&2
	@$(CXX) $(asan_flags) -o $@ $^ -lgtest -lgtest_main -lcrypto $(FAISS_LIBS)
$(ASAN)/unit_capture: $(asan_unit_capture_objs) $(asan_capture_objs) $(asan_core_objs)
	@echo "  LD   $@" >&2
	@$(CXX) $(asan_flags) -o $@ $^ -lgtest -lgtest_main -lopencv_imgcodecs $(CAPTURE_LIBS)
