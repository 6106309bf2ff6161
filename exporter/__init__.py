"""The Prometheus exporter: serves the core's Snapshot and sends no requests to gateways itself."""
