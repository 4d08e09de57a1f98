"""Where the rooms meet: the facade, the standard pipelines, the control loops.

Comes in: a project's definitions and a folder for its state.
Goes out: `Workspace`, one object that every face speaks to.
Holds: adapters are constructed in `bootstrap.py` and nowhere else above the scorer.
"""
