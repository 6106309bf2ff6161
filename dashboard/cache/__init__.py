"""In-memory caches of the page, refreshed in the background; drawing reads them and never waits."""
