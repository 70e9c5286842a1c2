"""A network learns from itself that disturbances change nothing."""

import copy
import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import synthetic
import torch

from liveproof_training import cli
from liveproof_training.adaptation import start
from liveproof_training.config import TrainConfig
from liveproof_training.fit import checkpoint
from liveproof_training.fit.steady import SteadyRun, SteadySettings
from liveproof_training.loading import data
from liveproof_training.method import model
from liveproof_training.simulation import conditions
from liveproof_training.simulation.conditions import Chances

MODELS = Path(__file__).resolve().parents[2] / "models"
NEVER = Chances(uneven=0, backlit=0, dark=0, bright=0, veiled=0, encoded=0)


def pictures(count: int) -> torch.Tensor:
    draws = torch.Generator().manual_seed(5)
    coarse = torch.randint(30, 220, (count, 3, 8, 8), generator=draws).float()
    return torch.nn.functional.interpolate(coarse, size=256, mode="bicubic").clamp(0, 255).to(torch.uint8)


def test_a_picture_that_nothing_happens_to_stays_as_it_is():
    images = pictures(4)
    assert (conditions.disturbed(images, NEVER).int() - images.int()).abs().max() <= 1


@pytest.mark.parametrize(
    "name, darker", [("uneven", None), ("backlit", None), ("dark", True), ("bright", False), ("veiled", None), ("encoded", None)]
)
def test_each_disturbance_does_what_its_name_says(name, darker):
    images, generator = pictures(16), torch.Generator().manual_seed(1)
    chances = dataclasses.replace(NEVER, **{name: 1.0})
    found = conditions.disturbed(images, chances, generator).float()
    apart = found.mean((1, 2, 3)) - images.float().mean((1, 2, 3))
    assert (found - images.float()).abs().mean() > 1
    if name in ("dark", "bright"):
        assert ((apart < 0.5) if name == "dark" else (apart > -0.5)).all()
    if name == "backlit":  # the middle loses light beside the corners
        ratio = lambda x: x[..., 112:144, 112:144].mean((1, 2, 3)) / x[..., :32, :32].mean((1, 2, 3))  # noqa: E731
        assert (ratio(found) < ratio(images.float()) * 1.02).all()
    if name == "veiled":  # less contrast, everywhere
        assert (found.std((1, 2, 3)) < images.float().std((1, 2, 3))).all()


