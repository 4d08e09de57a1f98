"""Packages from a web server or the control plane, by the standard library alone.

Comes in: an http or https address. Goes out: bytes.
Holds: a token is never sent on to another host.
"""
