"""Entities and feature views, training sets as of each row's time, and the online store's filling.

Comes in: checked definitions, snapshots, pushed events. Goes out: views, layouts, training sets.
Holds: what a model reads online at a time is what its training set held for that time, bit for bit.
"""
