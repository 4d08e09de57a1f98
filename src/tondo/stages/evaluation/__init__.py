"""What a packaged model is worth: reports, comparison on the same rows, the gate's verdict.

Comes in: a loaded package and labelled rows. Goes out: `Report`, `PairedComparison`, `Verdict`.
Holds: only packages are judged, by the very path that serves them; a missing metric never passes.
"""
