# pg_visage: `make help` lists what can be made.
EXTENSION := pg_visage
VERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" $(EXTENSION).control)
PG_CONFIG ?= pg_config
BUILD := build

# bitcode rules know nothing of C++20 (PGXS passes them no -std), and inlining a matcher into a query plan gains
# nothing.
override with_llvm = no

MODULE_big := $(EXTENSION)
PG_SOURCES := $(wildcard src/pg/*.cpp)
CORE_SOURCES := $(wildcard src/core/*/*.cpp)
OBJS := $(PG_SOURCES:src/%.cpp=$(BUILD)/%.o)
CORE_OBJS := $(CORE_SOURCES:src/%.cpp=$(BUILD)/%.o)
CORE_LIB := $(BUILD)/libvisage_core.a
INSTALL_SQL := sql/$(EXTENSION)--$(VERSION).sql
DATA = $(wildcard sql/$(EXTENSION)--*--*.sql)
DATA_built := $(INSTALL_SQL)
SHLIB_LINK += $(CORE_LIB) -lcrypto -lstdc++ -Wl,--exclude-libs,ALL
EXTRA_CLEAN = $(BUILD)

.DEFAULT_GOAL := all

# Before the first `make setup` there may be no pg_config: the targets that need none still work.
ifneq ($(shell command -v $(PG_CONFIG)),)
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
SERVER_INCLUDES := -isystem $(shell $(PG_CONFIG) --includedir-server)
endif

# Two sets of flags: the core is compiled without the server's include path, so that it cannot see a header of it.
VISAGE_CXXFLAGS := -std=c++20 -O2 -g -fPIC -Isrc -Wall -Wextra -Werror -MMD -MP -fvisibility=hidden \
	-fvisibility-inlines-hidden -fstack-protector-strong -D_FORTIFY_SOURCE=2 -D_GNU_SOURCE \
	-fno-omit-frame-pointer -fno-strict-aliasing -ffp-contract=off

$(BUILD)/core/%.o: src/core/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(VISAGE_CXXFLAGS) -c -o $@ $<
$(BUILD)/pg/%.o: src/pg/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(VISAGE_CXXFLAGS) $(SERVER_INCLUDES) -c -o $@ $<

$(CORE_LIB): $(CORE_OBJS)
	@rm -f $@
	ar rcs $@ $^
$(MODULE_big).so: $(CORE_LIB)

# The version's install script is its concepts in the order of their numbers.
$(INSTALL_SQL): $(sort $(wildcard sql/install/*.sql)) $(EXTENSION).control
	cat $(filter %.sql,$^) > $@

-include src/sidecar/capture/capture.mk
-include src/sidecar/sidecar.mk
include tools/tools.mk
-include tests/tests.mk
-include bench/bench.mk

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
