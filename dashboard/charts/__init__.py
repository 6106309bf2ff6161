"""Charts of what the history tells: a session's states, and the availability of all sessions per day."""
