"""Who did what, and what changed: read from the history in the background, drawn, and given as a file."""
