# visaged, the daemon. Included by the top-level Makefile, after src/sidecar/capture/capture.mk.

sidecar_dir := src/sidecar
SIDECAR := $(BUILD)/visaged
SIDECAR_SOURCES := $(wildcard $(sidecar_dir)/main.cpp $(sidecar_dir)/app/*.cpp $(sidecar_dir)/http/*.cpp \
	$(sidecar_dir)/db/*.cpp $(sidecar_dir)/flow/*.cpp $(sidecar_dir)/openapi/*.cpp $(sidecar_dir)/page/*.cpp $(sidecar_dir)/adapter/*.cpp)
SIDECAR_OBJS := $(SIDECAR_SOURCES:src/%.cpp=$(BUILD)/%.o)
SIDECAR_OPENAPI := $(BUILD)/generated/sidecar/openapi/openapi.inc
SIDECAR_ASSETS := $(BUILD)/generated/sidecar/page/assets.inc
# Only what the layer rule allows: the libpq client headers, never the server's.
SIDECAR_CXXFLAGS = $(VISAGE_CXXFLAGS) -I$(BUILD)/generated -isystem $(shell $(PG_CONFIG) --includedir) \
	-DVISAGE_VERSION='"$(VERSION)"' -DSPDLOG_COMPILED_LIB -DSPDLOG_FMT_EXTERNAL
SIDECAR_LIBS = -lcpp-httplib -lspdlog -lfmt -lpq -lssl -lcrypto -pthread

# The same sources and the core's parsers under sanitizers, which bring their own free().
SIDECAR_SANITIZED := $(BUILD)/sanitized/visaged
SIDECAR_SANITIZED_OBJS := $(patsubst src/%.cpp,$(BUILD)/sanitized/%.o, \
	$(filter-out %/wiping_heap.cpp,$(SIDECAR_SOURCES))) \
	$(patsubst src/%.cpp,$(BUILD)/sanitized/%.o,$(wildcard src/core/base/*.cpp src/core/challenge/*.cpp src/core/crypto/*.cpp src/core/probe/*.cpp src/core/statement/*.cpp))
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=undefined

.PHONY: visaged install-visaged check-sidecar check-sidecar-sanitized demo demo-built demo-bank demo-bank-built

visaged: $(SIDECAR) ## build the daemon, build/visaged

install-visaged: $(SIDECAR) ## install the daemon and its systemd unit; DESTDIR is honoured
	$(SUDO) install -D -m 755 $(SIDECAR) $(DESTDIR)/usr/sbin/visaged
	$(SUDO) install -D -m 644 deploy/systemd/visaged.service $(DESTDIR)/usr/lib/systemd/system/visaged.service
	$(SUDO) install -D -m 644 deploy/systemd/visaged.sysusers $(DESTDIR)/usr/lib/sysusers.d/visaged.conf

check-sidecar: install-server visaged $(BUILD)/side_by_side ## HTTP tests against a real visaged and a real server
	@/usr/bin/python3 -B tests/sidecar/run.py

# Not part of `make check`: building takes minutes. Leak detection needs a traceable process, which visaged is not.
check-sidecar-sanitized: install-server $(SIDECAR_SANITIZED) $(BUILD)/side_by_side ## HTTP tests under ASan and UBSan
	@VISAGED=$(SIDECAR_SANITIZED) ASAN_OPTIONS=detect_leaks=0 /usr/bin/python3 -B tests/sidecar/run.py

demo: setup ## register and verify real people over HTTP; KEEP=1 leaves it running
	@$(MAKE) --no-print-directory demo-built
demo-built: install-server visaged $(BUILD)/side_by_side
	@tools/demo

check-demo: $(BUILD)/side_by_side

demo-bank: setup ## the example bank on 127.0.0.1 with all that it needs, until Ctrl-C; PORT=8600
	@$(MAKE) --no-print-directory demo-bank-built
demo-bank-built: install-server visaged
	@tools/demo_bank

# Two pictures become one with two faces, for the demo and the tests.
$(BUILD)/side_by_side: tools/demo.d/side_by_side.cpp
	@mkdir -p $(@D)
	@echo "  LINK $@" >&2
	@$(CXX) -std=c++20 -O1 -Wall -Wextra -Werror -isystem /usr/include/opencv4 -o $@ $< -lopencv_imgcodecs \
		-lopencv_imgproc -lopencv_core

$(SIDECAR_OPENAPI): $(sidecar_dir)/openapi/openapi.yaml
	@mkdir -p $(@D)
	@{ printf 'R"yaml('; cat $<; printf ')yaml"'; } > $@
$(BUILD)/sidecar/openapi/openapi.o: $(SIDECAR_OPENAPI)

$(SIDECAR_ASSETS): src/web $(wildcard src/web/*)
	@mkdir -p $(@D)
	@for file in $(filter-out src/web,$^); do printf '{"%s", R"web(' "$${file##*/}"; cat "$$file"; printf ')web"},\n'; done > $@
$(BUILD)/sidecar/page/assets.o: $(SIDECAR_ASSETS)

$(SIDECAR_OBJS): $(BUILD)/%.o: src/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<" >&2
	@$(CXX) $(SIDECAR_CXXFLAGS) -c -o $@ $<

$(SIDECAR): $(SIDECAR_OBJS) $(CAPTURE_LIB) $(CORE_LIB)
	@echo "  LINK $@" >&2
	@$(CXX) -o $@ $(SIDECAR_OBJS) $(CAPTURE_LIB) $(CORE_LIB) $(CAPTURE_LIBS) $(SIDECAR_LIBS) \
		-Wl,-z,relro,-z,now -Wl,--as-needed

$(BUILD)/sanitized/sidecar/openapi/openapi.o: $(SIDECAR_OPENAPI)
$(BUILD)/sanitized/sidecar/page/assets.o: $(SIDECAR_ASSETS)
$(SIDECAR_SANITIZED_OBJS): $(BUILD)/sanitized/%.o: src/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<" >&2
	@$(CXX) $(SIDECAR_CXXFLAGS) -O1 -U_FORTIFY_SOURCE $(SANITIZERS) -c -o $@ $<
$(SIDECAR_SANITIZED): $(SIDECAR_SANITIZED_OBJS) $(CAPTURE_LIB)
	@echo "  LINK $@" >&2
	@$(CXX) $(SANITIZERS) -o $@ $(SIDECAR_SANITIZED_OBJS) $(CAPTURE_LIB) $(CAPTURE_LIBS) $(SIDECAR_LIBS)
