# make bench-gallery
GALLERY := $(BUILD)/bench/gallery

GALLERY_OBJS := $(BUILD)/bench/gallery.o $(BUILD)/bench/gallery_pass.o

$(GALLERY_OBJS): $(BUILD)/bench/%.o: bench/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) -fopenmp -I. -Ibench -c -o $@ $<
$(GALLERY): $(GALLERY_OBJS) $(CORE_LIB)
	@$(CXX) -o $@ $^ -lfaiss -lblas -llapack -fopenmp -lcrypto

GALLERY_ROWS := $(BUILD)/bench/gallery_rows
$(GALLERY_ROWS): bench/gallery_rows.cpp $(CORE_LIB)
	@mkdir -p $(@D)
	@echo "  CXX  $<" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) -I. -Ibench -o $@ $< $(CORE_LIB) -lcrypto

.PHONY: bench-gallery bench-gallery-memory
bench-gallery-memory: $(GALLERY_ROWS) install-server ## galleries in memory: filling, searching in SQL, freshness, beside registrations; ROWS=, some minutes
	@/usr/bin/python3 -B bench/gallery_memory.py $(GALLERY_ROWS)
bench-gallery: $(GALLERY) install-server ## exact search of a gallery against a pass of popcount, FAISS and SQL's bit_count; a minute or two
	@$(GALLERY)
	@/usr/bin/python3 -B bench/gallery_sql.py $(GALLERY)
	@/usr/bin/python3 -B bench/gallery_duplicates.py
