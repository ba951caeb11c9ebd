# make bench-accuracy DATA=<folder with lfw-half.tar>. Included through bench/bench.mk.

ACCURACY := $(BUILD)/bench/accuracy
ACCURACY_OBJS := $(patsubst bench/%.cpp,$(BUILD)/bench/%.o,$(wildcard bench/accuracy*.cpp))

$(ACCURACY_OBJS): $(BUILD)/bench/%.o: bench/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $@" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) -Ibench -c -o $@ $<

$(ACCURACY): $(ACCURACY_OBJS) $(CAPTURE_LIB) $(CORE_LIB)
	@echo "  CXX  $@" >&2
	@$(CXX) -o $@ $^ $(CAPTURE_LIBS)

.PHONY: bench-accuracy
bench-accuracy: $(ACCURACY) ## detection rate and error rates on DATA=<folder>, plots and calibration rows; some ten minutes the first time
	@$(ACCURACY) "$(DATA)" models $(BUILD)/bench
