"""Retraining: when a model shall be trained again, decided from numbers alone.

Comes in: a policy, the checks of the live metric, and what the gate once accepted.
Goes out: a decision with its reasons as sentences.
Holds: decisions are pure; the workspace starts the execution.
"""
