"""The model contract between the trainer and the scorer.

A model file is ONNX opset 17 with

* input  ``faces``          uint8   [N, 224, 224, 3], RGB, N free
* output ``rho``            float32 [N], expected liveness score in [0, 1], 1 = bona fide
* output ``probabilities``  float32 [N, K+1], each row sums to 1

and the ``metadata_props`` built by :class:`Metadata`. ``docs/model-contract.md`` is the
same in prose; the scorer refuses any file that differs.
"""

from __future__ import annotations

import dataclasses

from liveproof_base import crop

SCHEMA = "1"
OPSET = 17
IR_VERSION = 8
INPUT_NAME = "faces"
RHO_NAME = "rho"
PROBABILITIES_NAME = "probabilities"

K = 10
CROP_MARGIN, CROP_SIZE = crop.MARGIN, crop.SIZE
INPUT_SIZE = 224  # pixels, centre of the 256 crop
THRESHOLD, THRESHOLD_SOURCE = "liveproof.threshold", "liveproof.threshold_source"  # keys of the metadata

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # RGB, of values in [0, 1]
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclasses.dataclass
class Metadata:
    """What travels in ``metadata_props`` under the prefix ``liveproof.``; every value a string."""

    name: str
    threshold: float  # decide bona fide at rho >= threshold; equal error rate on the development set
    threshold_source: str
    training_data: str
    training_data_sha256: str
    revision: str
    encoder: str
    precision: str  # fp32 | fp16 | int8
    demo: bool  # true unless trained on licensed benchmark data or on an operator's own pictures
    k: int = K
    crop_margin: float = CROP_MARGIN
    crop_size: int = CROP_SIZE
    input_size: int = INPUT_SIZE

    def props(self) -> dict[str, str]:
        return {
            "liveproof.schema": SCHEMA,
            "liveproof.name": self.name,
            "liveproof.k": str(self.k),
            "liveproof.crop_margin": repr(float(self.crop_margin)),
            "liveproof.crop_size": str(self.crop_size),
            "liveproof.input_size": str(self.input_size),
            THRESHOLD: f"{self.threshold:.6f}",
            THRESHOLD_SOURCE: self.threshold_source,
            "liveproof.training_data": self.training_data,
            "liveproof.training_data_sha256": self.training_data_sha256,
            "liveproof.revision": self.revision,
            "liveproof.encoder": self.encoder,
            "liveproof.precision": self.precision,
            "liveproof.demo": "true" if self.demo else "false",
        }


def stamp(model, metadata: Metadata) -> None:
    """Replaces the metadata of an ``onnx.ModelProto`` in place."""
    del model.metadata_props[:]
    for key, value in metadata.props().items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
