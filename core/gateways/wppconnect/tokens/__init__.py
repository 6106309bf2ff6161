"""Bearer tokens of gateway sessions: obtain, store, share between processes, renew."""
