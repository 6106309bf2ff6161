"""Who may use the page: the gate in front of everything, users, sign-ins and the first sign-in link."""
