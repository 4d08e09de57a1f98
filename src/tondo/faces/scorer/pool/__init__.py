"""Several processes that answer as one scorer: workers, isolated models, and who starts them anew.

Comes in: a command line, a listening socket, the plan. Goes out: processes that run. Holds: none
of them ends because another one did; whoever is missing is started again by those that are left.
"""
