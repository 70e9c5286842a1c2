"""Liveproof's trainer: PDLE labels, expected liveness score, evaluation by protocols, ONNX export."""

__version__ = "0.2.0"
