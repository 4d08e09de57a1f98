"""Durable executions of memoised steps; knows nothing of machine learning.

Comes in: plain functions and what they depend on. Goes out: their results, and how they came.
Holds: what finished never runs again; after a kill, running again goes on where it was.
"""
