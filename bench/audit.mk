# make bench-audit [EVENTS=1000000] [QUICK=1]
EVENTS ?= 1000000

.PHONY: bench-audit
bench-audit: install-server ## a verdict with its durable record against an INSERT, the ledger's growth and verification; EVENTS=10000000 for the largest
	@EVENTS=$(EVENTS) QUICK=$(QUICK) PG_CONFIG=$(PG_CONFIG) /usr/bin/python3 -B bench/audit.py
