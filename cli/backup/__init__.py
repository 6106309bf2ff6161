"""`wppconnect-ops backup` and `restore`: what is worth keeping, in one file, whole or not at all."""
