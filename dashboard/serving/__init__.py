"""What serves the page: connections, headers, who is let in, our own script, and the end of the process."""
