"""One folder for each outside library, behind the ports.

Comes in: protocols of `tondo.ports`. Goes out: implementations, chosen by the two bootstraps.
Holds: an outside library is imported in its own folder only; siblings never meet.
"""
