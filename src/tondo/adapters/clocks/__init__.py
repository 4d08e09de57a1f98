"""Where the time comes from.

Comes in: nothing. Goes out: `SystemClock`, which follows the machine, and `ManualClock`.
Holds: no clock ever runs backwards within one object.
"""
