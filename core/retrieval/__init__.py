"""Retrieve and re-rank: passages, their order under three rankings, and what both encoders cost.

The encoders themselves are in core/models.
"""
