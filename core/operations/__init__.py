"""What an operator can do to sessions: by the gateway's rules, one at a time for each, told step by step."""
