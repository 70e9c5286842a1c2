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
        "seen, print": (4, 2),
        "seen, cut": (4, 2),
        "replay, left out": (2, 2),
        "first renderer": (6, 6),
    }
    assert all(0 <= t[m] <= 1 for t in tests.values() for m in ("auc", "hter_realistic", "hter_idealised"))
    text = (tmp_path / "pairs.md").read_text()
    assert "5 runs, seeds 1" in text and "6 pairs" in text and "| seen media | seen, print | seen, cut | replay, left out | first renderer |" in text
    assert (tmp_path / "pairs.png").stat().st_size > 10000 and len((tmp_path / "pairs.csv").read_text().splitlines()) == 26
    stamps = [p.stat().st_mtime_ns for p in sorted(tmp_path.rglob("result.json"))]
    assert cli.main(words(folder, tmp_path, "--stills", str(folder))) == 0
    assert stamps == [p.stat().st_mtime_ns for p in sorted(tmp_path.rglob("result.json"))], "finished runs are not repeated"
    assert cli.main(words(folder, tmp_path, "--own-prob", "0.5")) == 1 and "--own-prob" in capsys.readouterr().err


def options(folder, wide, out, *more) -> list[str]:
    toy = "--steps 2 --batch 4 --size 64 --init random --threads 1 --device cpu --seeds 1 --log-every 1"
    return ["study", "options", "--data", str(folder), "--wide", str(wide), "--out", str(out), *toy.split(), *more]


@pytest.fixture(scope="module")
def wide(folder, tmp_path_factory):
    """Other crops of the same pairs."""
    out = Path(shutil.copytree(folder, tmp_path_factory.mktemp("wide") / "pool"))
    for path in out.glob("*.npy"):
        np.save(path, np.load(path)[:, ::-1, ::-1])
    return out


def test_options_are_the_full_method_with_one_thing_more(folder, wide, tmp_path):
    assert cli.main(options(folder, wide, tmp_path)) == 0
    results = {p.parent.parent.name: json.loads(p.read_text()) for p in (tmp_path / "runs" / "all-media").rglob("result.json")}
    assert set(results) == {"full", "worst-family", "family-adversary", "wide", "both-margins"}
    told = {arm: (r["settings"]["losses"]["families"], r["settings"]["domains"]["adversary"]) for arm, r in results.items()}
    plain = ("mean", "off")
    assert told == {"full": plain, "worst-family": ("worst", "off"), "family-adversary": ("mean", "on"), "wide": plain, "both-margins": plain}
    data = {arm: r["settings"]["crops"]["data"] for arm, r in results.items()}
    assert data["full"] == str(folder) and data["wide"] == str(wide) and data["both-margins"] == f"{folder},{wide}"
    assert all(set(r["tests"]) == {"seen media", "seen, print", "seen, cut", "seen, replay"} for r in results.values())

    def log(arm: str) -> dict[str, str]:
        with (tmp_path / "runs" / "all-media" / arm / "1" / "log.csv").open(newline="") as file:
            return list(csv.DictReader(file))[-1]

    weights = [float(log("worst-family")[f"weight_{name}"]) for name in SPECIES]
    assert sum(weights) == pytest.approx(1, abs=1e-4) and len(set(weights)) == 3 and log("full")["weight_print"] == ""
    assert float(log("family-adversary")["loss_domain"]) > 0 and log("full")["loss_domain"] == ""
    assert "margins 1.3 and 1.6" in (tmp_path / "options.md").read_text()


def test_options_say_what_they_need(folder, wide, tmp_path, capsys):
    words = options(folder, wide, tmp_path)
    del words[4:6]
    assert cli.main(words) == 1 and "--wide" in capsys.readouterr().err
    assert cli.main(options(folder, wide, tmp_path, "--arms", "both-margins", "--keep-weights")) == 1 and "no file" in capsys.readouterr().err
    assert cli.main(options(folder, wide, tmp_path, "--arms", "both-margins", "--balance", "face")) == 1 and "balance" in capsys.readouterr().err
    assert cli.main(options(folder, wide, tmp_path, "--families", "worst")) == 1 and "arms of options set it" in capsys.readouterr().err


def test_two_crops_of_a_picture_are_seen_as_the_mean_of_their_features(folder, wide, tmp_path):
    settings = {"steps": 1, "batch": 3, "size": 64, "init": "random", "threads": 1, "device": "cpu", "out": str(tmp_path), "adversary": "off"}
    pool = Pool.read(folder, "test", 64)
    both = pool.beside(Pool.read(wide, "test", 64))
    net = pooled.PoolRun(TrainConfig.from_dict(settings), both, 1.0).net.eval()
    narrow, other = (torch.rand(2, 3, 64, 64) for _ in range(2))
    with torch.no_grad():
        features = net.features(torch.cat([narrow, other], dim=1))
        torch.testing.assert_close(features, (net.encoder(narrow) + net.encoder(other)) / 2)
    with pytest.raises(ValueError, match="same pairs"):
        pool.beside(pool.only(pool.species != "cut"))


def test_a_mixed_picture_is_of_families_by_its_pixels():
    made = exchange.Mixed(torch.zeros(4, 3, 8, 8, dtype=torch.uint8), torch.zeros(4), torch.tensor([3, 2, 0, 1]), torch.tensor([0.4, 0.0, 0.0, 0.5]))
    families = torch.tensor([[1.0, 0.0], [0.0, 1.0]])  # the first pair's attack is of the first family
    config = TrainConfig()
    batch = exchange.training(made, families, config)
    torch.testing.assert_close(batch.families, torch.tensor([[0.6, 0.4], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]))
    torch.testing.assert_close(batch.domains, torch.tensor([[0.0, 0.4], [0.0, 0.0], [1.0, 0.0], [0.0, 0.5]]))  # the living have none
    rows = {name: exchange.training(made, families, config.replace(mixed_domain=name)).domains for name in ("anchor", "exclude")}
    torch.testing.assert_close(rows["anchor"], torch.tensor([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    torch.testing.assert_close(rows["exclude"], torch.tensor([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]))


def test_a_run_is_repeatable_and_its_seed_matters(folder, tmp_path):
    pool = Pool.read(folder, "train", 64)

    def scores(seed: int, arm: str = "full") -> np.ndarray:
        made = {"arm": arm, "seed": seed, "steps": 2, "batch": 4, "size": 64, "init": "random", "threads": 1, "device": "cpu", "adversary": "off"}
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
    groups, rho = pairs.of_real([real], 64).groups, np.array([0.9, 0.3, 0.4, 0.5])
    assert [values.tolist() for values in groups["real, matched"](rho)] == [[0.9, 0.4], [1, 0]]
    assert groups["real, series"](rho)[0] == pytest.approx([0.6, 0.4, 0.5]) and list(groups["real"](rho)[1]) == [1, 1, 0, 0]
    real.matched[:] = False
    assert "real, matched" not in pairs.of_real([real], 64).groups
