"""The event log on plain files.

Comes in: payloads. Goes out: frames with checksums in segment files, one writer each.
Holds: what `append` returned from survives the death of any process; a torn tail is no error.
"""
