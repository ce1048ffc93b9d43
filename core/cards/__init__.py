"""Flashcards: decks as text, spaced repetition, quiz modes and cards made from a learner's own run.

Time and chance are arguments here; what is remembered between visits is in core/storage.
"""
