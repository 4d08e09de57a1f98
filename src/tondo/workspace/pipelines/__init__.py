"""Stages composed into the standard pipelines: features, train and judge, retrain.

Comes in: a workspace's parts and names of definitions. Goes out: runs, versions, executions.
Holds: the circle closes here, by data; no stage knows the next.
"""
