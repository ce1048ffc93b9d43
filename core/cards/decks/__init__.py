"""Decks that people bring: what is a code block in them, and the files of other programs."""
