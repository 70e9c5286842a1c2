# Pinned versions of what the set-up brings. Sourced by scripts/setup.sh.
GO_VERSION=1.26.8
ONNXRUNTIME_VERSION=1.30.0
# sha256 of onnxruntime-1.30.0-cp311-cp311-manylinux_2_28_x86_64.whl and of the library inside.
ONNXRUNTIME_WHEEL_SHA256=fd54b314ea385bcecac69ab431f020ba503e3878dad4ebb645fec5a24b041242
ONNXRUNTIME_LIBRARY_SHA256=c902c70b3003c0e99fada202f37478c515ae9bba7944c2b2abd0017bae0c82ed
# sha256 of the libraries of PyPI's onnxruntime-gpu of that version, which scripts/gpu-check.sh measures.
ONNXRUNTIME_GPU_SHA256="
5a140dc17c8b60b35b2ceab0bb533e65ac54f06a208948417c1f9c31df6afc4c  libonnxruntime.so.1.30.0
35da2e7ed0dd0d1aec5cdb16ce11a51d06c0c48cf62d1b1c9332946a4fae14fc  libonnxruntime_providers_cuda.so
086ec1d5388f64153d9c63470d126693db9a182c8ce236d3a1119068471b8a0d  libonnxruntime_providers_shared.so
4365c6412845f42d7de138055ad3dcff5d0fbca2d748e30e8a04aa3ab0643337  libonnxruntime_providers_tensorrt.so
"
