"""Flashcards: decks as text, spaced repetition, quiz modes and cards made from a learner's own run."""
