"""The exported files keep the model contract and PyTorch's scores, for every encoder, head and precision."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from synthetic import pictures, write_crops

from liveproof_training import cli, contract
from liveproof_training.config import TrainConfig
from liveproof_training.evaluation import usable
from liveproof_training.export import golden, half, onnxfiles, onnxgraph, parity, quantise, speed, threshold
from liveproof_training.fit import checkpoint
from liveproof_training.loading import data
from liveproof_training.method import model

KEYS = {f"liveproof.{f.name}" for f in dataclasses.fields(contract.Metadata)} | {"liveproof.schema"}
ARMS = {"resnet18": "expected", "mobilenet_v2": "sigmoid"}
# What does not depend on the network is tried on one.
one_encoder = pytest.mark.parametrize("exported", ["mobilenet_v2"], indirect=True)
ROOT = Path(__file__).resolve().parents[2]


def random_net(encoder: str, images: np.ndarray) -> model.LivenessNet:
    """Each batch norm knows the statistics of its input, so that signals reach the end; a head whose scores spread."""
    torch.manual_seed(0)
    net = model.LivenessNet(10, ARMS[encoder], encoder)
    if encoder == "mobilenet_v2":
        net.encoder.as_tensorflow()
    x = data.normalise(torch.from_numpy(data.centre(images)).permute(0, 3, 1, 2), torch.device("cpu"))
    with torch.no_grad():
        for norm in (m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)):
            norm.momentum = 1.0
        net.train()(x)
        features = net.eval().features(x)
        net.head.weight.mul_(0.12 / net.head(features).std(0).mean())
        net.head.bias.sub_(net.head(features).mean(0))
    return net


@pytest.fixture(scope="module", params=sorted(ARMS))
def exported(request, tmp_path_factory):
    """(checkpoint, files, crops, encoder), exported in all precisions."""
    folder, encoder = tmp_path_factory.mktemp("export"), request.param
    images = pictures(16, seed=0)
    config = TrainConfig().replace(encoder=encoder, head=ARMS[encoder], data=str(folder))
    extra = {"dev": {"threshold": 0.4321}, "data_sha256": "ab" * 32, "revision": "test", "initial": "random"}
    checkpoint.save(folder / "net.pt", random_net(encoder, images), config, 0, extra)
    write_crops(folder, {"train": images, "dev": pictures(12, seed=1), "test": pictures(8, seed=2)})
    sources = onnxfiles.Sources("test", "random pictures", "nothing", demo=True)
    files = onnxfiles.export_all(folder / "net.pt", folder, folder, sources, onnxfiles.Options(calibration=16))
    return folder / "net.pt", files, images, encoder


@pytest.mark.parametrize("precision", onnxfiles.PRECISIONS)
def test_contract(exported, precision):
    _, files, _, encoder = exported
    session = onnxruntime.InferenceSession(str(files[precision]))
    (faces,) = session.get_inputs()
    assert (faces.name, faces.type, faces.shape[1:]) == ("faces", "tensor(uint8)", [224, 224, 3])
    assert isinstance(faces.shape[0], str), "N must be free"
    rho, probabilities = session.get_outputs()
    k = 10 if ARMS[encoder] == "expected" else 1
    assert (rho.name, rho.type, len(rho.shape)) == ("rho", "tensor(float)", 1)
    assert (probabilities.name, probabilities.type, probabilities.shape[1]) == ("probabilities", "tensor(float)", k + 1)
    props = session.get_modelmeta().custom_metadata_map
    assert set(props) == KEYS
    assert (props["liveproof.precision"], props["liveproof.k"], props["liveproof.demo"]) == (precision, str(k), "true")
    assert props["liveproof.encoder"] == f"{encoder}, started from random"
    loaded = onnx.load(files[precision])
    assert [o.version for o in loaded.opset_import if o.domain in ("", "ai.onnx")] == [17]
    assert loaded.ir_version == 8


@one_encoder
def test_each_file_has_the_threshold_of_its_own_scores(exported):
    told = json.loads((exported[0].parent / "test-parity.json").read_text())
    for precision, file in exported[1].items():
        props = {p.key: p.value for p in onnx.load(file).metadata_props}
        assert float(props["liveproof.threshold"]) == pytest.approx(told["scores"][precision]["threshold"], abs=1e-6)
        assert precision in props["liveproof.threshold_source"] and "12 dev crops" in props["liveproof.threshold_source"]


@one_encoder
def test_a_threshold_taken_again_is_that_of_the_crops_and_leaves_the_scores(exported, tmp_path, capsys):
    model, faces = tmp_path / exported[1]["int8"].name, data.centre(exported[2])
    shutil.copy(exported[1]["int8"], model)
    shutil.copy(exported[0].parent / "test-parity.json", tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    images = pictures(40, seed=5)
    write_crops(tmp_path, {"dev": images})
    before = parity.run(model, faces)[0]
    assert cli.main(["threshold", "--model", str(model), "--data", str(tmp_path), "--bpcer", "0.2"]) == 0
    want = np.sort(parity.run(model, data.centre(images[1::2]))[0])[4]
    props = {p.key: p.value for p in onnx.load(model).metadata_props}
    assert float(props["liveproof.threshold"]) == pytest.approx(want, abs=1e-6)
    assert props["liveproof.threshold_source"] == "nothing; of this int8 file's own scores on 20 bona fide dev crops"
    np.testing.assert_array_equal(parity.run(model, faces)[0], before)
    assert json.loads((tmp_path / "test-parity.json").read_text())["scores"]["int8"]["threshold"] == pytest.approx(want, abs=1e-6)
    (entry,) = json.loads((tmp_path / "manifest.json").read_text())["models"]
    assert entry["metadata"] == props and entry["dev"]["threshold"] == pytest.approx(want, abs=1e-6)


@one_encoder
def test_the_threshold_is_of_the_crops_that_count(exported, tmp_path):
    model = tmp_path / exported[1]["int8"].name
    shutil.copy(exported[1]["int8"], model)
    write_crops(tmp_path, {"dev": pictures(40, seed=5)})
    bona_fide = data.load_split(tmp_path, "dev").images.take(np.arange(1, 40, 2))
    rho = parity.run(model, data.centre(bona_fide))[0]
    worst = set(np.argsort(rho)[:4])
    names = [usable.name(2 * n + 1, image) for n, image in enumerate(bona_fide)]
    scores = tmp_path / "scores-eval.csv"
    scores.write_text("test_label,reasons\n" + "".join(f"{name},{'hazy' if n in worst else ''}\n" for n, name in enumerate(names)))
    args = ["threshold", "--model", str(model), "--data", str(tmp_path), "--bpcer", "0.2", "--dev-reasons", str(scores)]
    assert cli.main(args) == 0
    props = {p.key: p.value for p in onnx.load(model).metadata_props}
    assert float(props["liveproof.threshold"]) == pytest.approx(np.sort(rho)[4 + 3], abs=1e-6)  # a fifth of sixteen is three
    assert props["liveproof.threshold_source"].endswith("own scores on 16 bona fide dev crops")
    scores.write_text("test_label,reasons\n" + "".join(f"{name},hazy\n" for name in names))
    assert cli.main(args) == 1


@one_encoder
def test_only_exported_files_and_bona_fide_crops_give_a_threshold(exported, tmp_path):
    crops = data.load_split(exported[0].parent, "dev")
    bare = onnx.load(exported[1]["int8"])
    del bare.metadata_props[:]
    onnx.save(bare, tmp_path / "bare.onnx")
    with pytest.raises(ValueError, match="no liveproof.threshold"):
        threshold.again(tmp_path / "bare.onnx", crops, threshold.Rule(0.1))
    attacks = dataclasses.replace(crops, labels=np.zeros_like(crops.labels))
    with pytest.raises(ValueError, match="no bona fide"):
        threshold.again(exported[1]["int8"], attacks, threshold.Rule(0.1))


@pytest.mark.parametrize("precision", onnxfiles.PRECISIONS)
def test_any_batch_gives_the_same_scores(exported, precision):
    faces = data.centre(exported[2][:5])
    want = parity.run(exported[1][precision], faces, batch=5)[0]
    rho, probabilities = parity.run(exported[1][precision], faces, batch=1)
    assert rho.dtype == np.float32 and rho.shape == (5,)
    np.testing.assert_allclose(rho, want, atol=1e-5)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-4)
    k = probabilities.shape[1] - 1
    np.testing.assert_allclose(probabilities @ (np.arange(k + 1) / k), rho, atol=1e-4)


def test_parity_with_pytorch(exported):
    rows = json.loads((exported[0].parent / "test-parity.json").read_text())["scores"]
    spread = parity.run(exported[1]["fp32"], data.centre(exported[2]))[0]
    assert np.ptp(spread) > 0.02, "scores that are all alike would be near each other whatever the export did"
    assert rows["fp32"]["max"] <= 1e-4
    assert rows["fp16"]["max"] <= 2e-3
    assert rows["int8"]["mean"] <= 0.05


def test_int8_reads_bytes_and_keeps_no_rectifier(exported):
    graph = onnx.load(exported[1]["int8"]).graph
    kinds = [node.op_type for node in graph.node]
    assert "Relu" not in kinds and "Clip" not in kinds and "Cast" not in kinds
    assert kinds.count("Pad") == 3, "of the three colours; the others are the convolutions' own"
    reader = onnxgraph.producers(graph)[onnxgraph.first(graph, "Conv").input[0]]
    assert reader.op_type == "DequantizeLinear" and reader.input[0] == "pixels"


def test_bias_correction_takes_the_shift_off(exported, tmp_path, monkeypatch):
    """Channel means of the last convolution are nearer to float32's than without it."""
    faces = data.centre(exported[2])
    monkeypatch.setattr(quantise, "_correct_biases", lambda *args: None)
    quantise.to_int8(exported[1]["fp32"], tmp_path / "plain.onnx", faces)

    def means(path):
        loaded = onnx.load(path)
        last = [node.output[0] for node in loaded.graph.node if node.op_type == "Conv"][-1]
        return quantise._channel_means(loaded, [last], faces)[0]

    want = means(exported[1]["fp32"])
    plain, corrected = (np.abs(means(p) - want).mean() for p in (tmp_path / "plain.onnx", exported[1]["int8"]))
    assert corrected < 0.5 * plain


