"""Retrieve and re-rank: passages, their order under three rankings, both encoders side by side, their costs.

The encoders themselves are in core/models.
"""
