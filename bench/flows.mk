# make bench-flows [SUBJECTS=100000] [QUICK=1]
SUBJECTS ?= 100000

.PHONY: bench-flows
bench-flows: install-server ## a verification under rules and deny-lists against a bare one
	@SUBJECTS=$(SUBJECTS) QUICK=$(QUICK) PG_CONFIG=$(PG_CONFIG) /usr/bin/python3 -B bench/flows_policy.py
