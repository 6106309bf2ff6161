"""Probe the gateways, judge what they answer, keep a Snapshot of them, and heal what can be healed."""
