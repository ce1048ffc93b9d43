"""Where training happens: the executor, its worker processes, and a run's state while it changes.

Only this room starts threads and processes; what a step computes is in core/training.
"""
