"""A runtime of MLServer for ONNX files: it has none of its own. Names and types are the file's."""

import os
from typing import Any

import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse, MetadataTensor

TYPES = {"tensor(uint8)": "UINT8", "tensor(float)": "FP32"}


def described(values: list[Any]) -> list[MetadataTensor]:
    return [
        MetadataTensor(name=v.name, datatype=TYPES[v.type], shape=[d if isinstance(d, int) else -1 for d in v.shape])
        for v in values
    ]


class OnnxRuntime(MLModel):
    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        if not os.environ.get("SATURATE"):
            options.add_session_config_entry("session.x64quantprecision", "1")
        self.network = onnxruntime.InferenceSession(self.settings.parameters.uri, options, providers=["CPUExecutionProvider"])
        self.inputs = described(self.network.get_inputs())
        self.outputs = described(self.network.get_outputs())
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        feed = {i.name: NumpyCodec.decode_input(i) for i in payload.inputs}
        asked = [o.name for o in payload.outputs or self.outputs]
        outputs = [NumpyCodec.encode_output(n, v) for n, v in zip(asked, self.network.run(asked, feed), strict=True)]
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=outputs)
