"""Canvases that stay mounted while their points move: the moving map, and the circle one can drag on.

Figures that are drawn once are in ui/figures.
"""
