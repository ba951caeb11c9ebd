# What the browser tests' false cameras need. Included through tests/tests.mk.

BROWSER_PUPPET := $(BUILD)/tests/browser/puppet

$(BROWSER_PUPPET).o: tests/browser/puppet.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) -Ibench $(CAPTURE_INCLUDES) -c -o $@ $<

# Films are made with OpenCV's encoder, which the product does not link.
$(BROWSER_PUPPET): $(BROWSER_PUPPET).o $(BUILD)/bench/liveness_puppet.o $(CAPTURE_LIB) $(CORE_LIB)
	@echo "  LINK $@" >&2
	@$(CXX) -o $@ $^ $(CAPTURE_LIBS) -lopencv_imgcodecs
