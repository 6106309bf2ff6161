"""The page of one session: current state, pairing, pausing, uptime and history."""
