# make bench-score
SCORE := $(BUILD)/bench/score

SCORE_OBJS := $(BUILD)/bench/score.o $(BUILD)/bench/score_eigen.o

$(SCORE_OBJS): $(BUILD)/bench/%.o: bench/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) -I. -Ibench -c -o $@ $<
$(SCORE): $(SCORE_OBJS) $(CORE_LIB)
	@$(CXX) -o $@ $^ -lcrypto

.PHONY: bench-score
bench-score: $(SCORE) install-server ## cost of a comparison: in C++ against its cryptographic floor, in SQL against pgcrypto
	@$(SCORE)
	@/usr/bin/python3 -B bench/score_sql.py
