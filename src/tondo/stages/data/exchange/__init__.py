"""Schemas, statistics and anomalies in the forms of other tools, and from them.

Comes in: our values, or their documents as JSON's types. Goes out: the other, and sentences.
Holds: what a form cannot carry is named in a sentence, never dropped in silence.
"""
