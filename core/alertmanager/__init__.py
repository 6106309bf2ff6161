"""Client for Alertmanager: alerts, silences, and a test that notifications are delivered."""
