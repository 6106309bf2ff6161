"""The web server of the page: connections, headers, access, the browser script, and shutdown."""
