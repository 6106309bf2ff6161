"""Questions asked in dialogs: how a part of a page asks one, and the reason and the end it asks for."""
