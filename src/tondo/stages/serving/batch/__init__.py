"""Batches: tables scored on command by every version of a deployment.

Comes in: pieces of a table, models. Goes out: files of answers, whose snapshot replaces what the
batch's last run left. Holds: one piece is in memory at a time; the commit is all or nothing.
"""
