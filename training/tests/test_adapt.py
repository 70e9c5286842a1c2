"""A model fitted to the user's own pictures: the table, held-out series, starts read back from exported files, the whole command."""

import csv
import json
import re
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import synthetic
import tables
import torch

from liveproof_training import cli
from liveproof_training.adaptation import beforeafter, curve, heldout, judged, listing, own, start, tune, whole
from liveproof_training.commands import adapt
from liveproof_training.config import TrainConfig
from liveproof_training.export import onnxfiles, parity, restore
from liveproof_training.fit import checkpoint
from liveproof_training.loading import data
from liveproof_training.method import encoders, model
from liveproof_training.simulation import pairs
from liveproof_training.studies import goprogram

MODELS = Path(__file__).resolve().parents[2] / "models"


class Middle:
    """In place of the detector: the whole picture, or nothing where it is black."""

    def __init__(self, path=None):
        pass

    def largest(self, image: np.ndarray):
        h, w = image.shape[:2]
        side = min(h, w) / 1.3
        return (w / 2 - side / 2, h / 2 - side / 2, w / 2 + side / 2, h / 2 + side / 2) if image.any() else None


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(encoders.ENCODERS, "resnet18", tables.TinyEncoder)
    monkeypatch.setattr(whole, "RetinaFace", Middle)
    monkeypatch.setattr("liveproof_base.detector.RetinaFace", Middle)
    monkeypatch.delenv("LIVEPROOF_SHARED", raising=False)


# The user's files


def write_table(folder: Path, rows: list[tuple], header=("filename", "attack_type", "series")) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "my.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return folder / "my.csv"


def write_files(folder: Path, per_series: int = 2, series: int = 6) -> list[tuple]:
    """Pictures of each class, one of them a clip and one without a face; the rows that list them."""
    folder.mkdir(parents=True)
    rows = []
    for n in range(2 * series * per_series):
        label = n % 2
        rows.append((f"{n}.png", "" if label else "print", f"{'ab'[label]}{n // 2 // per_series}"))
        cv2.imwrite(str(folder / f"{n}.png"), tables.picture(label, n)[..., ::-1])
    cv2.imwrite(str(folder / "black.png"), np.zeros((64, 64, 3), np.uint8))
    (folder / "torn.jpg").write_bytes(b"\xff\xd8 no picture")
    writer = cv2.VideoWriter(str(folder / "clip.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 5, (256, 256))
    for n in range(6):
        writer.write(tables.picture(0, n)[..., ::-1])
    writer.release()
    (folder / "torn.mp4").write_bytes(b"no clip")
    return [*rows, ("black.png", "", "b0"), ("torn.jpg", "", "b0"), ("clip.avi", "replay", "a0"), ("torn.mp4", "replay", "a0")]


def test_a_table_has_the_columns_of_evaluate(tmp_path):
    write_files(tmp_path / "set")
    rows = [("0.png", "0", "s", "test"), ("1.png", "1", "t", "")]
    found = listing.read(write_table(tmp_path / "set", rows, ("File", "label", "Subject", "split")), tmp_path / "set")
    assert [(e.name, e.attack, e.series, e.set, e.label) for e in found.entries] == [("0.png", "attack", "s", "eval", 0), ("1.png", "", "t", "", 1)]
    assert found.grouped


def test_without_series_each_file_is_its_own(tmp_path):
    write_files(tmp_path / "set")
    found = listing.read(write_table(tmp_path / "set", [("0.png", "print")], ("filename", "attack_type")), tmp_path / "set")
    assert found.entries[0].series == "0.png" and not found.grouped


@pytest.mark.parametrize(
    "rows, header, said",
    [
        ([("none.png", "", "s")], None, r"my.csv:2: none.png: there is no such file"),
        ([("../0.png", "", "s")], None, "leaves the root"),
        ([("/etc/hosts", "", "s")], None, "leaves the root"),
        ([("", "", "s")], None, "filename is empty"),
        ([("0.png", "", "")], None, "series is empty"),
        ([("0.png", "real", "s")], None, "leave it empty for bona fide"),
        ([("0.png", "", "s"), ("0.png", "", "s")], None, r"my.csv:3: 0.png is in line 2 already"),
        ([("0.png", "")], None, "2 fields instead of 3"),
        ([], None, "lists no file"),
        ([("0.png", "s")], ("filename", "series"), "neither a column attack_type"),
        ([("", "s")], ("attack_type", "series"), "no column filename"),
        ([("0.png", "2")], ("filename", "label"), "neither 1"),
        ([("0.png", "1", "print")], ("filename", "label", "attack_type"), "contradict"),
        ([("0.png", "", "s", "later")], ("filename", "attack_type", "series", "set"), "not train, dev or eval"),
        ([("0.png", "", "s", "dev"), ("1.png", "", "s", "")], ("filename", "attack_type", "series", "set"), "series s is in the sets dev and train"),
    ],
)
def test_a_faulty_table_is_refused_by_line(tmp_path, rows, header, said):
    write_files(tmp_path / "set")
    with pytest.raises(listing.BadTable, match=said):
        listing.read(write_table(tmp_path / "set", rows, header or ("filename", "attack_type", "series")), tmp_path / "set")


def test_every_faulty_row_is_named_up_to_a_limit(tmp_path):
    with pytest.raises(listing.BadTable) as error:
        listing.read(write_table(tmp_path, [(f"{n}.png", "", "s") for n in range(30)]), tmp_path)
    assert str(error.value).count("no such file") == listing.TOLD and "and 10 more" in str(error.value)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b'filename,attack_type\n"a', b"\x00\n"])
