.PHONY: bench-capture bench-capture-page

bench-capture: install-server visaged ## stages, throughput, overload and memory of the capture daemon; QUICK=1: minutes, not half an hour
	@QUICK=$(QUICK) /usr/bin/python3 -B bench/capture.py

bench-capture-page: install-server visaged $(BROWSER_PUPPET) ## last frame to answer on the capture page, in a real browser; QUICK=1: five of each
	@QUICK=$(QUICK) /usr/bin/python3 -B bench/capture_page.py
