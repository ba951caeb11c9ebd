# Unit tests of the core, the capture pipeline and the benchmarks' statistics. Included by tests/tests.mk; CORE_LIB, the flags and BUILD are the
# top-level Makefile's, CAPTURE_LIB and its flags the capture pipeline's fragment's.

unit_core_objs := $(patsubst tests/%.cpp,$(BUILD)/tests/%.o,$(wildcard tests/unit/core/*.cpp))
unit_capture_objs := $(patsubst tests/%.cpp,$(BUILD)/tests/%.o,$(wildcard tests/unit/sidecar/*.cpp))
unit_bench_objs := $(patsubst tests/%.cpp,$(BUILD)/tests/%.o,$(wildcard tests/unit/bench/*.cpp))
unit_gallery_index_objs := $(patsubst tests/%.cpp,$(BUILD)/tests/%.o,$(wildcard tests/unit/gallery_index/*.cpp))
# What of src/pg can be tested without a server: an object of its own and the test, which stands for the server.
unit_pg_objs := $(patsubst tests/%.cpp,$(BUILD)/tests/%.o,$(wildcard tests/unit/pg/*.cpp)) $(BUILD)/tests/unit/pg/gallery_places.o
# What sums the benchmarks' scores up, without what makes them.
unit_bench_tested := $(addprefix $(BUILD)/bench/,accuracy_dataset.o accuracy_rates.o accuracy_trials.o liveness_cache.o liveness_puppet.o protection_dsys.o \
	protection_linkage.o protection_report.o)
# Of the daemon's flows what keeps things between two requests.
unit_desks := sidecar/flow/capture_desk sidecar/flow/frame_desk sidecar/flow/photo_desk
unit_programs := $(BUILD)/tests/unit_core $(BUILD)/tests/unit_gallery_index $(BUILD)/tests/unit_pg $(if $(unit_bench_objs),$(BUILD)/tests/unit_bench) $(if $(unit_capture_objs),$(BUILD)/tests/unit_capture)
vector_generator := $(BUILD)/tests/generate_vectors

.PHONY: unit-tests check-unit check-vectors vectors

unit-tests: $(unit_programs)

check-unit: unit-tests ## unit tests, known-answer vectors
	@tests/unit/run $(unit_programs) tests/vectors/check.py

check-vectors: ## known-answer vectors against docs/formats.md, without any of our code
	@tests/vectors/check.py

# Once for a new format version; a file that is there is never written again.
vectors: $(vector_generator)
	@$< tests/vectors

$(unit_core_objs) $(BUILD)/tests/vectors/generate.o: $(BUILD)/tests/%.o: tests/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<"
	@$(CXX) $(VISAGE_CXXFLAGS) -Itests/unit/core -DVISAGE_VECTORS='"tests/vectors"' -c -o $@ $<
$(unit_bench_objs): $(BUILD)/tests/%.o: tests/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<"
	@$(CXX) $(VISAGE_CXXFLAGS) -I. -Ibench $(CAPTURE_INCLUDES) -c -o $@ $<
$(unit_gallery_index_objs): $(BUILD)/tests/%.o: tests/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<"
	@$(CXX) $(VISAGE_CXXFLAGS) -Itests/unit/core -Itests/unit/gallery_index -c -o $@ $<
$(BUILD)/tests/unit/pg/gallery_places.o: src/pg/gallery_places.cpp
$(filter %_test.o,$(unit_pg_objs)): $(BUILD)/tests/%.o: tests/%.cpp
$(unit_pg_objs):
	@mkdir -p $(@D)
	@echo "  CXX  $<"
	@$(CXX) $(VISAGE_CXXFLAGS) -isystem $(shell $(PG_CONFIG) --includedir-server) -c -o $@ $<
$(unit_capture_objs): $(BUILD)/tests/%.o: tests/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<"
	@$(CXX) $(VISAGE_CXXFLAGS) $(CAPTURE_INCLUDES) -c -o $@ $<

$(BUILD)/tests/unit_core: $(unit_core_objs) $(CORE_LIB)
	@echo "  LD   $@"
	@$(CXX) -o $@ $^ -lgtest -lgtest_main -lcrypto
$(BUILD)/tests/unit_gallery_index: $(unit_gallery_index_objs) $(BUILD)/tests/unit/core/support.o $(GALLERY_INDEX_LIB) $(CORE_LIB)
	@echo "  LD   $@"
	@$(CXX) -o $@ $^ -lgtest -lgtest_main -lcrypto $(FAISS_LIBS)
$(BUILD)/tests/unit_pg: $(unit_pg_objs) $(CORE_LIB)
	@echo "  LD   $@"
	@$(CXX) -o $@ $^ -lgtest -lgtest_main -lcrypto
$(BUILD)/tests/unit_bench: $(unit_bench_objs) $(unit_bench_tested) $(BUILD)/tests/unit/sidecar/quality_face.o $(CAPTURE_LIB) $(CORE_LIB)
	@echo "  LD   $@"
	@$(CXX) -o $@ $^ -lgtest -lgtest_main $(CAPTURE_LIBS)
$(BUILD)/tests/unit_capture: $(unit_capture_objs) $(unit_desks:%=$(BUILD)/%.o) $(CAPTURE_LIB) $(CORE_LIB)
	@echo "  LD   $@"
	@$(CXX) -o $@ $^ -lgtest -lgtest_main $(CAPTURE_LIBS)
$(vector_generator): $(BUILD)/tests/vectors/generate.o $(addprefix $(BUILD)/tests/unit/core/,support.o vectors.o) $(CORE_LIB)
	@echo "  LD   $@"
	@$(CXX) -o $@ $^ -lgtest -lcrypto
