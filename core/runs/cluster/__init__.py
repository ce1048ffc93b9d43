"""Ray as the place where runs are trained: `proxy` in the server, `driver` in a process that speaks Ray,
`actor` on the machines of the cluster. What is trained, in which order and for whom stays with the pool.
"""
