"""The product's core: settings, gateway client, tokens, monitor, store. It imports neither front door."""
