"""The doctor on the page: starting an examination and drawing its diagnosis."""
