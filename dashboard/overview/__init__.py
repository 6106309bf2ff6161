"""The list of all sessions: which of them are shown, their rows, and acting on several at once."""
