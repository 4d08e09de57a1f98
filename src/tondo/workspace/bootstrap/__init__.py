"""One of the two places that construct adapters: what a workspace is made of.

Comes in: a folder and the settings of its project. Goes out: parts, each made when first used.
Holds: nobody else in the workspace knows an adapter.
"""

from tondo.workspace.bootstrap.bare import EVALUATORS, bare, bare_evaluator
from tondo.workspace.bootstrap.opening import manual_clock, open_workspace
from tondo.workspace.bootstrap.outside import messages, statistics_sketches
from tondo.workspace.bootstrap.parts import STATE_FOLDER, Parts

__all__ = [
    "EVALUATORS",
    "STATE_FOLDER",
    "Parts",
    "bare",
    "bare_evaluator",
    "manual_clock",
    "messages",
    "open_workspace",
    "statistics_sketches",
]
