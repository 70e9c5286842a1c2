"""Liveproof's trainer: PDLE labels, expected liveness score, rendered demo data, ONNX export."""

__version__ = "0.2.0"
