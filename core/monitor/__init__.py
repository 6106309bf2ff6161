"""Probe the gateways, judge the responses, keep a Snapshot of each gateway, and restart broken sessions."""
