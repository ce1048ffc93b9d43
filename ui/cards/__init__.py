"""Flashcards on the screen: their texts as written, their moving pictures, the panel beside a page.

What a card is and when it comes back is in core/cards; the study session is in pages/study.
"""
