"""Toy size, drawn faces, no shared inputs: render, train, export, evaluate."""

import csv
import hashlib
import json

import cv2
import numpy as np
import pytest
from synthetic import write_faces

from liveproof_render import cli as render
from liveproof_training import cli, contract
from liveproof_training.config import TrainConfig
from liveproof_training.evaluation import scoring
from liveproof_training.export import parity, testmodel
from liveproof_training.fit import train
from liveproof_training.loading import data


@pytest.fixture(scope="module")
def crops_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_faces(folder / "faces", grids=6, per_grid=2)
    args = ["crops", "--shared", str(folder), "--out", str(folder / "crops"), "--variants", "2", "--held-out-variants", "2", "--workers", "2"]
    assert render.main(args) == 0
    return folder / "crops"


def config(crops_folder, out, **changes) -> TrainConfig:
    base = dict(
        data=str(crops_folder),
        out=str(out),
        init="random",
        batch=4,
        steps=4,
        log_every=1,
        eval_every=4,
        eval_limit=4,
        threads=2,
        mix="replace",
        augment="nuisance",
        size=64,
    )
    return TrainConfig.from_dict({**base, **changes})


def test_rendered_store(crops_folder):
    crops = data.load_split(crops_folder, "train")
    assert crops.images[:2].shape == (2, 256, 256, 3) and set(crops.labels) == {0, 1}
    assert {"none", "print", "replay"} <= set(crops.pai) and set(crops.domains) == {0}


def test_pairs_of_rendered_crops_in_one_picture(crops_folder, tmp_path):
    assert render.main(["sheet", "--data", str(crops_folder), "--split", "train", "--out", str(tmp_path / "sheet.png")]) == 0
    height, width, _ = cv2.imread(str(tmp_path / "sheet.png")).shape
    assert height / width == pytest.approx(4 / 10, abs=0.01), "two rows of pairs, ten across"


def test_training_on_crops_rendered_meanwhile(crops_folder, tmp_path):
    faces = crops_folder.parent / "faces"
    run = train.Run(config(crops_folder, tmp_path / "run", data=f"render:{faces}", steps=1, eval_every=9))
    assert set(run.train_crops.pai) > {"none", "print"} and set(run.train_crops.labels) == {0, 1}
    run.train()
    assert (tmp_path / "run" / "final.pt").is_file()


def test_train_export_evaluate(crops_folder, tmp_path, capsys):
    result = train.Run(config(crops_folder, tmp_path / "run", mix="append")).train()
    assert 0 <= result["threshold"] <= 1.01
    with (tmp_path / "run" / "log.csv").open() as f:
        rows = list(csv.DictReader(f))
    assert [int(r["step"]) for r in rows] == [1, 2, 3, 4] and rows[-1]["dev_auc"]
    final = str(tmp_path / "run" / "final.pt")
    assert cli.main(["export", "--checkpoint", final, "--data", str(crops_folder), "--out", str(tmp_path), "--golden"]) == 0
    golden = json.loads((tmp_path / "golden" / "golden.json").read_text())
    assert len(golden["cases"]) == 3 * len({c["pai"] for c in golden["cases"]}) >= 9 and all(
        (tmp_path / "golden" / c["image"]).is_file() for c in golden["cases"]
    )
    model = tmp_path / "liveproof-demo-resnet18-fp16.onnx"
    entries = {e["file"]: e for e in json.loads((tmp_path / "manifest.json").read_text())["models"]}
    assert entries[model.name]["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert scoring.threshold(model) == pytest.approx(result["threshold"], abs=2e-3)  # of the fp16 file's own scores
    capsys.readouterr()
    assert cli.main(["evaluate", "--model", str(model), "--data", str(crops_folder), "--out", str(tmp_path / "eval")]) == 0
    assert "| all |" in capsys.readouterr().out
    assert json.loads((tmp_path / "eval" / "test.json").read_text())["all"]["attacks"] > 0


def test_tiny_models_keep_or_break_the_contract(tmp_path):
    import onnxruntime

    paths = {p.name: p for p in testmodel.write_all(tmp_path)}
    faces = np.full((3, 224, 224, 3), 51, np.uint8)
    rho, probabilities = parity.run(paths["tiny.onnx"], faces)
    np.testing.assert_allclose(rho, 0.2, atol=1e-6)
    np.testing.assert_allclose(probabilities @ (np.arange(contract.K + 1) / contract.K), rho, atol=1e-6)
    assert np.isnan(parity.run(paths["nan.onnx"], faces)[0]).all()
    assert (parity.run(paths["out_of_range.onnx"], faces)[0] > 1).all()
    assert onnxruntime.InferenceSession(str(paths["missing_metadata.onnx"])).get_modelmeta().custom_metadata_map == {}
