"""How good embeddings are, what changed between two of them, what a model forgot: functions of plain arrays.

Unit rows, cosines and neighbours are core/vectors.py's; what shows a number belongs to the pages.
"""