def test_a_file_that_is_no_table_is_refused(tmp_path, body):
    (tmp_path / "my.csv").write_bytes(body)
    with pytest.raises(ValueError, match="my.csv"):
        listing.read(tmp_path / "my.csv", tmp_path)
    with pytest.raises(FileNotFoundError, match="no such table"):
        listing.read(tmp_path / "other.csv", tmp_path)


def test_crops_of_pictures_and_clips_and_the_files_without(tmp_path):
    rows = write_files(tmp_path / "set")
    found, skipped = own.extract(listing.read(write_table(tmp_path / "set", rows), tmp_path / "set").entries, Middle(), per_clip=3)
    assert len(found) == 24 + 3 and found.images.shape[1:] == (256, 256, 3) and len(found.files()) == 25
    assert {s.line() for s in skipped} == {"black.png: no face found", "torn.jpg: unreadable", "torn.mp4: unreadable"}
    assert found.only(found.labels == 1).labels.all() and found.sha256() != found.only(found.labels == 1).sha256()


def test_clips_need_ffmpeg_and_crops_are_limited(tmp_path, monkeypatch):
    rows = write_files(tmp_path / "set")
    entries = listing.read(write_table(tmp_path / "set", rows), tmp_path / "set").entries
    monkeypatch.setattr(own, "MOST", 5)
    with pytest.raises(ValueError, match="more than 5 crops"):
        own.extract(entries, Middle(), per_clip=3)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(FileNotFoundError, match="install ffmpeg"):
        own.extract(entries, Middle(), per_clip=3)


# Held-out series


def some(labels, series) -> tuple[np.ndarray, np.ndarray]:
    return np.array(labels), np.array(series)


@pytest.mark.parametrize("seed", range(5))
def test_no_series_is_on_both_sides(seed):
    rng = np.random.default_rng(seed)
    series = np.array([f"s{n}" for n in rng.integers(24, size=200)])
    labels = np.array([int(name[1:]) % 3 > 0 for name in series], np.int64)  # some series have pictures of both classes
    labels[series == "s1"] = rng.integers(2, size=(series == "s1").sum())
    roles = heldout.roles(labels, series, np.full(200, ""), 4, seed)
    assert all(len(set(roles[series == name])) == 1 for name in set(series))
    for y in (0, 1):
        share = (roles[labels == y] == "dev").mean()
        assert 0.1 < share < 0.45, "about a quarter of each class"
    assert (roles == heldout.roles(labels, series, np.full(200, ""), 4, seed)).all(), "the seed decides"


def test_what_the_table_says_holds():
    labels, series = some([1, 0] * 6, [f"{'ab'[n % 2]}{n // 2}" for n in range(12)])
    sets = np.array(["eval"] * 2 + ["dev"] * 2 + [""] * 8)
    assert heldout.roles(labels, series, sets, 4, 1).tolist() == ["eval"] * 2 + ["dev"] * 2 + ["train"] * 8
    with pytest.raises(ValueError, match="set eval: no attack"):
        heldout.roles(labels, series, np.array(["eval"] + ["dev"] * 3 + [""] * 8), 4, 1)
    with pytest.raises(ValueError, match="no file is in the set train"):
        heldout.roles(labels, series, np.full(12, "dev"), 4, 1)


