"""One session's page: what it needs now, pairing it, pausing it, and how it has fared."""
