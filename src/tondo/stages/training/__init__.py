"""From a model spec and a training set to a sealed package and the record of its run.

Comes in: `ModelSpec`, a training set's table, libraries and runtimes. Goes out: `Run`, the package
in the blobs. Holds: what is learned is learned on the training split only; same input, same bytes.
"""
