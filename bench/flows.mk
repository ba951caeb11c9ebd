# make bench-flows [SUBJECTS=100000] [QUICK=1]: every bench/flows_*.py, one a question.
SUBJECTS ?= 100000

.PHONY: bench-flows
bench-flows: install-server ## erasure and re-wrapping while the system serves; SUBJECTS=10000 or QUICK=1 for less
	@set -e; for script in bench/flows_*.py; do \
	  SUBJECTS=$(SUBJECTS) QUICK=$(QUICK) PG_CONFIG=$(PG_CONFIG) /usr/bin/python3 -B $$script; done
