# make bench-gallery
GALLERY := $(BUILD)/bench/gallery

GALLERY_OBJS := $(BUILD)/bench/gallery.o $(BUILD)/bench/gallery_pass.o

$(GALLERY_OBJS): $(BUILD)/bench/%.o: bench/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) -fopenmp -I. -Ibench -c -o $@ $<
$(GALLERY): $(GALLERY_OBJS) $(CORE_LIB)
	@$(CXX) -o $@ $^ -lfaiss -lblas -llapack -fopenmp -lcrypto

# The approximate indexes, with people made like those of DATA. A million takes several minutes to build, so it is asked for: N=.
GALLERY_INDEX_BENCH := $(BUILD)/bench/gallery_index
GALLERY_INDEX_BENCH_OBJS := $(BUILD)/bench/gallery_index.o $(BUILD)/bench/gallery_index_people.o

$(GALLERY_INDEX_BENCH_OBJS): $(BUILD)/bench/%.o: bench/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) -I. -Ibench -c -o $@ $<
$(GALLERY_INDEX_BENCH): $(GALLERY_INDEX_BENCH_OBJS) $(GALLERY_INDEX_LIB) $(CORE_LIB)
	@$(CXX) -o $@ $^ $(FAISS_LIBS) -lcrypto

.PHONY: bench-gallery-index
bench-gallery-index: $(GALLERY_INDEX_BENCH) ## HNSW and IVF against the exact scan of N codes (100000): recall, time, memory
	@$(GALLERY_INDEX_BENCH) "$(DATA)" $(or $(N),100000)

GALLERY_ROWS := $(BUILD)/bench/gallery_rows
$(GALLERY_ROWS): bench/gallery_rows.cpp $(CORE_LIB)
	@mkdir -p $(@D)
	@echo "  CXX  $<" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) -I. -Ibench -o $@ $< $(CORE_LIB) -lcrypto

.PHONY: bench-gallery-memory
bench-gallery-memory: $(GALLERY_ROWS) install-server ## galleries in memory: filling, searching in SQL, freshness, beside registrations; ROWS=, some minutes
	@/usr/bin/python3 -B bench/gallery_memory.py $(GALLERY_ROWS)

.PHONY: bench-gallery
bench-gallery: $(GALLERY) $(GALLERY_INDEX_BENCH) $(GALLERY_ROWS) install-server ## galleries: scan, indexes, memory, identification; many minutes
	@$(GALLERY)
	@/usr/bin/python3 -B bench/gallery_sql.py $(GALLERY)
	@env -u ROWS /usr/bin/python3 -B bench/gallery_duplicates.py
	@$(GALLERY_INDEX_BENCH) "$(DATA)" $(or $(N),100000)
	@/usr/bin/python3 -B bench/gallery_memory.py $(GALLERY_ROWS)
	@ROWS="$(or $(ROWS),1000000)" /usr/bin/python3 -B bench/gallery_identify.py $(GALLERY_ROWS)

.PHONY: bench-identify
bench-identify: $(GALLERY_ROWS) install-server ## identification end to end in SQL: ROWS="10000 100000 1000000" sizes; with DATA=<folder> how often it is wrong on faces
	@/usr/bin/python3 -B bench/gallery_identify.py $(GALLERY_ROWS)
