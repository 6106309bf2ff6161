"""The doctor on the page: when it is asked, and how its findings are drawn."""
