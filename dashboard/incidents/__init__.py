"""The incidents page: outages with what was done about them, and monthly reports."""
