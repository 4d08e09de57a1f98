"""Deployments: what is desired to be served, how it changes, and the plan that scorers follow.

Comes in: registered model versions, and measurements of the arms of a rollout.
Goes out: deployment states under a pointer, rollout decisions, serving plans.
Holds: decisions are pure, each change is one transaction, and rolling back is one pointer move.
"""
