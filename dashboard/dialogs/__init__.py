"""Dialogs: opening one from a fragment, and the form of reason and end that several share."""
