"""The library: sentences in, snapshots of a learning model out.

It knows nothing of screens; imports inside it are relative, so that a package can carry it.
"""
