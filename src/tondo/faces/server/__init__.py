"""The control plane's process: REST and pages on one port.

Comes in: a project's folder, an address. Goes out: one ready line, then answers.
Holds: the one place where the faces api and ui meet; neither knows the other.
"""
