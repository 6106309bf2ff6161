"""Bring a key into `.env` files, compose files and running containers: wholly or not at all."""
