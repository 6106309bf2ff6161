"""What we ask of Alertmanager: what became of an alert, silences, and the proof that a page goes out."""
