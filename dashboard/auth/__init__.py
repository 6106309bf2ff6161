"""Access control for the page: the gate, users, sign-ins, and the first sign-in link."""
