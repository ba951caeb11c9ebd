# Included by the top-level Makefile. Options go through SETUP, e.g. make setup SETUP="--offline --no-apt".

tools_dir := $(dir $(lastword $(MAKEFILE_LIST)))

.PHONY: setup check-setup

setup: ## install packages, fetch models and runtime (needs network once)
	@$(tools_dir)setup $(SETUP)

check-setup: ## tests of the set-up scripts and of the model conversion
	@/usr/bin/python3 $(tools_dir)../tests/setup/run.py