def test_half_arithmetic_between_float_ends(exported, tmp_path):
    half.compute(exported[1]["fp32"], tmp_path / "half.onnx")
    loaded = onnx.load(tmp_path / "half.onnx")
    types = {tensor.name: tensor.data_type for tensor in loaded.graph.initializer}
    convolutions = [types[node.input[1]] for node in loaded.graph.node if node.op_type == "Conv"]
    assert convolutions[0] == onnx.TensorProto.FLOAT and set(convolutions[1:]) == {onnx.TensorProto.FLOAT16}
    faces = data.centre(exported[2])
    rho, probabilities = parity.run(tmp_path / "half.onnx", faces)
    assert rho.dtype == probabilities.dtype == np.float32
    assert np.abs(rho - parity.run(exported[1]["fp32"], faces)[0]).max() < 0.01


def test_halves_of_an_output_make_up_for_one_another():
    weights = np.random.default_rng(0).normal(0, 0.05, (8, 16, 3, 3)).astype(np.float32)
    rounded, alone = half.round_together(weights), weights.astype(np.float16)
    assert rounded.dtype == np.float16 and rounded.shape == weights.shape
    assert np.abs(rounded.astype(np.float32) - weights).max() < 2 * np.spacing(np.float16(np.abs(weights).max()))

    def off(halves):
        return np.abs((halves.astype(np.float64) - weights).reshape(8, -1).sum(axis=1)).max()

    assert off(rounded) < 1e-4 < off(alone)


