"""How good embeddings are, and what changed between two of them: pure functions of plain arrays.

Lines that show a number belong to the pages; texts about each measure are in table.py.
"""
