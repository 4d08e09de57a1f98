"""The Open Inference Protocol V2 over gRPC, on a port of its own.

Comes in: the protocol's messages. Goes out: its messages, or a status whose text is a coded error.
Holds: the only room that imports grpc; the same routes and the same scoring path as over HTTP.
"""
