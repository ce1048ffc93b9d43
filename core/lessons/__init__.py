"""Lessons: files of steps and predictions, read, checked, prepared for a run and measured.

Cards and sentence sets that a lesson names lie in their own rooms.
"""
