"""The stages' dataclasses to and from their messages; leaf servicers and their gRPC clients both use it."""
