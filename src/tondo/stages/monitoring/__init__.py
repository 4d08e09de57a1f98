"""Monitoring: what was predicted, what came true, and whether the two still fit.

Comes in: the streams of logged predictions and outcomes, and the baselines of packages.
Goes out: joined tables, live metrics with intervals and coverage, drift, findings and alerts.
Holds: a prediction counts once, a label that is not there yet is never taken for a no.
"""
