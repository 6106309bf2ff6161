"""Bearer tokens of the gateways' sessions: obtained, kept in the store, shared between processes, renewed."""
