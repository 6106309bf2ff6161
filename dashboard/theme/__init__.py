"""Theme, style sheet and shared pieces of HTML."""
