"""The Prometheus exporter: it serves what the core's Snapshot says and never asks the gateway itself."""
