"""Models, text to vectors or scores: the table of them, the bi-encoder, the cross-encoder, weights.

What a trained model is belongs here; how it learns is in core/training.
"""
