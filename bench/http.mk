.PHONY: bench-http

bench-http: install-server visaged ## latency of verification and registration over HTTP, one client
	@/usr/bin/python3 -B bench/http_latency.py
