"""Studies at toy size: every arm runs, finished runs are kept, tables and plots come out."""

import json

import numpy as np
import pytest
import tiny_benchmark

from liveproof_training import cli
from liveproof_training.fit import engine
from liveproof_training.loading import data, pack
from liveproof_training.studies import comparison, runs


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory, go_listing):
    root = tmp_path_factory.mktemp("benchmark")
    tiny_benchmark.write(root / "crops")
    tiny_benchmark.write_protocol(root / "protocols" / "OCI-M.csv")
    return root


def command(benchmark, out, *more) -> list[str]:
    return [
        "study",
        *more,
        "--data",
        str(benchmark / "crops"),
        "--out",
        str(out),
        "--protocols",
        str(benchmark / "protocols"),
        "--targets",
        "OCI-M",
        "--seeds",
        "1",
        "--frames-per-video",
        "1",
        *tiny_benchmark.TOY,
    ]


def test_ablation_and_levels_share_their_runs(benchmark, tmp_path, capsys):
    assert cli.main(command(benchmark, tmp_path, "ablation")) == 0
    arms = {p.parent.parent.name: json.loads(p.read_text()) for p in (tmp_path / "runs").rglob("result.json")}
    assert set(arms) == {"full", "no-le", "no-pe", "no-pe-le", "bce"}
    assert all(r["steps"] == 2 and 0 <= r["auc"] <= 1 and r["hter_realistic"] is not None for r in arms.values())
    assert arms["bce"]["settings"]["losses"]["loss"] == "bce" and arms["no-pe"]["settings"]["exchange"]["mix"] == "none"
    assert arms["full"]["judged"]["test"]["without_crops"] == ["msu/test_05_replay"], "the lost video counts"
    assert not list(tmp_path.rglob("*.pt")), "a study keeps scores, not weights"
    text = (tmp_path / "ablation.md").read_text()
    assert "w/o PE & LE" in text and "Toy settings" in text and "size 64 (224)" in text
    assert (tmp_path / "ablation.png").stat().st_size > 10000 and len((tmp_path / "ablation.csv").read_text().splitlines()) == 6

    stamps = {p: p.stat().st_mtime_ns for p in (tmp_path / "runs").rglob("result.json")}
    interrupted = tmp_path / "runs" / "OCI-M" / "k2" / "1"
    interrupted.mkdir(parents=True)
    (interrupted / "last.pt").write_text("half a checkpoint")
    assert cli.main(command(benchmark, tmp_path, "levels") + ["--levels", "2,10"]) == 0
    assert all(p.stat().st_mtime_ns == t for p, t in stamps.items()), "finished runs are not repeated"
    assert (interrupted / "result.json").is_file() and not (interrupted / "last.pt").is_file(), "an interrupted one starts anew"
    assert (tmp_path / "levels-auc.png").is_file()


def test_runs_are_repeatable_and_other_settings_are_not_mixed_in(benchmark, tmp_path, capsys):
    for out in ("a", "b"):
        assert cli.main(command(benchmark, tmp_path / out, "ablation") + ["--arms", "no-pe-le"]) == 0
    one, two = (json.loads(next((tmp_path / out).rglob("result.json")).read_text()) for out in ("a", "b"))
    assert one["judged"] == two["judged"]
    assert cli.main(command(benchmark, tmp_path / "a", "ablation") + ["--arms", "no-pe-le", "--lr", "0.01"]) == 1
    assert "lr 0.0001, now 0.01" in capsys.readouterr().err
    assert cli.main(command(benchmark, tmp_path / "a", "ablation") + ["--arms", "no-such"]) == 1


def test_runs_on_other_crops_are_not_mixed_in(benchmark, tmp_path, capsys):
    args = command(benchmark, tmp_path, "ablation") + ["--arms", "no-pe-le"]
    assert cli.main(args) == 0
    args[args.index("--frames-per-video") + 1] = "2"
    assert cli.main(args) == 1 and "another number a video" in capsys.readouterr().err


def test_a_run_can_keep_its_best_weights(benchmark, tmp_path, monkeypatch):
    aucs, told = iter([0.9, 0.6]), {}
    monkeypatch.setattr(engine, "evaluate", lambda *a: {"auc": next(aucs), "eer": 0.1, "mse": 0.1})
    scores = engine.scores
    monkeypatch.setattr(engine, "scores", lambda net, *a: (told.setdefault("bias", net.head.bias.clone()), scores(net, *a))[1])
    save = runs.StudyRun._save
    monkeypatch.setattr(runs.StudyRun, "_save", lambda run, name, extra: (told.update({name: run.net.head.bias.clone()}), save(run, name, extra)))
    assert cli.main(command(benchmark, tmp_path, "ablation") + ["--arms", "no-pe-le", "--keep", "best", "--eval-every", "1"]) == 0
    assert told["bias"].equal(told["best.pt"]), "scored with the weights of the first evaluation"


