"""What the concept pages compute: one file an idea, plain values in and out.

Whatever a second room needs belongs to that idea's own room; figures and widgets are the pages'.
"""
