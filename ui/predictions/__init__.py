"""Predict, then see: the gate in front of every figure that answers a question, and the record of guesses."""
