"""How the page looks: its theme and style sheet, and the pieces of HTML that any page may show."""
