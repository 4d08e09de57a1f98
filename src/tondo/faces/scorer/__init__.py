"""The scorer: the process that answers scoring requests.

Comes in: HTTP requests, a serving plan or a folder of packages. Goes out: answers and log frames.
Holds: base install only; goes on when the control plane is gone.
"""