def test_too_few_series_are_refused_politely():
    labels, series = some([1, 1, 1, 1, 0, 0, 0], ["a", "b", "c", "d", "e", "f", "f"])
    with pytest.raises(ValueError, match="2 series of attack pictures with a face: at least 4 are needed"):
        heldout.deal(labels, series, 2, 1)
    with pytest.raises(ValueError, match="4 series of bona fide pictures with a face: at least 5"):
        heldout.deal(labels, series, 5, 1)


# Starts


def checkpoint_of(net: model.LivenessNet, path: Path, encoder: str) -> Path:
    extra = {"dev": {"threshold": 0.45}, "data_sha256": "ab" * 32, "revision": "test", "initial": "random"}
    checkpoint.save(path, net, TrainConfig().replace(encoder=encoder), 0, extra)
    return path


def trained_net(images: np.ndarray, encoder: str = "resnet18") -> model.LivenessNet:
    """Random, with norms that know their inputs and scores that spread."""
    torch.manual_seed(1)
    net = model.LivenessNet(10, "expected", encoder)
    x = data.normalise(torch.from_numpy(data.centre(images)).permute(0, 3, 1, 2), torch.device("cpu"))
    with torch.no_grad():
        for norm in (m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)):
            norm.momentum = 1.0
            torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
            torch.nn.init.uniform_(norm.bias, -0.5, 0.5)
        net.train()(x)
        net.eval()
        net.head.weight.div_(net.head(net.features(x)).std(0).mean())
    return net


def exported(folder: Path, images: np.ndarray, precisions=("fp32", "fp16", "int8"), encoder: str = "resnet18") -> dict[str, Path]:
    path = checkpoint_of(trained_net(images, encoder), folder / "start.pt", encoder)
    entries = [listing.Entry(str(n), Path(str(n)), "" if n % 2 else "print", str(n), "", {}) for n in range(len(images))]
    crops = own.Own(images, entries).crops()
    options = onnxfiles.Options(precisions, force=True, crops={"train": crops, "dev": crops})
    return onnxfiles.export_all(path, None, folder, onnxfiles.Sources("start", "x", "y", demo=True), options)


@pytest.fixture
def images() -> np.ndarray:
    return np.stack([tables.picture(n % 2, n) for n in range(12)])


@pytest.mark.parametrize("precision", onnxfiles.PRECISIONS)
def test_an_exported_file_is_read_back(tiny, tmp_path, images, precision):
    file = exported(tmp_path, images, (precision,))[precision]
    begun = start.load(file)
    wanted, limit = parity.run(file, data.centre(images))[0], {"fp32": 1e-4, "fp16": 1e-4, "int8": 0.08}[precision]
    assert np.ptp(wanted) > 0.2 and np.abs(begun.rho(images) - wanted).max() < limit
    assert "read back from the" in start.prepare(begun, images)
    assert np.abs(begun.rho(images) - wanted).max() < 10 * limit, "norms with new statistics compute the same"
    assert any(m.running_mean.abs().max() > 0.01 for m in begun.net.modules() if isinstance(m, torch.nn.BatchNorm2d))


def test_a_file_that_scores_otherwise_is_no_start(tiny, tmp_path, images):
    begun = start.load(exported(tmp_path, images, ("fp16",))["fp16"])
    with torch.no_grad():
        begun.net.head.bias[0] += 3
    with pytest.raises(ValueError, match="which is too much: take the fp16 file"):
        start.prepare(begun, images)


def golden() -> np.ndarray:
    faces = np.stack([cv2.imread(str(path))[..., ::-1] for path in sorted((MODELS / "golden").glob("*.png"))])
    return np.pad(faces, ((0, 0), (16, 16), (16, 16), (0, 0)))


@pytest.mark.parametrize("name", ["resnet18-fp16", "mobilenetv2-int8"])
def test_the_shipped_files_are_starts(name, tmp_path):
    path = MODELS / f"liveproof-demo-{name}.onnx"
    begun = start.load(path)
    apart = np.abs(begun.rho(golden()) - parity.run(path, data.centre(golden()))[0])
    assert apart.max() < start.LARGEST if name.endswith("fp16") else apart.mean() < start.MEAN_INT8
    checkpoint.save(tmp_path / "final.pt", begun.net, begun.config, 0, {})
    assert np.array_equal(start.load(tmp_path / "final.pt").rho(golden()), begun.rho(golden())), "what is exported is what was adapted"


