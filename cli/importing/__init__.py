"""`wppconnect-ops import`: interpret the folder of an older panel, and report its problems."""
