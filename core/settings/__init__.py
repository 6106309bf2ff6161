"""Settings: environment variables, overridden by values saved on the page, shared between processes."""