def test_ingredients_test_on_the_full_set(tmp_path, capsys):
    for n, name in enumerate(("all", "without-codec")):
        tiny_benchmark._dataset(tmp_path / "crops" / name, "rendered", n, frames=1)
    args = ["study", "ingredients", "--data", str(tmp_path / "crops"), "--out", str(tmp_path / "out"), "--seeds", "1,2", *tiny_benchmark.TOY]
    assert cli.main(args) == 0
    results = [json.loads(p.read_text()) for p in (tmp_path / "out" / "runs").rglob("result.json")]
    assert {(r["arm"], r["seed"]) for r in results} == {(a, s) for a in ("all", "without-codec") for s in (1, 2)}
    assert {r["judged"]["test"]["videos"] for r in results} == {6}
    text = (tmp_path / "out" / "ingredients.md").read_text()
    assert "Rendered data: demo" in text
    assert "| codec |" in text and (tmp_path / "out" / "ingredients-auc.png").is_file()
    assert cli.main([*args[:3], str(tmp_path), *args[4:]]) == 1 and "without-NAME" in capsys.readouterr().err


def test_packing_keeps_pictures_and_names(benchmark, tmp_path):
    source = benchmark / "crops" / "oulu"
    packed = pack.pack(source, tmp_path / "oulu", frames=1)
    before, after = data.load_split(source, "test"), data.load_split(packed, "test")
    assert len(before) == 12 and len(after) == 6 and after.videos == before.videos[::2]
    np.testing.assert_array_equal(after.images.take(range(6)), before.images.take(range(0, 12, 2)))
    stamp = (packed / "crops.npy").stat().st_mtime_ns
    pack.pack(source, packed, frames=1)
    assert (packed / "crops.npy").stat().st_mtime_ns == stamp, "packed once"
    assert len(data.load_split(pack.pack(source, packed, frames=0), "test")) == 12, "other settings pack anew"


def test_thinning_spreads_over_the_video():
    rows = [{"dataset": "d", "video": v, "frame": str(i)} for v in "ab" for i in range(10 if v == "a" else 2)]
    assert [(r["video"], r["frame"]) for r in pack.thin(rows, 3)] == [("a", "0"), ("a", "3"), ("a", "6"), ("b", "0"), ("b", "1")]


def fake(target: str, arm: str, seed: int, auc: float, hter: float | None = 0.1) -> dict:
    return {
        "target": target,
        "arm": arm,
        "seed": seed,
        "auc": auc,
        "hter_idealised": 0.1,
        "hter_realistic": hter,
        "steps": 2,
        "seconds": 1.0,
        "rendered": True,
        "settings": {"k": 10},
    }


def test_table_cells_by_hand():
    results = [fake("M", "full", 1, 0.8), fake("M", "full", 2, 0.9), fake("C", "full", 1, 0.6), fake("C", "full", 2, 0.6, None)]
    assert comparison.cell(comparison.values(results, "auc", "full", "M")) == "85.00 ± 7.07"
    assert comparison.values(results, "auc", "full", None) == pytest.approx([70.0, 75.0])
    assert comparison.values(results, "hter_realistic", "full", None) == pytest.approx([10.0]), "seed 2 lacks a target"
    assert comparison.cell([]) == "–"


def test_effects_are_paired_by_seed_and_ranked():
    results = [
        fake("r", "all", 1, 0.9),
        fake("r", "all", 2, 0.8),
        fake("r", "without-a", 1, 0.9),
        fake("r", "without-a", 2, 0.8),
        fake("r", "without-b", 1, 0.7),
        fake("r", "without-b", 2, 0.7),
    ]
    assert [(n, pytest.approx(v)) for n, v in comparison.effects(results)] == [("b", [20.0, 10.0]), ("a", [0.0, 0.0])]


def test_the_levels_study_names_the_default_as_the_ablation_does():
    assert list(runs.arms_of("levels")) == ["k2", "k5", "full", "k17"]


def test_a_run_that_diverges_is_named_and_the_others_go_on(tmp_path, monkeypatch, capsys):
    def train(job, path, keep_weights):
        if job.arm == "bad":
            raise engine.NonFiniteLoss("loss nan")
        return {"auc": 0.9, "hter_idealised": 0.1, "hter_realistic": None, "steps": 2, "seconds": 1.0}

    monkeypatch.setattr(runs, "_train", train)
    jobs = [runs.Job("M", arm, 1, {}, lambda: None) for arm in ("bad", "good")]
    results, failed = runs.run(jobs, tmp_path)
    assert len(results) == 1 and failed == ["M bad seed 1"] and "loss nan" in capsys.readouterr().out
