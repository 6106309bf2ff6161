"""Messages for users, as ids with arguments; one table holds the English template of each id."""

from core.messages.message import Argument, Message, as_sentence, render
from core.messages.table import SUBJECTS, TEMPLATES

__all__ = ["SUBJECTS", "TEMPLATES", "Argument", "Message", "as_sentence", "render"]
