# The extension's own build: PGXS, called by the top-level Makefile from the top-level directory.
EXTENSION = pg_visage
MODULE_big = pg_visage
# DATA=<folder> on the command line is a benchmark's, not PGXS's.
override DATA = $(wildcard sql/pg_visage--*.sql)
OBJS = $(patsubst src/%.cpp,$(BUILD)/%.o,$(wildcard src/pg/*.cpp))
BUILD = build
CORE_LIB = $(BUILD)/libvisage_core.a
# FAISS has a shared object of its own, which only the index worker loads.
MODULES = pg_visage_gallery
GALLERY_INDEX_LIB = $(BUILD)/libvisage_gallery_index.a
GALLERY_LIBRARY_OBJ = $(BUILD)/gallery_library/module.o
EXTRA_CLEAN = pg_visage_gallery.so
SHLIB_LINK += $(CORE_LIB) -lcrypto -lstdc++ -Wl,--exclude-libs,ALL

# PGXS passes the bitcode rule no -std, and inlining a matcher into a query plan gains nothing.
override with_llvm = no
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

SERVER_INCLUDES := -isystem $(shell $(PG_CONFIG) --includedir-server)

$(BUILD)/pg/%.o: src/pg/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) $(SERVER_INCLUDES) -c -o $@ $<
pg_visage.so: $(CORE_LIB)
$(GALLERY_LIBRARY_OBJ): src/gallery_library/module.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) $(SERVER_INCLUDES) -c -o $@ $<
pg_visage_gallery.so: $(GALLERY_LIBRARY_OBJ) $(GALLERY_INDEX_LIB) $(CORE_LIB)
	$(CXX) -shared -o $@ $^ -lfaiss -lblas -llapack -fopenmp -lcrypto -Wl,--exclude-libs,ALL -Wl,--as-needed

-include $(wildcard $(BUILD)/pg/*.d)
