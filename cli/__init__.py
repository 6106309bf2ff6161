"""`wppconnect-ops`: the operator's command line. It starts the front doors, and talks to a terminal."""
