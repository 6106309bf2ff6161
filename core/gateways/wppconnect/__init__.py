"""WPPConnect Server: its contract, tokens, client and rules."""
