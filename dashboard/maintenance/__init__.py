"""Maintenance windows: the list, planning one, ending and deleting one."""
