"""Weights in, ONNX files and their golden batches out: equal weights give equal bytes."""
