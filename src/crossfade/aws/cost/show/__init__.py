"""Bills as pictures and as Markdown."""