def test_without_start_the_servers_default_is_adapted():
    config = (MODELS.parent / "configs" / "liveproof.yaml").read_text(encoding="utf-8")
    default = re.search(r"^scorer:\n(?:  .*\n|\n)*?  model: (\S+)", config, re.MULTILINE).group(1)
    assert MODELS / f"{default}.onnx" == adapt.START and adapt.START.is_file()


@pytest.mark.parametrize(
    "change, said",
    [
        ({"liveproof.encoder": "vgg"}, "its encoder is vgg"),
        ({"liveproof.k": "1"}, "K is 1"),
        ({"liveproof.encoder": "mobilenet_v2"}, "its graph is not what `export` writes"),
    ],
)
def test_another_file_is_refused(tiny, tmp_path, images, change, said):
    file = onnx.load(exported(tmp_path, images, ("fp32",))["fp32"])
    for entry in file.metadata_props:
        entry.value = change.get(entry.key, entry.value)
    onnx.save(file, tmp_path / "other.onnx")
    with pytest.raises(restore.NotRestorable, match=said):
        restore.restore(tmp_path / "other.onnx")


def test_a_start_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ValueError, match="not an ONNX file|its encoder is not told"):
        start.load(tmp_path / "text.onnx")
    with pytest.raises(FileNotFoundError, match="--start"):
        start.load(tmp_path / "none.pt")


# Fine-tuning


def quick(**changes) -> tune.TuneSettings:
    return tune.TuneSettings(**{"steps": 4, "batch": 8, "size": 64, "freeze": "conv1", "simulated": 0.0, **changes})


def own_pictures(count: int = 16) -> own.Own:
    entries = [listing.Entry(str(n), Path(str(n)), "" if n % 2 else "print", f"s{n // 2}", "", {}) for n in range(count)]
    return own.Own(np.stack([tables.picture(n % 2, n) for n in range(count)]), entries)


def test_batches_have_both_classes_and_the_share_of_simulated_pairs():
    pool = pairs.Pairs(torch.zeros(3, 3, 256, 256, dtype=torch.uint8), torch.full((3, 3, 256, 256), 255, dtype=torch.uint8), torch.ones(3))
    batch = tune.Batches(own_pictures(), pool, 10, quick(simulated=0.5, batch=16, mix_prob=0.0, augment="none")).draw()
    assert batch.images.shape == (16, 64, 64, 3) and batch.targets.sum() == 8
    flat = (batch.images == 0).flatten(1).all(1) | (batch.images == 255).flatten(1).all(1)
    assert flat.sum() == 8, "half of them are the pool's"


def test_exchanged_patches_have_labels_between_the_classes():
    targets = torch.cat([tune.Batches(own_pictures(), None, 10, quick(mix_prob=1.0, seed=n)).draw().targets for n in range(4)])
    assert ((targets > 0) & (targets < 1)).float().mean() > 0.6 and torch.allclose(10 * targets, (10 * targets).round(), atol=1e-5)


def test_a_series_with_many_pictures_counts_once():
    many = own_pictures(40)
    many.entries = [listing.Entry(e.name, e.path, e.attack, "one" if n < 36 else e.series, "", {}) for n, e in enumerate(many.entries)]
    drawn = tune.Batches(many, None, 10, quick(augment="none"))
    seen = [drawn._picture(drawn.by_class[1]) for _ in range(200)]
    alone = sum(any((image == many.images[n]).all() for n in (37, 39)) for image in seen)
    assert 100 < alone < 165, "two of three draws are of the two small series"


def test_norms_keep_their_statistics_and_frozen_layers_their_weights(tiny):
    mine = own_pictures()
    net = trained_net(mine.images)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    log = tune.tune(net, tune.Batches(mine, None, 10, quick()), tune.config(TrainConfig(), quick(lr=1e-2)))
    after = net.state_dict()
    assert len(log) == 4 and not net.training
    kept = [name for name in before if "running" in name or "conv1" in name or "bn1" in name]
    assert all(torch.equal(before[name], after[name]) for name in kept) and not torch.equal(before["head.weight"], after["head.weight"])


