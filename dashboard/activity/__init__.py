"""The activity page: history entries read in the background, drawn as a table, and exported as CSV."""
