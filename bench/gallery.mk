# make bench-gallery
GALLERY := $(BUILD)/bench/gallery

GALLERY_OBJS := $(BUILD)/bench/gallery.o $(BUILD)/bench/gallery_pass.o

$(GALLERY_OBJS): $(BUILD)/bench/%.o: bench/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) -fopenmp -I. -Ibench -c -o $@ $<
$(GALLERY): $(GALLERY_OBJS) $(CORE_LIB)
	@$(CXX) -o $@ $^ -lfaiss -lblas -llapack -fopenmp -lcrypto

.PHONY: bench-gallery
bench-gallery: $(GALLERY) install-server ## exact search of a gallery against a pass of popcount, FAISS and SQL's bit_count; a minute or two
	@$(GALLERY)
	@/usr/bin/python3 -B bench/gallery_sql.py $(GALLERY)
