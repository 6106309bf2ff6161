"""The product's core: settings, gateway client, tokens, monitor, store. Imports no program that uses it."""
