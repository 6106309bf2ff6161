"""Uptime and outages of sessions: from the history log to a timeline, and from there to the figures."""
