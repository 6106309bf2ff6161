"""`wppconnect-ops backup` and `restore`: all state in one file, restored completely or not at all."""
