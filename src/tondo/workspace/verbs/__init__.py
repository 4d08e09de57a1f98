"""The verbs of a workspace, one class a stage.

Comes in: names and plain values. Goes out: the stages' own values.
Holds: each verb binds a stage's operation to this workspace's parts; logic lives in the stages.
"""
