# make bench-score
SCORE := $(BUILD)/bench/score

$(BUILD)/bench/score.o: bench/score.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) -I. -c -o $@ $<
$(SCORE): $(BUILD)/bench/score.o $(CORE_LIB)
	@$(CXX) -o $@ $^ -lcrypto

.PHONY: bench-score
bench-score: $(SCORE) install-server ## cost of a comparison: in C++ against its cryptographic floor, in SQL against pgcrypto
	@$(SCORE)
	@/usr/bin/python3 -B bench/score_sql.py
