# Pinned versions of what the set-up brings. Sourced by scripts/setup.sh.
GO_VERSION=1.26.8
# ONNX Runtime with OpenVINO, and the sha256 of onnxruntime_openvino-1.24.1-cp311-cp311-manylinux_2_28_x86_64.whl.
# scripts/onnxruntime.sha256 has those of the files that are kept of it.
ONNXRUNTIME_VERSION=1.24.1
ONNXRUNTIME_WHEEL_SHA256=3007c803634cc69c6d52af1dea7ce729d9bb62b9a11070fd2f959119199007a8
