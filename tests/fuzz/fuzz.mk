# Fuzz targets for every parser of untrusted bytes, the core's and visaged's: tests/fuzz/<target>.cpp. See README.md
# beside this file. Included after unit.mk.
#
#   make fuzz FUZZ_SECONDS=60               each target under libFuzzer, from its seeds and corpus; needs clang++
#   make fuzz FUZZ_TARGETS=roots            one target
#   make check-fuzz                         the ordinary suite: all inputs with their one-byte changes and cuts under
#                                           the ordinary compiler's sanitizers, then libFuzzer briefly where it is

FUZZ_SECONDS ?= 60
FUZZ_CXX ?= clang++
fuzz_all_targets := $(patsubst tests/fuzz/%.cpp,%,$(filter-out %/support.cpp %/replay.cpp,$(wildcard tests/fuzz/*.cpp)))
FUZZ_TARGETS ?= $(fuzz_all_targets)
fuzz_build := $(BUILD)/fuzz
fuzz_corpus := tests/fuzz/corpus
# What the targets need: the core, and of visaged what reads bytes from outside.
fuzz_sources := $(patsubst src/%.cpp,%,$(wildcard src/core/*/*.cpp) \
	$(addprefix src/sidecar/http/,$(addsuffix .cpp,base64 callers form json_body json_reader multipart problem rate_limit target trace_context utf8)) \
	$(addprefix src/sidecar/adapter/,$(addsuffix .cpp,http_answer identity otp_answer reason url)) \
	$(addprefix src/sidecar/page/,links.cpp ticket.cpp) src/sidecar/flow/source_key.cpp src/sidecar/app/private_file.cpp \
	src/sidecar/flow/frame_desk.cpp src/sidecar/liveness/frame.cpp src/sidecar/liveness/frame_key.cpp \
	src/sidecar/quality/depth.cpp $(addprefix src/sidecar/capture/,$(addsuffix .cpp,decode exif failure format wiping \
	  jpeg_decode jpeg_format png_decode png_format webp_decode webp_format)))
fuzz_libs := -lopencv_core -ljpeg -lpng -lwebp -lcrypto
fuzz_sanitizers := -fsanitize=address,undefined -fno-sanitize-recover=all
fuzz_cxxflags = $(filter-out -O2 -D_FORTIFY_SOURCE=2,$(VISAGE_CXXFLAGS)) -O1 $(CAPTURE_INCLUDES)

.PHONY: fuzz check-fuzz fuzz-programs fuzz-corpus fuzz-pictures

fuzz: fuzz-programs $(fuzz_build)/seeds ## libFuzzer on every parser of untrusted bytes: FUZZ_SECONDS a target
	@tests/fuzz/run --seconds=$(FUZZ_SECONDS) --jobs=1 $(fuzz_build) $(fuzz_corpus) $(FUZZ_TARGETS)

check-fuzz: $(ASAN)/fuzz_replay $(fuzz_build)/seeds ## fuzz targets over their kept inputs, and briefly with new ones
	@tests/fuzz/check $(ASAN)/fuzz_replay $(fuzz_build) $(fuzz_corpus) $(FUZZ_CXX) $(FUZZ_TARGETS)

fuzz-programs:
	@command -v $(FUZZ_CXX) > /dev/null || { echo "fuzz: $(FUZZ_CXX) is not installed; libFuzzer needs it. \
	Install it (Debian: apt-get install clang libclang-rt-14-dev) or set FUZZ_CXX." >&2; exit 1; }
	@$(MAKE) --no-print-directory $(FUZZ_TARGETS:%=$(fuzz_build)/%)

$(fuzz_build)/seeds: tests/fuzz/seeds.py $(wildcard tests/vectors/*.txt)
	@rm -rf $@
	@mkdir -p $@
	@tests/fuzz/seeds.py $@
	@touch $@

# Under libFuzzer's instrumentation. An archive, so that a target carries only what it uses.
fuzz_lib := $(fuzz_build)/libfuzzer/targets.a
fuzz_objs := $(fuzz_sources:%=$(fuzz_build)/libfuzzer/%.o) $(fuzz_build)/libfuzzer/fuzz/support.o
fuzz_compile = $(FUZZ_CXX) $(fuzz_cxxflags) -Wno-unknown-warning-option -DVISAGE_LIBFUZZER $(fuzz_sanitizers) \
	-fsanitize=fuzzer-no-link -c -o $@ $<
$(fuzz_sources:%=$(fuzz_build)/libfuzzer/%.o): $(fuzz_build)/libfuzzer/%.o: src/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $< (libFuzzer)" >&2
	@$(fuzz_compile)
$(fuzz_build)/libfuzzer/fuzz/%.o: tests/fuzz/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $< (libFuzzer)" >&2
	@$(fuzz_compile)
$(fuzz_lib): $(fuzz_objs)
	@rm -f $@
	@ar rcs $@ $^
$(fuzz_all_targets:%=$(fuzz_build)/%): $(fuzz_build)/%: $(fuzz_build)/libfuzzer/fuzz/%.o $(fuzz_lib)
	@echo "  LD   $@" >&2
	@$(FUZZ_CXX) $(fuzz_sanitizers) -fsanitize=fuzzer -o $@ $^ -Wl,--as-needed $(fuzz_libs)

# The replay, from the objects that the sanitized unit tests use as well.
fuzz_replay_objs := $(fuzz_sources:%=$(ASAN)/%.o) $(patsubst tests/%.cpp,$(ASAN)/tests/%.o,$(wildcard tests/fuzz/*.cpp))
$(ASAN)/fuzz_replay: $(fuzz_replay_objs)
	@mkdir -p $(@D)
	@echo "  LD   $@" >&2
	@$(CXX) $(asan_flags) -o $@ $^ $(fuzz_libs)

# Keeps of what fuzzing found only what reaches code that seeds and corpus do not, and only what is small.
fuzz-corpus: fuzz-programs $(fuzz_build)/seeds ## take new inputs of `make fuzz` into the kept corpora
	@tests/fuzz/keep $(fuzz_build) $(fuzz_corpus) $(FUZZ_TARGETS)

fuzz-pictures: $(fuzz_build)/make_pictures ## write the corpora's pictures again
	@$< $(fuzz_corpus)
$(fuzz_build)/make_pictures: tests/fuzz/pictures/make.cpp tests/unit/sidecar/pictures.cpp
	@mkdir -p $(@D)
	@$(CXX) -std=c++20 -O1 -Wall -Wextra -Werror -Isrc -Itests/unit/sidecar $(CAPTURE_INCLUDES) -o $@ $^ \
	  -lopencv_imgcodecs -lopencv_core -ljpeg
