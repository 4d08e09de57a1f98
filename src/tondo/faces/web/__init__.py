"""What every HTTP face shares: the status of each error, Host and Origin checks.

Comes in: errors and requests. Goes out: statuses and refusals.
Holds: imports core only.
"""
