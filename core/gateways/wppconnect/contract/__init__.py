"""The gateway's contract as observed: meaning of its responses, session names, tokens and waits.

`docs/wppconnect-api.md` describes the whole contract; `core/gateways/wppconnect/client.py` has a method for
each endpoint.
"""
