# pg_visage. `make help` lists what can be made; the extension itself is built by src/pg/pgxs.mk (PGXS).
.DEFAULT_GOAL := all
BUILD := build
PG_CONFIG ?= pg_config
VERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" pg_visage.control)
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

# The core is compiled without the server's include path, so that it cannot see a header of it. No -march=native:
# what is built here must run on every machine of its kind.
VISAGE_CXXFLAGS := -std=c++20 -O2 -g -fPIC -Isrc -isystem /usr/include/eigen3 -Wall -Wextra -Werror -MMD -MP -fvisibility=hidden \
	-fvisibility-inlines-hidden -fstack-protector-strong -D_FORTIFY_SOURCE=2 -D_GNU_SOURCE \
	-fno-omit-frame-pointer -fno-strict-aliasing -ffp-contract=off
CORE_OBJS := $(patsubst src/%.cpp,$(BUILD)/%.o,$(wildcard src/core/*/*.cpp))
CORE_LIB := $(BUILD)/libvisage_core.a
INSTALL_SQL := sql/pg_visage--$(VERSION).sql
# Released versions' scripts are kept as they were; the newest update shares its text with the install script.
UPDATE_SQL := $(patsubst sql/update/%,sql/pg_visage--%,$(wildcard sql/update/*.sql))
PGXS_MAKE = $(MAKE) --no-print-directory -f src/pg/pgxs.mk srcdir=. PG_CONFIG=$(PG_CONFIG) VISAGE_CXXFLAGS='$(VISAGE_CXXFLAGS)'

.PHONY: all install uninstall installcheck clean help

all: $(CORE_LIB) $(INSTALL_SQL) $(UPDATE_SQL) ## build the extension
	+@$(PGXS_MAKE) all >&2
install: all ## install the extension into the server's directories
	+@$(SUDO) $(PGXS_MAKE) install
uninstall: ## remove it from there
	+@$(SUDO) $(PGXS_MAKE) uninstall
installcheck: ## SQL tests on a private server with the installed extension
	@tests/check-sql
clean: ## remove everything that was built
	rm -rf $(BUILD) $(INSTALL_SQL) $(UPDATE_SQL) pg_visage.so pg_visage_gallery.so

$(BUILD)/core/%.o: src/core/%.cpp
	@mkdir -p $(@D)
	@echo "  CXX  $<" >&2
	@$(CXX) $(VISAGE_CXXFLAGS) -c -o $@ $<
$(CORE_LIB): $(CORE_OBJS)
	@rm -f $@
	@ar rcs $@ $^
# The version's install script is its concepts in the order of their numbers.
$(INSTALL_SQL): sql/install $(sort $(wildcard sql/install/*.sql)) pg_visage.control
	@cat $(filter %.sql,$^) > $@
# What is new as a whole is included: a line `-- include <file of sql/install>`.
$(UPDATE_SQL): sql/pg_visage--%: sql/update/% sql/install $(wildcard sql/install/*.sql)
	@awk '/^-- include / { file = "sql/install/" $$3; while ((got = (getline line < file)) > 0) print line; \
	  if (got < 0) { print "no " file > "/dev/stderr"; exit 1 } close(file); next } { print }' $< > $@

include tools/tools.mk
include src/gallery_index/gallery_index.mk
-include src/sidecar/capture/capture.mk
-include src/sidecar/sidecar.mk
include tests/tests.mk
-include bench/bench.mk

help: ## this list
	@grep -hE '^[a-z][a-zA-Z0-9_-]*:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/^([^:]+):.*## (.*)/  \1\t\2/' | expand -t 22
	@echo '  check-<concept>     $(CONCEPTS): its tests alone, in seconds'

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
