# visaged, the daemon. Included by the top-level Makefile, after src/sidecar/capture/capture.mk.

sidecar_dir := src/sidecar
SIDECAR := $(BUILD)/visaged
SIDECAR_SOURCES := $(wildcard $(sidecar_dir)/main.cpp $(sidecar_dir)/app/*.cpp $(sidecar_dir)/http/*.cpp \
	$(sidecar_dir)/db/*.cpp $(sidecar_dir)/flow/*.cpp $(sidecar_dir)/openapi/*.cpp)
SIDECAR_OBJS := $(SIDECAR_SOURCES:src/%.cpp=$(BUILD)/%.o)
SIDECAR_OPENAPI := $(BUILD)/generated/sidecar/openapi/openapi.inc
# Only what the layer rule allows: the libpq client headers, never the server's.
SIDECAR_CXXFLAGS = $(VISAGE_CXXFLAGS) -I$(BUILD)/generated -isystem $(shell $(PG_CONFIG) --includedir) \
	-DVISAGE_VERSION='"$(VERSION)"' -DSPDLOG_COMPILED_LIB -DSPDLOG_FMT_EXTERNAL
SIDECAR_LIBS = -lcpp-httplib -lspdlog -lfmt -lpq -lssl -lcrypto -pthread

sidecar: $(SIDECAR) ## build the daemon, build/visaged
.PHONY: sidecar check-sidecar
all: $(SIDECAR)

$(SIDECAR_OPENAPI): $(sidecar_dir)/openapi/openapi.yaml
	@mkdir -p $(@D)
	@{ printf 'R"yaml('; cat $<; printf ')yaml"'; } > $@
$(BUILD)/sidecar/openapi/openapi.o: $(SIDECAR_OPENAPI)

$(SIDECAR_OBJS): $(BUILD)/%.o: src/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(SIDECAR_CXXFLAGS) -c -o $@ $<

$(SIDECAR): $(SIDECAR_OBJS) $(CAPTURE_LIB) $(CORE_LIB)
	$(CXX) -o $@ $(SIDECAR_OBJS) $(CAPTURE_LIB) $(CORE_LIB) $(CAPTURE_LIBS) $(SIDECAR_LIBS) \
		-Wl,-z,relro,-z,now -Wl,--as-needed
