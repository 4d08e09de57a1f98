"""Model libraries behind `ports/library.py`, one folder each, the fitting in `train.py`.

Comes in: a float64 matrix (NaN is missing), a label, hyperparameters, a seed.
Goes out: the model's serialised forms and the importance of each feature.
Holds: the same input and seed give the same bytes; no pickle; nothing here scores in production.
"""
