# The capture pipeline and its quality measures as a static library. Included by the top-level Makefile; gives CAPTURE_LIB, what it links with
# (CAPTURE_LIBS) and, for whoever includes its internal headers, CAPTURE_INCLUDES.

capture_dir := src/sidecar/capture
CAPTURE_LIB := $(BUILD)/libvisage_capture.a
CAPTURE_SOURCES := $(wildcard $(capture_dir)/*.cpp src/sidecar/quality/*.cpp src/sidecar/liveness/*.cpp)
CAPTURE_OBJS := $(CAPTURE_SOURCES:src/%.cpp=$(BUILD)/%.o)
# ONNX Runtime is opened at run time: only its headers are needed, and `make setup` puts them there.
CAPTURE_INCLUDES := -isystem /usr/include/opencv4 -isystem models/runtime/include
CAPTURE_LIBS := -lopencv_imgproc -lopencv_core -ljpeg -lpng -lwebp -lcrypto -ldl -pthread

$(CAPTURE_OBJS): $(BUILD)/%.o: src/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) $(CAPTURE_INCLUDES) -c -o $@ $<

$(CAPTURE_LIB): $(CAPTURE_OBJS)
	@rm -f $@
	@ar rcs $@ $^

# The unit tests make their pictures with OpenCV's encoders, which the product does not link.
$(BUILD)/tests/unit_capture: CAPTURE_LIBS += $(CORE_LIB) -lopencv_imgcodecs
$(BUILD)/tests/unit_capture: $(CORE_LIB)
