"""Hand-off links: whoever holds the phone links it without a sign-in."""
