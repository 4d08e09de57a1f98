"""Packages from object stores: S3, Google Cloud, Azure.

Comes in: the address of an object. Goes out: bytes. Holds: credentials are the environment's.
"""