def test_the_same_seed_disturbs_alike_and_another_does_not():
    images = pictures(3)
    a, b, c = (conditions.disturbed(images, Chances(), torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(a, b) and not torch.equal(a, c)


def small(seed: int = 0, balance: str = "views") -> tuple[model.LivenessNet, TrainConfig]:
    torch.manual_seed(seed)
    config = TrainConfig().replace(encoder="mobilenet_v2", balance=balance, size=64)
    return model.from_settings(config.network, config.network_k()).eval(), config


def test_disturbed_pictures_come_nearer_to_the_pictures_themselves(tmp_path):
    """The last layers of the shipped model, on its golden crops."""
    begun = start.load(MODELS / "liveproof-demo-mobilenetv2-int8.onnx")
    before = copy.deepcopy(begun.net.state_dict())
    crops = [cv2.imread(str(path))[..., ::-1] for path in sorted((MODELS / "golden").glob("*.png"))]
    images = torch.from_numpy(np.stack(crops).transpose(0, 3, 1, 2).copy())
    settings = SteadySettings(steps=25, batch=6, lr=3e-4, freeze="layer3", clean=0.0, features=0.0, device="cpu")
    run = SteadyRun(begun.net, begun.config, images, settings, Chances(uneven=0, backlit=1, dark=0, encoded=0))
    net = run.train(tmp_path)

    whole = images[..., 16:240, 16:240]
    seen = conditions.disturbed(whole, run.chances, torch.Generator().manual_seed(9))
    aim = _rho(begun.net, whole)
    apart_before, apart_after = (((_rho(of, seen) - aim) ** 2).mean().item() for of in (begun.net, net))
    assert apart_after < 0.8 * apart_before, (apart_before, apart_after)
    assert all(torch.equal(before[name], value) for name, value in begun.net.state_dict().items()), "the start itself must not change"


@torch.no_grad()
def _rho(net: model.LivenessNet, images: torch.Tensor) -> torch.Tensor:
    return net(data.normalise(images, torch.device("cpu")))[0]


def test_without_disturbances_there_is_nothing_to_learn(tmp_path):
    begun, config = small()
    run = SteadyRun(begun, config, pictures(8), SteadySettings(steps=3, batch=4, lr=1e-3, freeze="none", clean=1.0, device="cpu"), Chances())
    assert max(value.item() for value in run._step()) < 1e-10
    net = run.train(tmp_path)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(begun.state_dict().values(), net.state_dict().values()))


def test_frozen_stages_stay(tmp_path):
    begun, config = small()
    run = SteadyRun(begun, config, pictures(8), SteadySettings(steps=3, batch=4, lr=1e-3, clean=0.0, device="cpu"), Chances(dark=1))
    net = run.train(tmp_path)
    kept = [p for stage in net.encoder.stages()["layer2"] for p in stage.state_dict().values()]
    was = [p for stage in begun.encoder.stages()["layer2"] for p in stage.state_dict().values()]
    assert kept and all(torch.equal(a, b) for a, b in zip(kept, was))
    assert not torch.equal(net.head.weight, begun.head.weight)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint and simulated crops."""
    where = tmp_path_factory.mktemp("steady")
    net, config = small()
    checkpoint.save(where / "start.pt", net, config.replace(protocol="of-its-training.csv"), 0, {})
    synthetic.write_faces(where / "faces")
    assert cli.main(f"simulate --portraits {where / 'faces'} --out {where / 'crops'} --train 4 --dev 4 --test 0".split()) == 0
    return where


def test_the_command_writes_a_checkpoint_that_scores(folder):
    words = f"steady --start {folder / 'start.pt'} --data {folder / 'crops'} --out {folder / 'out'} --steps 2 --batch 4 --device cpu"
    assert cli.main(words.split()) == 0
    changed, state = checkpoint.load_net(folder / "out" / "final.pt")
    assert (folder / "out" / "log.csv").read_text().splitlines()[-1].startswith("2,"), "the last step is told, however short the run"
    assert state["steady"]["steps"] == 2 and state["conditions"]["veiled"] == 0 and "start.pt" in state["initial"]
    assert np.isfinite(changed(torch.zeros(1, 3, 224, 224))[0].item())
    words = f"export --checkpoint {folder / 'out' / 'final.pt'} --data {folder / 'crops'} --out {folder} --name steady --precisions fp32 --bpcer 0.5"
    assert cli.main(words.split()) == 0 and (folder / "steady-fp32.onnx").is_file()


def test_one_class_alone_is_refused(folder, tmp_path, capsys):
    lines = (folder / "crops" / "manifest.csv").read_text().splitlines()
    (tmp_path / "manifest.csv").write_text("\n".join([lines[0], *lines[1::2]]) + "\n")
    for packed in (folder / "crops").glob("*.npy"):
        (tmp_path / packed.name).symlink_to(packed)
    assert cli.main(f"steady --start {folder / 'start.pt'} --data {tmp_path} --out {tmp_path / 'out'}".split()) != 0
    assert "one class only" in capsys.readouterr().err


def test_what_is_no_checkpoint_is_refused(folder, tmp_path, capsys):
    (tmp_path / "text.pt").write_text("x")
    torch.save({"weight": torch.zeros(1)}, tmp_path / "weights.pt")
    for name, why in (("text.pt", "not a checkpoint"), ("weights.pt", "weights alone")):
        assert cli.main(f"steady --start {tmp_path / name} --data {folder / 'crops'} --out {tmp_path / 'out'}".split()) == 1
        assert why in capsys.readouterr().err
