"""The exported files keep the model contract and PyTorch's scores."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from liveproof_training import checkpoint, contract, data, export
from liveproof_training.config import TrainConfig
from liveproof_training.model import LivenessNet

KEYS = {
    f"liveproof.{k}"
    for k in (
        "schema name k crop_margin crop_size input_size threshold threshold_source training_data "
        "training_data_sha256 revision encoder precision demo"
    ).split()
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A random network with batch statistics that are not trivial, exported in all precisions."""
    folder = tmp_path_factory.mktemp("export")
    torch.manual_seed(0)
    net = LivenessNet(10)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (16, 256, 256, 3), dtype=np.uint8)
    images[::2] //= 3
    with torch.no_grad():
        for _ in range(8):  # running statistics away from 0 and 1
            net.train()(data.normalise(torch.from_numpy(data.centre(images).transpose(0, 3, 1, 2).copy()), torch.device("cpu")))
    extra = {"dev": {"threshold": 0.4321}, "data_sha256": "ab" * 32, "revision": "test", "initial": "random"}
    checkpoint.save(folder / "net.pt", net, None, TrainConfig(), 0, extra)
    np.save(folder / "train.npy", images)
    lines = ["split,index,portrait,source_grid,medium,label,seed,sha256"]
    lines += [f"train,{i},p,g,{'none' if i % 2 else 'print'},{i % 2},0,0" for i in range(16)]
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    sources = export.Sources("test", "random pictures", "nothing", demo=True)
    files = export.export_all(folder / "net.pt", folder, folder, sources, calibration=16)
    return folder / "net.pt", files, images


@pytest.mark.parametrize("precision", export.PRECISIONS)
def test_contract(exported, precision):
    session = onnxruntime.InferenceSession(str(exported[1][precision]))
    (faces,) = session.get_inputs()
    assert (faces.name, faces.type, faces.shape[1:]) == ("faces", "tensor(uint8)", [224, 224, 3])
    assert isinstance(faces.shape[0], str), "N must be free"
    rho, probabilities = session.get_outputs()
    assert (rho.name, rho.type, len(rho.shape)) == ("rho", "tensor(float)", 1)
    assert (probabilities.name, probabilities.type, probabilities.shape[1]) == ("probabilities", "tensor(float)", 11)
    props = session.get_modelmeta().custom_metadata_map
    assert set(props) == KEYS
    assert props["liveproof.precision"] == precision
    assert props["liveproof.threshold"] == "0.432100"
    assert props["liveproof.demo"] == "true"
    model = onnx.load(exported[1][precision])
    assert [o.version for o in model.opset_import if o.domain in ("", "ai.onnx")] == [17]
    assert model.ir_version == 8


@pytest.mark.parametrize("precision", export.PRECISIONS)
@pytest.mark.parametrize("batch", [1, 5])
def test_any_batch_gives_the_same_scores(exported, precision, batch):
    faces = data.centre(exported[2][:5])
    want = export.run(exported[1][precision], faces, batch=5)[0]
    rho, probabilities = export.run(exported[1][precision], faces, batch=batch)
    assert rho.dtype == np.float32 and rho.shape == (5,)
    np.testing.assert_allclose(rho, want, atol=1e-5)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-4)
    np.testing.assert_allclose(probabilities @ (np.arange(11) / 10), rho, atol=1e-4)


def test_parity_with_pytorch(exported):
    rows = export.parity(*exported[:2], exported[2])
    assert rows["fp32"]["max"] <= 1e-4
    assert rows["fp16"]["max"] <= 2e-3
    assert rows["int8"]["mean"] <= 0.05


def test_sizes(exported):
    sizes = {p: f.stat().st_size / 2**20 for p, f in exported[1].items()}
    assert sizes["fp16"] < 0.52 * sizes["fp32"] and sizes["int8"] < 0.28 * sizes["fp32"]
