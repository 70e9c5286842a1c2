# Pinned versions of what the set-up brings. Sourced by scripts/setup.sh.
GO_VERSION=1.26.8
# livekit-server of `make test-livekit`. Later versions need forks of modules that the module proxy does not have.
LIVEKIT_SERVER_VERSION=1.8.4
# ONNX Runtime with OpenVINO, and the sha256 of onnxruntime_openvino-1.24.1-cp311-cp311-manylinux_2_28_x86_64.whl.
# scripts/onnxruntime.sha256 has the sha256 of each file that is kept of it.
ONNXRUNTIME_VERSION=1.24.1
ONNXRUNTIME_WHEEL_SHA256=3007c803634cc69c6d52af1dea7ce729d9bb62b9a11070fd2f959119199007a8
# ONNX Runtime for NVIDIA GPUs (CUDA 13), which scripts/gpu-check.sh measures: PyPI's onnxruntime-gpu, and the sha256 of its libraries.
ONNXRUNTIME_GPU_VERSION=1.30.0
ONNXRUNTIME_GPU_SHA256="
5a140dc17c8b60b35b2ceab0bb533e65ac54f06a208948417c1f9c31df6afc4c  libonnxruntime.so.1.30.0
35da2e7ed0dd0d1aec5cdb16ce11a51d06c0c48cf62d1b1c9332946a4fae14fc  libonnxruntime_providers_cuda.so
086ec1d5388f64153d9c63470d126693db9a182c8ce236d3a1119068471b8a0d  libonnxruntime_providers_shared.so
4365c6412845f42d7de138055ad3dcff5d0fbca2d748e30e8a04aa3ab0643337  libonnxruntime_providers_tensorrt.so
"
