"""The page "Sync": where keys go, the change request under way, and what its buttons do."""