def test_sizes(exported):
    sizes = {p: f.stat().st_size for p, f in exported[1].items()}
    assert sizes["fp16"] < 0.55 * sizes["fp32"] and sizes["int8"] < 0.36 * sizes["fp32"]


def told(**rows) -> dict:
    base = {"max": 0.0, "mean": 0.0, "auc": 0.9, "auc_loss": 0.0}
    return {"crops": 200, "bona_fide": 100, "scores": {name: {**base, **row} for name, row in rows.items()}}


def test_limits():
    assert parity.failures(told(fp32={"max": 1e-4}, fp16={"max": 2e-3}, int8={"max": 0.3, "auc_loss": 0.5})) == []
    assert "fp32" in parity.failures(told(fp32={"max": 1.1e-4}))[0]
    assert "fp16" in parity.failures(told(fp16={"max": float("nan")}))[0]
    assert "0.60 points" in parity.failures(told(int8={"auc_loss": 0.6}))[0]
    assert parity.failures({**told(int8={"auc_loss": 9}), "crops": 140}) == [], "40 attacks cannot tell half a point"


@one_encoder
def test_beyond_the_limits_nothing_is_written_unless_forced(exported, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(parity, "LARGEST", {"fp32": -1.0})
    args = ["export", "--checkpoint", str(exported[0]), "--data", "", "--out", str(tmp_path), "--precisions", "fp32", "--name", "n"]
    assert cli.main(args) == 1
    assert "fp32: |delta rho|" in capsys.readouterr().err and list(tmp_path.iterdir()) == []
    assert cli.main([*args, "--force"]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["n-fp32.onnx", "n-parity.json"]
    assert "the limit is" in json.loads((tmp_path / "n-parity.json").read_text())["beyond_limits"][0]


def test_a_licensed_model_says_what_it_was_trained_on(tmp_path, capsys):
    args = ["export", "--checkpoint", "final.pt", "--name", "x", "--licensed"]
    assert cli.main(args) == 1 and "say both" in capsys.readouterr().err
    assert cli.main([*args, "--training-data", "OULU-NPU"]) == 1 and "say both" in capsys.readouterr().err


def reweighted(file):
    """The same model with another weight."""
    model = onnx.load(file)
    weight = next(t for t in model.graph.initializer if t.data_type == onnx.TensorProto.FLOAT)
    weight.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weight) * np.float32(1.5), weight.name))
    return model.SerializeToString()


