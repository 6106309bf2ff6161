"""`wppconnect-ops`: the operator's command line. Starts exporter and page, and writes to a terminal."""
