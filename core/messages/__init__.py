"""What is said to people, as a message id with arguments; each id's English stands in one table."""

from core.messages.message import Argument, Message, as_sentence, render
from core.messages.table import SUBJECTS, TEMPLATES

__all__ = ["SUBJECTS", "TEMPLATES", "Argument", "Message", "as_sentence", "render"]
