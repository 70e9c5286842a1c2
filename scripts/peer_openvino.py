#!/usr/bin/env python3
"""Runs the peer (the Python server of bench_peer.sh) with OpenVINO in place of plain ONNX Runtime.

The classes below replace the peer's module ort_ctypes. Call this program like a Python interpreter:
peer_openvino.py [-W ignore] PROGRAM [ARGUMENT …]. PEER_PRECISION is OpenVINO's inference precision (default bf16). It needs
the package onnxruntime-openvino.
"""

import json
import os
import runpy
import sys
import types

import onnxruntime

PROVIDER = "OpenVINOExecutionProvider"


class Runtime:
    """Does nothing: the package loads its own library, not the one that the peer names."""

    def __init__(self, _library):
        pass


class Session:
    """One network, on one thread."""

    def __init__(self, _runtime, path, input_name, output_names, threads=1):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        precision = os.environ.get("PEER_PRECISION", "bf16")
        config = {"CPU": {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": str(threads), "NUM_STREAMS": "1"}}
        self._session = onnxruntime.InferenceSession(path, options, providers=[(PROVIDER, {"device_type": "CPU", "load_config": json.dumps(config)})])
        if self._session.get_providers()[0] != PROVIDER:
            raise SystemExit(f"{path}: ONNX Runtime did not take {PROVIDER}")
        self._input, self._outputs = input_name, output_names

    def run(self, x):
        return self._session.run(self._outputs, {self._input: x})


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        raise SystemExit(2)
    arguments = sys.argv[3:] if sys.argv[1] == "-W" else sys.argv[1:]
    replacement = types.ModuleType("ort_ctypes")
    replacement.Runtime, replacement.Session = Runtime, Session
    sys.modules["ort_ctypes"] = replacement
    sys.argv = arguments
    sys.path[0] = os.path.dirname(arguments[0])
    runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    main()
