"""Features and model as one ONNX graph over raw request columns, in double precision.

Comes in: trees and model files. Goes out: the graph's bytes and what its inputs mean.
Holds: null rules of the language; a function that ONNX cannot answer alike is refused by name.
"""