def test_fine_tuning_learns_stripes(tiny):
    mine, chosen = own_pictures(), quick(steps=30, lr=1e-2, freeze="none", augment="none", mix_prob=0.0)
    net = trained_net(mine.images)

    def apart() -> float:
        rho = start.rho(net, TrainConfig(), mine.images)
        return float(rho[mine.labels == 1].mean() - rho[mine.labels == 0].mean())

    before = apart()
    tune.tune(net, tune.Batches(mine, None, 10, chosen), tune.config(TrainConfig(), chosen))
    assert apart() > before + 0.15


# Figures


def test_a_clip_has_the_mean_of_its_frames_and_series_are_resampled():
    files = (("a", "", "s"), ("b", "print", "t"), ("c", "", "u"))
    entries = [listing.Entry(name, Path(name), attack, series, "", {}) for name, attack, series in files]
    mine = own.Own(np.zeros((5, 1)), [entries[0], entries[0], entries[1], entries[2], entries[2]])
    scores = judged.of_files(mine, np.array([0.2, 0.6, 0.5, 0.9, 0.7]))
    assert scores.rho.tolist() == pytest.approx([0.4, 0.5, 0.8]) and scores.labels.tolist() == [1, 0, 1]
    told = judged.figures(scores, 0.45)
    assert told["auc"].value == 0.5 and told["bpcer"].value == 0.5 and told["apcer"].value == 1.0
    assert told["bpcer"].low == 0.0 and told["bpcer"].high == 1.0
    assert judged.by_attack(scores, 0.45) == {"print": (1, 1.0)}


def test_the_threshold_rejects_at_most_the_stated_share():
    rho, labels = np.linspace(0, 1, 101), np.ones(101, np.int64)
    assert (rho < beforeafter.threshold(rho, labels, 0.1)).mean() <= 0.1 < (rho <= beforeafter.threshold(rho, labels, 0.1)).mean()


def test_smaller_numbers_of_pictures_are_parts_of_larger_ones():
    mine, ids = own_pictures(40), np.arange(4, 40)
    small, large = curve.few(mine, ids, 8, 1), curve.few(mine, ids, 20, 1)
    assert set(small) < set(large) <= set(ids) and mine.labels[large].sum() == 10 and len(set(large)) == 20


# The whole commands


@pytest.fixture
def files(tiny, tmp_path, images):
    """(table, start): files of the user, and an exported start."""
    rows = write_files(tmp_path / "set")
    (tmp_path / "start").mkdir()
    return write_table(tmp_path / "set", rows), exported(tmp_path / "start", images, ("fp16",))["fp16"]


QUICK = ["--detector", "x", "--steps", "6", "--batch", "8", "--size", "64", "--freeze", "conv1", "--per-clip", "2"]


