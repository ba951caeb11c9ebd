# make bench-liveness DATA=<folder with nuaa-4-subjects.tar> [STEP=4] [PARTS="nuaa pictures light grain films depth"]. Included through bench/bench.mk.

LIVENESS_BENCH := $(BUILD)/bench/liveness
LIVENESS_OBJS := $(patsubst bench/%.cpp,$(BUILD)/bench/%.o,$(wildcard bench/liveness*.cpp))

$(LIVENESS_OBJS): $(BUILD)/bench/%.o: bench/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $@" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) -Ibench $(CAPTURE_INCLUDES) -c -o $@ $<

# Presentations are made with OpenCV's encoder, which the product does not link.
$(LIVENESS_BENCH): $(LIVENESS_OBJS) $(BUILD)/bench/accuracy_dataset.o $(BUILD)/bench/quality_faces.o $(CAPTURE_LIB) $(CORE_LIB)
	@echo "  CXX  $@" >&2
	@$(CXX) -o $@ $^ $(CAPTURE_LIBS) -lopencv_imgcodecs

.PHONY: bench-liveness
bench-liveness: $(LIVENESS_BENCH) ## APCER by species and BPCER on made presentations and on DATA=<folder>; some minutes
	@$(LIVENESS_BENCH) models "$(if $(DATA),$(DATA)/nuaa-4-subjects.tar)" $(or $(STEP),4) $(LIVENESS_BENCH).finished $(PARTS)
