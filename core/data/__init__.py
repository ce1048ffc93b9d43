"""What people bring: texts, tables, sentences, pairs, and the sentence sets that come with the app.

Reading, cleaning and refusing input belongs here; models and vectors do not.
"""
