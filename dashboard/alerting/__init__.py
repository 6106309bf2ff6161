"""Alertmanager on the page: acknowledging a session and testing the pager."""
