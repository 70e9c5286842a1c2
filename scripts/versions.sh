# Pinned versions of what the set-up brings. Sourced by scripts/setup.sh.
GO_VERSION=1.26.8
ONNXRUNTIME_VERSION=1.30.0
# sha256 of onnxruntime-1.30.0-cp311-cp311-manylinux_2_28_x86_64.whl and of the library inside.
ONNXRUNTIME_WHEEL_SHA256=fd54b314ea385bcecac69ab431f020ba503e3878dad4ebb645fec5a24b041242
ONNXRUNTIME_LIBRARY_SHA256=c902c70b3003c0e99fada202f37478c515ae9bba7944c2b2abd0017bae0c82ed
