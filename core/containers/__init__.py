"""Recreate and restart containers through the Docker Engine; the home of the package `docker`."""
