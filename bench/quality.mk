# make bench-quality [DATA=<folder with lfw-half.tar and nuaa-4-subjects.tar>]. Included through bench/bench.mk.

QUALITY := $(BUILD)/bench/quality
QUALITY_OBJS := $(patsubst bench/%.cpp,$(BUILD)/bench/%.o,$(wildcard bench/quality*.cpp))

$(QUALITY_OBJS): $(BUILD)/bench/%.o: bench/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $@" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) -Ibench $(CAPTURE_INCLUDES) -c -o $@ $<

# Puppets and depth maps are those of bench-liveness. The defects need OpenCV's encoder, which the product does not link.
$(QUALITY): $(QUALITY_OBJS) $(BUILD)/bench/liveness_puppet.o $(BUILD)/bench/liveness_depth.o $(CAPTURE_LIB) $(CORE_LIB)
	@echo "  CXX  $@" >&2
	@$(CXX) -o $@ $^ $(CAPTURE_LIBS) -lopencv_imgcodecs

.PHONY: bench-quality
bench-quality: $(QUALITY) ## quality measures against made defects, their times, and pass rates on DATA=<folder>; some minutes
	@bench/quality_run "$(QUALITY)" models "$(DATA)"
