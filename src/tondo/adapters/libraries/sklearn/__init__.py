"""scikit-learn: logistic regression, kept as an ONNX graph in float64.

Comes in: a matrix and a label. Goes out: one form for the runtime `onnx`, which the base install
has. Holds: importing this folder loads neither scikit-learn nor onnx.
"""
