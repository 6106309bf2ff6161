"""How sessions have fared: from the history log to a timeline, and from there to uptime and outages."""
