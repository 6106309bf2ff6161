"""The gateway's contract as observed: what its answers mean, its names, its tokens, its waits.

`docs/wppconnect-api.md` is the whole of it; `core/client.py` has a method for each endpoint.
"""
