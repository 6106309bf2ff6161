"""What concerns Alertmanager: acknowledging a session, and testing the pager."""
