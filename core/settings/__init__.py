"""Settings: read from the environment, laid under what the page saved, and followed across processes."""
