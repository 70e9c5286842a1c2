"""A whole run on simulated pairs, small: checkpoint, mean of the weights, export."""

import csv
import json

import numpy as np
import pytest
import synthetic
import torch

from liveproof_training import cli
from liveproof_training.fit import checkpoint
from liveproof_training.fit.average import Average


def test_the_mean_of_the_weights_follows_them_slowly():
    net = torch.nn.Sequential(torch.nn.Linear(1, 1, bias=False), torch.nn.BatchNorm1d(1))
    torch.nn.init.zeros_(net[0].weight)
    mean = Average(net, 0.5)
    for _ in range(2000):
        mean.update(net)
    torch.nn.init.ones_(net[0].weight)
    mean.update(net)
    assert mean.net[0].weight.item() == pytest.approx(0.5) and not mean.net[0].weight.requires_grad
    mean.update(net)
    assert mean.net[0].weight.item() == pytest.approx(0.75) and net[0].weight.item() == 1
    assert mean.net[1].num_batches_tracked == net[1].num_batches_tracked


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    synthetic.write_faces(folder / "faces")
    words = f"train-simulated --portraits {folder / 'faces'} --out {folder / 'out'} --minutes 0.02 --batch 2 --dev-pairs 8 --log-every 1"
    words += " --init random --size 64 --reuse 2 --threads 1"
    assert cli.main(words.split()) == 0
    return folder


def test_a_run_leaves_a_checkpoint_that_scores(run):
    net, state = checkpoint.load_net(run / "out" / "final.pt")
    assert state["dev"]["crops"] == 16 and 0 <= state["dev"]["auc"] <= 1 and state["simulation"]["reuse"] == 2
    rho, _ = net(torch.zeros(2, 3, 224, 224))
    assert rho.shape == (2,) and (run / "out" / "log.csv").read_text().count("\n") > 1
    assert json.loads((run / "out" / "config.json").read_text())["crops"]["size"] == 64


def test_families_of_attacks_can_be_weighed_and_told_apart(run, tmp_path):
    assert json.loads((run / "out" / "config.json").read_text())["domains"]["adversary"] == "off", "unless asked for"
    words = f"train-simulated --portraits {run / 'faces'} --out {tmp_path} --minutes 0.02 --batch 8 --dev-pairs 8 --log-every 1 --init random"
    assert cli.main(f"{words} --size 64 --threads 1 --adversary on --families worst".split()) == 0
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(float(row["loss_domain"]) > 0 for row in rows)
    assert all(sum(float(row[f"weight_{name}"]) for name in ("print", "cut", "replay")) == pytest.approx(1, abs=1e-4) for row in rows)


def test_simulated_crops_choose_the_threshold_of_an_export(run):
    data, models = run / "crops", run / "models"
    words = f"simulate --portraits {run / 'faces'} --out {data} --train 4 --dev 6 --test 0"
    assert cli.main(words.split()) == 0
    words = f"export --checkpoint {run / 'out' / 'final.pt'} --data {data} --out {models} --name small --precisions fp32 --bpcer 0.1"
    assert cli.main(words.split()) == 0
    told = json.loads((models / "small-parity.json").read_text())["scores"]
    assert told["fp32"]["threshold"] == pytest.approx(told["pytorch"]["threshold"], abs=1e-3)
    from liveproof_training.evaluation import scoring

    rho = scoring.scores(models / "small-fp32.onnx", np.load(data / "dev.npy")[::2])
    assert (rho < told["fp32"]["threshold"]).mean() <= 0.1


def test_real_pictures_need_a_rate(run, capsys):
    words = f"export --checkpoint {run / 'out' / 'final.pt'} --pictures {run} --out {run / 'models'}"
    assert cli.main(words.split()) != 0
    assert "--bpcer" in capsys.readouterr().err
    assert cli.main([*words.split("--pictures")[0].split(), "--bpcer", "0.1", "--reasons", "scores-eval.csv"]) != 0
    assert "--pictures" in capsys.readouterr().err


def test_without_portraits_the_error_names_the_flag(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("LIVEPROOF_SHARED", raising=False)
    assert cli.main(["train-simulated", "--out", str(tmp_path / "out")]) != 0
    assert "--portraits" in capsys.readouterr().err