def test_from_a_table_to_a_model_and_a_report(files, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["adapt", "--csv", str(files[0]), "--start", str(files[1]), "--out", str(out), "--name", "mine", "--description", "our door", *QUICK]
    assert cli.main([*words, "--precisions", "fp16,int8", "--force"]) == 0
    told, text = json.loads((out / "report.json").read_text()), (out / "report.md").read_text()
    assert told["measured"] == "dev" and len(told["judgements"]) == 3 and told["counts"]["train"]["files"] + told["counts"]["dev"]["files"] == 25
    for line in ("torn.jpg: unreadable", "black.png: no face found", "| print |", "scores.svg", "No simulated pairs"):
        assert line in text
    assert "<svg" in (out / "scores.svg").read_text() and len((out / "skipped.txt").read_text().splitlines()) == 3
    said = onnxruntime.InferenceSession(str(out / "mine-int8.onnx")).get_modelmeta().custom_metadata_map
    assert (said["liveproof.demo"], said["liveproof.name"], said["liveproof.training_data"]) == ("false", "mine", "our door")
    assert "10 % of the bona fide crops of 2 series" in said["liveproof.threshold_source"]
    assert "our door" not in capsys.readouterr().err
    kept_the_rule(out, files[0])
    assert start.load(out / "final.pt").net.k == 10, "a start for the next time"
    assert cli.main(words) == 1 and "take another --out" in capsys.readouterr().err


@pytest.mark.skipif(not goprogram.program().is_file(), reason="bin/liveproof is not built (make build)")
def test_the_go_program_loads_the_model(files, tmp_path, monkeypatch):
    out, clip = tmp_path / "out", tmp_path / "set" / "clip.avi"
    words = ["adapt", "--csv", str(files[0]), "--start", str(files[1]), "--out", str(out), "--name", "mine", "--precisions", "int8", *QUICK]
    assert cli.main([*words, "--steps", "1"]) == 0
    monkeypatch.setenv("LIVEPROOF_SCORER_MODEL", str(out / "mine-int8.onnx"))
    done = subprocess.run([goprogram.program(), "replay", "--json", clip], capture_output=True, text=True)
    told = json.loads(done.stdout)["model"]
    assert (told["name"], told["demo"]) == ("mine-int8", False)
    assert told["threshold"] == pytest.approx(json.loads((out / "report.json").read_text())["judgements"][-1]["threshold"], abs=1e-6)


def kept_the_rule(out: Path, table: Path) -> None:
    """The threshold in the file is by its own scores on the held-out bona fide crops."""
    file = out / "mine-fp16.onnx"
    found, _ = own.extract(listing.read(table, table.parent).entries, Middle(), 2)
    dev = found.only(heldout.roles(found.labels, found.series, found.sets, 4, 1) == "dev")
    rho = parity.run(file, data.centre(dev.images[dev.labels == 1]))[0]
    said = {p.key: p.value for p in onnx.load(file).metadata_props}
    assert float(said["liveproof.threshold"]) == pytest.approx(beforeafter.threshold(rho, np.ones(len(rho)), 0.1), abs=1e-5)


def test_a_set_eval_is_measured_and_portraits_are_mixed_in(files, tmp_path, monkeypatch):
    synthetic.write_faces(tmp_path / "faces")
    with files[0].open() as file:
        rows = list(csv.reader(file))[1:]
    rows = [(*row, "eval" if row[2] in ("a5", "b5") else "") for row in rows]
    table = write_table(tmp_path / "set", rows, ("filename", "attack_type", "series", "set"))
    words = ["adapt", "--csv", str(table), "--start", str(tmp_path / "start" / "start.pt"), "--out", str(tmp_path / "out"), *QUICK]
    words += ["--precisions", "fp32"]
    assert cli.main([*words, "--portraits", str(tmp_path / "faces"), "--simulated-pairs", "2", "--kept-pairs", "2"]) == 0
    told = json.loads((tmp_path / "out" / "report.json").read_text())
    assert told["measured"] == "eval" and told["counts"]["eval"]["files"] == 4 and set(told["kept"]) == {"before", "after"}
    with (tmp_path / "out" / "scores.csv").open() as file:
        assert {row["series"] for row in csv.DictReader(file)} == {"a5", "b5"}


def test_the_curve_ends_in_a_table_and_a_plot(files, tmp_path, capsys):
    words = ["adapt-curve", "--csv", str(files[0]), "--start", str(files[1]), "--out", str(tmp_path / "out"), "--folds", "3", *QUICK]
    assert cli.main([*words, "--counts", "8,4", "--subset", "series=a1"]) == 0
    with (tmp_path / "out" / "curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["pictures"] for row in rows] == ["0", "4", "8"] and all(0 <= float(row["fold_3"]) <= 1 for row in rows)
    assert "<svg" in (tmp_path / "out" / "curve.svg").read_text() and not list((tmp_path / "out").glob("*.pt"))
    assert (tmp_path / "out" / "curve.md").read_text().count("\n") == 5
    for flag, value, said in (
        ("--counts", "500", "more than the"),
        ("--counts", "x", "numbers with commas"),
        ("--subset", "y=1", "give COLUMN=VALUE"),
    ):
        assert cli.main([*words, flag, value]) == 1
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags, said",
    [
        ("--name ../x", "--name"),
        ("--bpcer 1", "--bpcer"),
        ("--parts 1", "--parts 1: at least 2"),
        ("--per-clip 0", "--per-clip 0"),
        ("--precisions fp8", "--precisions: fp8"),
        ("--size 100", "a multiple of 32"),
        ("--lr 5", "lr: 5.0 is out of range"),
        ("--portraits nowhere", "has no faces.csv"),
        ("--start nowhere.onnx", "--start nowhere.onnx: no such file"),
        ("--parts 7", "at least 7 are needed"),
    ],
)
def test_wrong_flags_are_named(files, tmp_path, capsys, flags, said):
    words = ["adapt", "--csv", str(files[0]), "--start", str(files[1]), "--out", str(tmp_path / "out"), *QUICK, *flags.split()]
    assert cli.main(words) == 1
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()
