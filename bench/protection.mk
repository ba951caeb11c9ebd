# make bench-protection DATA=<folder with lfw-half.tar or lfw-half-sface.f32> [SEED=<number>].

PROTECTION := $(BUILD)/bench/protection
PROTECTION_OBJS := $(patsubst bench/%.cpp,$(BUILD)/bench/%.o,$(wildcard bench/protection*.cpp))
# Pictures and their remembered features are read as make bench-accuracy does it, and rare events bounded.
PROTECTION_SHARED := $(BUILD)/bench/accuracy_dataset.o $(BUILD)/bench/accuracy_features.o $(BUILD)/bench/accuracy_rates.o

$(PROTECTION_OBJS): $(BUILD)/bench/%.o: bench/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $@" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) -Ibench -c -o $@ $<

$(PROTECTION): $(PROTECTION_OBJS) $(PROTECTION_SHARED) $(CAPTURE_LIB) $(CORE_LIB)
	@echo "  CXX  $@" >&2
	@$(CXX) -o $@ $^ $(CAPTURE_LIBS)

.PHONY: bench-protection
bench-protection: $(PROTECTION) ## what a thief of each level gets: unlinkability, renewability, irreversibility
	@$(PROTECTION) "$(DATA)" models $(BUILD)/bench/protection.svg $(SEED)
