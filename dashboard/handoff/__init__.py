"""Hand-off links, with which the holder of a phone links it without a sign-in."""
