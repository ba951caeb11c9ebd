# Tests. `make check` runs every suite; `make check-<concept>` one concept's unit and SQL tests, in seconds.
-include tests/unit/unit.mk
-include tests/sanitized.mk
-include tests/fuzz/fuzz.mk
-include tests/neon.mk
-include tests/memory/memory.mk
-include tests/browser/browser.mk

SUITES := style setup unit fuzz sql isolation tap sidecar demo
# Of what looks for memory faults only the part that takes seconds: all of it takes minutes, so a developer asks for
# it and continuous integration always does. valgrind is an optional package.
# That each SQL test stands alone, too.
SUITES += $(if $(CI),sql-alone) $(if $(CI),sanitized,sanitized-core) $(if $(shell command -v valgrind),memory-brief)
# tools/setup installs a browser; whoever removed it, or builds with --no-apt, has the other suites.
SUITES += $(if $(shell command -v chromium-headless-shell || command -v chromium || command -v google-chrome),browser capture-page example-bank)
CONCEPTS := keys probe reference match subject policy audit attempt risk gallery sessions factors consent authority import \
            duplicate retention revocation

.PHONY: check $(SUITES:%=check-%) $(CONCEPTS:%=check-%) conformance

check: setup ## set up and run every test
	@$(MAKE) --no-print-directory -j$(shell nproc) build-all
	@$(MAKE) --no-print-directory check-built

.PHONY: build-all check-built
build-all: all visaged unit-tests sanitized-core
check-built: install-server
	@tests/check-all $(SUITES)

check-style: all ## layer rule, exported symbols, schedules, formatting
	@tests/check-style
check-sql: install-server ## SQL tests (pg_regress) on a private server
	@tests/check-sql
check-sql-alone: install-server ## each SQL test by itself
	@tests/check-sql-alone
check-isolation: install-server ## concurrency tests on a private server
	@tests/check-isolation
check-tap: install-server ## start, restart, crash, dump and restore of real servers
	@tests/check-tap
check-browser: install-server ## the report's page in a real browser
	@/usr/bin/python3 -B tests/browser/report.py
check-capture-page: install-server visaged $(BROWSER_PUPPET) ## the capture page in a real browser with a false camera
	@/usr/bin/python3 -B tests/browser/capture.py
check-example-bank: install-server visaged ## the example bank in a real browser, annex B by clicking
	@/usr/bin/python3 -B tests/browser/bank.py
check-demo: install-server visaged ## the demo, as a test
	@tools/demo && echo "1 passed, 0 failed"

# One concept: its unit tests (suites of the same name) and its SQL test.
$(CONCEPTS:%=check-%): check-%: install-server unit-tests
	@tests/check-concept $*

# Servers load the extension from their own directories, which need root.
.PHONY: install-server
install-server: all
	+@$(SUDO) $(PGXS_MAKE) install > $(BUILD)/install.log 2>&1 || { cat $(BUILD)/install.log; exit 1; }

conformance: ## docs/conformance.md from the clauses that tests name
	@/usr/bin/python3 tools/conformance.py
