"""What the page holds in memory, kept fresh in the background: drawing reads it and never waits."""
