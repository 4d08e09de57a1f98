"""Models and their features written for other platforms.

Comes in: typed trees and model files of a package. Goes out: a file of another format.
Holds: what cannot be written is refused by name, all reasons at once; nothing is approximated.
"""
