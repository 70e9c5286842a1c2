"""Toy size, drawn faces, no ../shared: render, train, resume, evaluate, export, score."""

import csv
import hashlib
import json

import numpy as np
import pytest
import torch
from synthetic import write_faces

from liveproof_training import cli, contract, data, engine, evaluate, export, testmodel, train
from liveproof_training.config import TrainConfig


@pytest.fixture(scope="module")
def crops_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_faces(folder / "faces", grids=6, per_grid=2)
    args = ["render", "--shared", str(folder), "--out", str(folder / "crops"), "--variants", "2",
            "--held-out-variants", "2", "--workers", "2"]  # fmt: skip
    assert cli.main(args) == 0
    return folder / "crops"


def config(crops_folder, out, **changes) -> TrainConfig:
    base = dict(data=str(crops_folder), out=str(out), init="random", batch=4, steps=4, log_every=1, eval_every=4,
                eval_limit=4, threads=2, mix="replace", augment="nuisance")  # fmt: skip
    return TrainConfig(**{**base, **changes})


def test_rendered_store(crops_folder):
    crops = data.load_split(crops_folder, "train")
    assert crops.images.shape[1:] == (256, 256, 3) and set(crops.labels) == {0, 1}
    assert {"none", "print", "replay"} == set(crops.media)


def test_train_export_evaluate(crops_folder, tmp_path, capsys):
    result = train.Run(config(crops_folder, tmp_path / "run", mix="append")).train()
    assert 0 <= result["threshold"] <= 1.01
    with (tmp_path / "run" / "log.csv").open() as f:
        rows = list(csv.DictReader(f))
    assert [int(r["step"]) for r in rows] == [1, 2, 3, 4] and rows[-1]["dev_auc"]
    final = str(tmp_path / "run" / "final.pt")
    assert cli.main(["export", "--checkpoint", final, "--data", str(crops_folder), "--out", str(tmp_path), "--golden"]) == 0
    golden = json.loads((tmp_path / "golden" / "golden.json").read_text())
    assert len(golden["cases"]) == 3 * len({c["pai"] for c in golden["cases"]}) >= 9 and all((tmp_path / "golden" / c["image"]).is_file() for c in golden["cases"])
    model = tmp_path / "liveproof-demo-resnet18-fp16.onnx"
    entries = {e["file"]: e for e in json.loads((tmp_path / "manifest.json").read_text())["models"]}
    assert entries[model.name]["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert evaluate.threshold(model) == pytest.approx(result["threshold"], abs=2e-3)  # of the fp16 file's own scores
    capsys.readouterr()
    assert cli.main(["evaluate", "--model", str(model), "--data", str(crops_folder), "--out", str(tmp_path / "eval")]) == 0
    assert "| all |" in capsys.readouterr().out
    assert json.loads((tmp_path / "eval" / "test.json").read_text())["all"]["attacks"] > 0


def test_resumed_run_equals_an_uninterrupted_one(crops_folder, tmp_path):
    changes = dict(eval_every=99, mix="append", batch=3)
    whole = train.Run(config(crops_folder, tmp_path / "a", **changes))
    whole.train()
    first = train.Run(config(crops_folder, tmp_path / "b", **{**changes, "steps": 2}))
    first.train()
    second = train.Run(config(crops_folder, tmp_path / "b", **changes), resume=True)
    second.train()
    for (name, p), q in zip(whole.net.state_dict().items(), second.net.state_dict().values()):
        assert torch.equal(p, q), name


def test_starts_from_a_checkpoint(crops_folder, tmp_path):
    first = train.Run(config(crops_folder, tmp_path / "a", steps=1))
    first.train()
    second = train.Run(config(crops_folder, tmp_path / "b", init=str(tmp_path / "a" / "final.pt")))
    assert all(torch.equal(a, b) for a, b in zip(first.net.state_dict().values(), second.net.state_dict().values()))
    assert second.initial.missing == [] and "random" in second.initial.description


def test_overfits_a_few_pictures(crops_folder, tmp_path):
    """The loop learns: on one small batch the loss falls by half in a few steps."""
    run = train.Run(config(crops_folder, tmp_path / "o", lr=1e-3, mix="none"))
    images = torch.from_numpy(data.centre(run.train_crops.images[:8]).transpose(0, 3, 1, 2).copy())
    targets = torch.from_numpy(run.train_crops.labels[:8]).float()
    losses = [engine.train_step(run.net, run.opt, images, targets, run.config, run.device)[0] for _ in range(12)]
    assert min(losses[-3:]) < 0.5 * losses[0]


def test_frozen_layers_stay(crops_folder, tmp_path):
    run = train.Run(config(crops_folder, tmp_path / "f", freeze="layer1", steps=2))
    before = {k: v.clone() for k, v in run.net.state_dict().items()}
    run.train()
    changed = {k for k, v in run.net.state_dict().items() if not torch.equal(v, before[k])}
    assert changed and not any(k.startswith(("encoder.conv1", "encoder.bn1", "encoder.layer1")) for k in changed)


def test_non_finite_loss_stops_the_run(crops_folder, tmp_path):
    run = train.Run(config(crops_folder, tmp_path / "n"))
    with torch.no_grad():
        run.net.head.bias.fill_(float("nan"))
    with pytest.raises(engine.NonFiniteLoss):
        run.train()


def test_items_depend_on_seed_epoch_and_index_alone(crops_folder, tmp_path):
    c = config(crops_folder, tmp_path)
    one, two = (data.PdleDataset(data.load_split(crops_folder, "train"), c) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one[3], two[3]))
    two.epoch = 1
    assert not torch.equal(one[3][0], two[3][0])


def test_batches_are_balanced():
    labels = np.array([1] * 10 + [0] * 4)
    order = list(data.BalancedSampler(labels, seed=1))
    assert len(order) == 20 and [labels[i] for i in order] == [0, 1] * 10
    assert set(order) == set(range(14)), "every item is seen"


@pytest.mark.parametrize("name, value", [("mix", "cut"), ("k", 0), ("mix_prob", 1.5), ("max_level", 11), ("lr", 0.0), ("eval_limit", 0)])
def test_bad_settings_are_named(name, value):
    with pytest.raises(ValueError, match=name):
        TrainConfig(**{name: value}).check()


def test_unknown_settings_are_named():
    with pytest.raises(ValueError, match="learning_rate"):
        TrainConfig.from_dict({"learning_rate": 1})


def test_missing_data_is_an_error_not_a_trace(tmp_path, capsys):
    assert cli.main(["train", "--data", str(tmp_path), "--out", str(tmp_path / "o")]) == 1
    assert "manifest.csv is missing" in capsys.readouterr().err


def test_tiny_models_keep_or_break_the_contract(tmp_path):
    import onnxruntime

    paths = {p.name: p for p in testmodel.write_all(tmp_path)}
    faces = np.full((3, 224, 224, 3), 51, np.uint8)
    rho, probabilities = export.run(paths["tiny.onnx"], faces)
    np.testing.assert_allclose(rho, 0.2, atol=1e-6)
    np.testing.assert_allclose(probabilities @ (np.arange(contract.K + 1) / contract.K), rho, atol=1e-6)
    assert np.isnan(export.run(paths["nan.onnx"], faces)[0]).all()
    assert (export.run(paths["out_of_range.onnx"], faces)[0] > 1).all()
    assert onnxruntime.InferenceSession(str(paths["missing_metadata.onnx"])).get_modelmeta().custom_metadata_map == {}
