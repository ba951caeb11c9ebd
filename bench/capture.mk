.PHONY: bench-capture

bench-capture: install-server visaged ## stages, throughput, overload and memory of the capture daemon; QUICK=1: minutes, not half an hour
	@QUICK=$(QUICK) /usr/bin/python3 -B bench/capture.py
