"""One consumer: it reads rows, scores them by the scoring path and writes answers for a purpose.

Comes in: logged requests, events of a stream, tables; model versions that are to score them.
Goes out: answers under `shadow`, `replay`, `stream` or `batch`, and how two versions compare.
Holds: an answer and the place up to which the source was read are one frame of the event log, so
a kill loses nothing and doubles nothing; ids are made of what was scored and by which version.
"""
