"""Kinds of gateway; everything that only one of them has stays in its own package."""
