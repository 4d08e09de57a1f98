"""The runtime for ONNX graphs, by onnxruntime.

Comes in: one float64 graph. Goes out: scores.
Holds: one thread, sequential, rows and tables by the same call.
"""
