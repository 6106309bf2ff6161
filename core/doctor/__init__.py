"""The doctor: examine a gateway and a session to find the one cause of a problem."""
