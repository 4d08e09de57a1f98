"""Messages of TensorFlow's data validation, through tensorflow-metadata.

Comes in: binary, JSON or text protobuf. Goes out: documents with proto field names, and back.
Holds: a field that a message does not have is an error, never dropped.
"""
