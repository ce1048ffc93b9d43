"""What one can take home of a run: the run file, a model folder, tables, a script, a replay page, a movie.

Readers of these formats stand beside their writers; what people bring of their own is in core/data.
"""
