"""Flat maps of embeddings: layouts, how each moves on from where it stood, and how far it can be believed.

Only files of this room import umap. What the map looks like on the screen is in ui/boards.
"""