def pytorch_scores(folder):
    return [case["pytorch"] for case in json.loads((folder / "golden" / "golden.json").read_text())["cases"]]


@one_encoder
def test_golden_scores_of_several_models(exported, tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}-int8.onnx").write_bytes(exported[1]["int8"].read_bytes())
    (tmp_path / "one-fp32.onnx").write_bytes(b"git ignores it")
    golden.write(tmp_path, exported[0].parent, {"one": exported[0]}, per_pai=2)
    told = json.loads((tmp_path / "golden" / "golden.json").read_text())
    assert [case["image"] for case in told["cases"]] == ["none_0.png", "none_1.png", "print_0.png", "print_1.png"]
    for case in told["cases"]:
        assert set(case["rho"]) == {"one-int8", "two-int8"} and abs(case["pytorch"]["one"] - case["rho"]["one-int8"]) < 0.2
    before = (tmp_path / "golden" / "none_0.png").read_bytes()
    golden.write(tmp_path, None, {})
    assert (tmp_path / "golden" / "none_0.png").read_bytes() == before
    assert [case["pytorch"] for case in told["cases"]] == pytorch_scores(tmp_path)
    listed = json.loads((tmp_path / "manifest.json").read_text())["models"]
    assert [entry["file"] for entry in listed] == ["one-int8.onnx", "two-int8.onnx"]


@one_encoder
def test_pytorch_scores_stay_until_the_weights_change(exported, tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}-int8.onnx").write_bytes(exported[1]["int8"].read_bytes())
    golden.write(tmp_path, exported[0].parent, {"one": exported[0], "two": exported[0]}, per_pai=1)
    before = pytorch_scores(tmp_path)
    write_crops(tmp_path, {"dev": pictures(8, seed=3)})
    threshold.again(tmp_path / "one-int8.onnx", data.load_split(tmp_path, "dev"), threshold.Rule(0.1), "another")
    golden.write(tmp_path, None, {})
    assert pytorch_scores(tmp_path) == before
    (tmp_path / "one-int8.onnx").write_bytes(reweighted(exported[1]["int8"]))
    golden.manifest(tmp_path)
    golden.write(tmp_path, None, {})
    assert pytorch_scores(tmp_path) == [{"two": case["two"]} for case in before]


@one_encoder
def test_pictures_of_people_do_not_become_golden(exported, tmp_path):
    table = (exported[0].parent / "manifest.csv").read_text().replace(",rendered,test", ",oulu,test")
    (tmp_path / "manifest.csv").write_text(table)
    np.save(tmp_path / "test.npy", pictures(8, seed=2))
    with pytest.raises(ValueError, match="not committed"):
        golden.write(tmp_path, tmp_path, {})


@one_encoder
def test_speed_tells_every_combination(exported):
    files = {"fp32": exported[1]["fp32"], "int8": exported[1]["int8"]}
    rows = speed.measure(files, [1, 2], [1], rounds=2)
    assert [(r["model"], r["batch"], r["threads"]) for r in rows] == [(m, b, 1) for b in (1, 2) for m in files]
    assert all(r["ms"] > 0 and (r["model"] != "fp32" or r["ratio"] == 1) for r in rows)
    assert len(speed.table(rows).splitlines()) == 4


def test_go_and_the_trainer_agree_on_the_contract():
    source = (ROOT / "scorer" / "contract.go").read_text()
    values = dict(re.findall(r'^\s+(\w+)\s+= "?([^"\n]+?)"?$', source, re.MULTILINE))
    assert values["schema"] == contract.SCHEMA
    assert [values[n] for n in ("inputName", "rhoName", "atomsName")] == [contract.INPUT_NAME, contract.RHO_NAME, contract.PROBABILITIES_NAME]
    assert [float(values[n]) for n in ("InputSize", "cropSize", "cropMargin")] == [contract.INPUT_SIZE, contract.CROP_SIZE, contract.CROP_MARGIN]
    keys = set(re.findall(r'r\.(?:equal|number|text|match|oneOf)\("(\w+)"', source))
    assert {f"liveproof.{key}" for key in keys} == KEYS
    precisions = re.search(r'oneOf\("precision", (.*?)\)', source).group(1)
    assert tuple(re.findall(r"\w+", precisions)) == onnxfiles.PRECISIONS
