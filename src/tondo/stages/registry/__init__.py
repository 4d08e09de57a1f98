"""Model versions and the tags that point at them.

Comes in: a package with its run, report and verdict. Goes out: `ModelVersion`, tags with history.
Holds: versions never change and number 1, 2, 3 without a gap; a tag moves by compare-and-swap.
"""
