"""The list of all sessions: filter, order, rows and bulk actions."""
