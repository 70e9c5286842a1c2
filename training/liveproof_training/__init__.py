"""Liveproof's trainer: PDLE labels, expected liveness score, evaluation by protocols, ONNX export."""
