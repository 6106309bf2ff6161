"""`wppconnect-ops import`: understand an older panel's folder, and say what of it is wrong."""
