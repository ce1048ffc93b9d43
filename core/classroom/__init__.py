"""A class room: a teacher's activities, learners who join by a code, their votes, sentences and tests.

Everything lies in the database; whoever changes it says so on the room's topic (topics.py), and pages then
draw themselves again. Time and keys come in as arguments.
"""
