# Benchmarks, one fragment a question. Each prints JSON lines on stdout and everything else on stderr.
include $(wildcard bench/*/bench.mk) $(filter-out bench/bench.mk,$(wildcard bench/*.mk))
