"""The settings page: its forms, what their buttons do, and what a gateway says to what was typed."""
