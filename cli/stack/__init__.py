"""`make up` and related targets: the product on Docker Compose, from a checkout.

Only the standard library is imported: a Docker host needs Python and no package (`python3 -m cli.stack up`).
"""
