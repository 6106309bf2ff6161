"""The page "Sync": where keys go, the order under way, and what its buttons do."""
