# make bench-flows [SUBJECTS=100000] [QUICK=1]: every bench/flows_*.py, one a question.
SUBJECTS ?= 100000

.PHONY: bench-flows
bench-flows: install-server ## verification under rules and deny-lists; erasure and re-wrapping while the system serves
	@set -e; for script in bench/flows_*.py; do \
	  SUBJECTS=$(SUBJECTS) QUICK=$(QUICK) PG_CONFIG=$(PG_CONFIG) /usr/bin/python3 -B $$script; done
