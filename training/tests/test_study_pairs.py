"""The ablation on simulated pairs at toy size: one pool, every arm, tests that training never saw."""

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tiny_benchmark import FIELDS, crop

from liveproof_base import manifest
from liveproof_training import cli
from liveproof_training.config import ARMS, TrainConfig
from liveproof_training.evaluation import realpictures
from liveproof_training.fit import pooled
from liveproof_training.simulation import exchange
from liveproof_training.simulation.pool import Pool, scaled
from liveproof_training.studies import pairs

SPECIES = ("print", "replay", "cut")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """As `simulate` leaves it: a live picture and its attack in turn."""
    out = tmp_path_factory.mktemp("pool")
    with (out / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, restval="")
        writer.writeheader()
        for split, count in (("train", 9), ("dev", 6), ("test", 6)):
            images = []
            for n in range(count):
                for pai in ("none", SPECIES[n % 3]):
                    names = {"dataset": "rendered", "split": split, "domain": "rendered", "video": f"{split}/{len(images)}"}
                    writer.writerow({"crop": f"{split}.npy#{len(images)}", "pai": pai, "label": int(pai == "none"), "sha256": "0", **names})
                    images.append(crop(n, pai))
            np.save(out / f"{split}.npy", np.stack(images))
    (out / manifest.RENDERED).touch()
    return out


def words(folder, out, *more) -> list[str]:
    toy = "--steps 2 --batch 4 --size 64 --init random --threads 1 --device cpu --seeds 1 --leave-out replay"
    return ["study", "pairs", "--data", str(folder), "--out", str(out), *toy.split(), *more]


def test_every_arm_runs_on_the_pool_and_is_tested_on_what_it_never_saw(folder, tmp_path, capsys):
    assert cli.main(words(folder, tmp_path, "--stills", str(folder))) == 0
    results = {p.parent.parent.name: json.loads(p.read_text()) for p in (tmp_path / "runs" / "without-replay").rglob("result.json")}
    assert set(results) == set(ARMS) and all(r["pairs"] == 6 and r["steps"] == 2 for r in results.values())
    tests = results["full"]["tests"]
    assert {name: (t["bona_fide"], t["attacks"]) for name, t in tests.items()} == {
        "seen media": (4, 4),
        "replay, left out": (2, 2),
        "first renderer": (6, 6),
    }
    assert all(0 <= t[m] <= 1 for t in tests.values() for m in ("auc", "hter_realistic", "hter_idealised"))
    text = (tmp_path / "pairs.md").read_text()
    assert "5 runs, seeds 1" in text and "6 pairs" in text and "| seen media | replay, left out | first renderer |" in text
    assert (tmp_path / "pairs.png").stat().st_size > 10000 and len((tmp_path / "pairs.csv").read_text().splitlines()) == 16
    stamps = [p.stat().st_mtime_ns for p in sorted(tmp_path.rglob("result.json"))]
    assert cli.main(words(folder, tmp_path, "--stills", str(folder))) == 0
    assert stamps == [p.stat().st_mtime_ns for p in sorted(tmp_path.rglob("result.json"))], "finished runs are not repeated"
    assert cli.main(words(folder, tmp_path, "--own-prob", "0.5")) == 1 and "--own-prob" in capsys.readouterr().err


def test_a_run_is_repeatable_and_its_seed_matters(folder, tmp_path):
    pool = Pool.read(folder, "train", 64)

    def scores(seed: int, arm: str = "full") -> np.ndarray:
        made = {"arm": arm, "seed": seed, "steps": 2, "batch": 4, "size": 64, "init": "random", "threads": 1, "device": "cpu"}
        run = pooled.PoolRun(TrainConfig.from_dict({**made, "curve": "off", "out": str(tmp_path)}), pool, 1.0)
        run.train()
        return run.rho(pool.live)

    assert np.array_equal(scores(1), scores(1)) and not np.array_equal(scores(1), scores(2))


def test_a_pool_says_what_it_needs(folder, tmp_path, capsys):
    assert cli.main(words(folder, tmp_path, "--batch", "64")) == 1 and "more than the pool's 6" in capsys.readouterr().err
    assert cli.main(words(folder, tmp_path, "--steps", "0")) == 1 and "steps" in capsys.readouterr().err
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    lines = (folder / "manifest.csv").read_text().splitlines()
    (broken / "manifest.csv").write_text("\n".join([*lines[:2], *lines[3:]]) + "\n")
    with pytest.raises(ValueError, match="pairs"):
        Pool.read(broken, "train", 64)


def test_pictures_are_scaled_so_that_the_view_is_the_middle_of_the_product(folder):
    image = crop(3, "none")
    small = pooled.centre(scaled(image[None], 112), 112)[0].permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(small, cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA)[8:120, 8:120])


def test_an_epoch_is_every_pair_once(folder, tmp_path):
    pool = Pool.read(folder, "train", 64)
    settings = {"steps": 6, "batch": 3, "size": 64, "init": "random", "threads": 1, "device": "cpu", "out": str(tmp_path)}
    run = pooled.PoolRun(TrainConfig.from_dict(settings), pool, 1.0)
    drawn = []
    for run.step in range(6):
        drawn.append(run._next(3).tolist())
    assert sorted(sum(drawn[:3], [])) == sorted(sum(drawn[3:], [])) == list(range(9)) and drawn[:3] != drawn[3:]


def test_arms_decide_what_is_exchanged():
    found = {arm: exchange.Exchange.of(TrainConfig().replace(arm=arm), 1.0) for arm in ARMS}
    assert {arm: (e.mix_prob, e.labels) for arm, e in found.items()} == {
        "full": (0.5, "discrete"),
        "no-pe": (0.0, "discrete"),
        "no-le": (0.5, "continuous"),
        "no-pe-le": (0.0, "discrete"),
        "bce": (0.0, "discrete"),
    }


def test_continuous_labels_are_the_share_of_live_pixels():
    live, attack = torch.full((40, 3, 73, 73), 200, dtype=torch.uint8), torch.full((40, 3, 73, 73), 50, dtype=torch.uint8)
    settings = exchange.Exchange(size=64, mix_prob=1.0, own_prob=1.0, labels="continuous")
    images, labels = exchange.batch(live, attack, settings, torch.Generator().manual_seed(1))
    assert torch.allclose((images[:, 0] == 200).float().mean(dim=(1, 2)), labels, atol=1e-6)
    assert len(labels.unique()) > 20


def test_real_pictures_are_told_by_all_by_equal_sharpness_and_by_series():
    images = np.stack([crop(n, "none") for n in range(4)])
    real = realpictures.Pictures(images, np.array([1, 1, 0, 0]), np.array(["a", "a", "b", "c"]), np.array([True, False, True, False]))
    groups, rho = pairs.of_real(real, 64).groups, np.array([0.9, 0.3, 0.4, 0.5])
    assert [values.tolist() for values in groups["real, matched"](rho)] == [[0.9, 0.4], [1, 0]]
    assert groups["real, series"](rho)[0] == pytest.approx([0.6, 0.4, 0.5]) and list(groups["real"](rho)[1]) == [1, 1, 0, 0]
    real.matched[:] = False
    assert "real, matched" not in pairs.of_real(real, 64).groups
