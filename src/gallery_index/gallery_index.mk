# The approximate index of galleries: the only part that is compiled and linked with FAISS, OpenMP and BLAS.
GALLERY_INDEX_OBJS := $(patsubst src/%.cpp,$(BUILD)/%.o,$(wildcard src/gallery_index/*.cpp))
GALLERY_INDEX_LIB := $(BUILD)/libvisage_gallery_index.a
FAISS_LIBS := -lfaiss -lblas -llapack -fopenmp

$(BUILD)/gallery_index/%.o: src/gallery_index/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) -fopenmp -c -o $@ $<
$(GALLERY_INDEX_LIB): $(GALLERY_INDEX_OBJS)
	@rm -f $@
	@ar rcs $@ $^
# Here, as the Makefile names its own before it reads this.
all: $(GALLERY_INDEX_LIB)
