"""What people and programs touch: command line, REST, pages, the scorer.

Comes in: words, requests. Goes out: answers in one shape. Holds: no logic of a stage.
"""
