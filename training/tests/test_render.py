"""The renderer is deterministic, and nothing but the medium depends on the class."""

import dataclasses

import cv2
import numpy as np
import pytest
from synthetic import BOX, portrait, write_faces

from liveproof_training import contract, nuisance
from liveproof_training.render import camera, codec, content, crops, geometry, media, paper, portraits, screen, store, video


@pytest.mark.parametrize("kind", media.KINDS)
def test_same_seed_same_bytes(kind):
    first, second = (crops.render(portrait(0), BOX, kind, [7, 1]) for _ in range(2))
    assert first.shape == (256, 256, 3) and first.dtype == np.uint8
    assert np.array_equal(first, second)
    assert not np.array_equal(first, crops.render(portrait(0), BOX, kind, [7, 2]))


class Recorded:
    """What the camera and the content stage were given, per class."""

    def __init__(self, monkeypatch):
        self.cameras, self.styles, self.views = [], [], []
        capture, degrade, look = camera.Camera.capture, content.degrade, geometry.look
        monkeypatch.setattr(camera.Camera, "capture", lambda s, *a: (self.cameras.append(s), capture(s, *a))[1])
        monkeypatch.setattr(content, "degrade", lambda c, s: (self.styles.append(s), degrade(c, s))[1])
        monkeypatch.setattr(geometry, "look", lambda *a: (self.views.append(look(*a)), self.views[-1])[1])


def test_camera_content_and_pose_do_not_know_the_class(monkeypatch):
    seen = Recorded(monkeypatch)
    for kind in media.KINDS:
        crops.render(portrait(1), BOX, kind, [3, 3])
    assert seen.cameras[0] == seen.cameras[1] == seen.cameras[2]
    assert seen.styles[0] == seen.styles[1] == seen.styles[2]
    for view in seen.views[1:]:
        assert np.array_equal(view.u, seen.views[0].u) and np.array_equal(view.v, seen.views[0].v)


def test_attacks_differ_from_bona_fide():
    pictures = [crops.render(portrait(2), BOX, kind, [5, 5]).astype(int) for kind in media.KINDS]
    assert np.abs(pictures[0] - pictures[1]).mean() > 1
    assert np.abs(pictures[0] - pictures[2]).mean() > 1


def test_unknown_medium_is_refused():
    with pytest.raises(ValueError, match="mask"):
        media.sample("mask", np.random.default_rng(0), 1.0)


def test_pulse_is_the_exact_mean_of_a_stripe():
    x = np.linspace(0.5, 3.5, 31, dtype=np.float32)
    fine = np.linspace(-0.25, 0.25, 20001)
    for start, width in ((0.0, 0.3), (1 / 3, 0.25), (2 / 3, 1 / 3)):
        exact = [(((p + fine - start) % 1.0) < width).mean() / width for p in x]
        np.testing.assert_allclose(screen.pulse(x, start, width, 0.5), exact, atol=2e-3)


def test_screen_grid_aliases_into_a_low_frequency():
    """Display pixels just off the sensor's pitch beat: the camera sees waves much coarser than either grid."""
    display = screen.Screen.sample(np.random.default_rng(1), 1.0)
    display = dataclasses.replace(display, pitch=0.94, portrait=False, stagger=0.0, reflection=0.0, glare=0.0, band=0.0, uneven=0.0)
    pose = geometry.Pose(1.0, 0.0, (0.0, 0.0), (0.0, 0.0), 0.0)
    view = geometry.look(pose, (100, 100), (200, 200), np.random.default_rng(0))
    light = display.radiance(np.full((200, 200, 3), 200, np.uint8), view, 0.0)
    sensor = light[::2, ::2, 1]  # one sample per pixel, as a sensor with small photosites takes it
    spectrum = np.abs(np.fft.rfft(sensor.mean(axis=0) - sensor.mean()))
    assert np.argmax(spectrum) == pytest.approx(0.06 * 200, abs=1)


def test_print_has_fewer_dark_and_bright_tones():
    sheet = dataclasses.replace(paper.Print.sample(np.random.default_rng(3), 1.0), process="photo", gloss=0.0, fold=0.0, curve=0.0, fibres=0.0, lines=0.0)  # fmt: skip
    pose = geometry.Pose(1.0, 0.0, (0.0, 0.0), (0.0, 0.0), 0.0)
    view = geometry.look(pose, (32, 32), (64, 64), np.random.default_rng(0))
    black = sheet.radiance(np.zeros((64, 64, 3), np.uint8), view, 0.0)
    white = sheet.radiance(np.full((64, 64, 3), 255, np.uint8), view, 0.0)
    assert black.mean() > 0.008 and white.mean() < 0.98


def test_demosaic_keeps_a_flat_colour():
    colour = np.zeros((16, 16, 3), np.float32) + np.array([0.8, 0.3, 0.1], np.float32)
    np.testing.assert_allclose(camera._demosaic(colour)[4:12, 4:12], colour[4:12, 4:12], atol=1e-3)


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_codec_keeps_size_and_loses_little(kind):
    picture = portrait(4)
    out = codec.still(picture, codec.CodecParams(kind, 90))
    assert out.shape == picture.shape
    assert 0 < np.abs(out.astype(int) - picture).mean() < 8


@pytest.mark.parametrize(
    "box, side",
    [((100, 100, 200, 200), 130), ((-40, -40, 60, 60), 130), ((100, 100, 500, 300), 520), ((0, 0, 448, 448), 582)],
)
def test_face_crop_is_the_contracts(box, side):
    """Against the plain definition: pad by replication, cut the square, resize."""
    picture = portrait(5)
    pad = 700
    padded = cv2.copyMakeBorder(picture, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    left = int(round((box[0] + box[2]) / 2 - side / 2)) + pad
    top = int(round((box[1] + box[3]) / 2 - side / 2)) + pad
    how = cv2.INTER_AREA if side > 256 else cv2.INTER_LINEAR
    want = cv2.resize(padded[top : top + side, left : left + side], (256, 256), interpolation=how)
    assert np.array_equal(crops.face_crop(picture, box), want)


def test_splits_share_no_grid(tmp_path):
    write_faces(tmp_path / "faces", grids=12, per_grid=2)
    parts = portraits.split(portraits.read(tmp_path / "faces"))
    grids = {name: {p.grid for p in members} for name, members in parts.items()}
    assert all(grids.values())
    assert not (grids["train"] & grids["dev"] or grids["train"] & grids["test"] or grids["dev"] & grids["test"])
    assert sum(len(m) for m in parts.values()) == 24


def test_plan_pairs_each_attack_with_its_bona_fide(tmp_path):
    write_faces(tmp_path / "faces", grids=4, per_grid=2)
    jobs = store.plan(portraits.read(tmp_path / "faces"), {"train": 2, "dev": 2, "test": 2})
    by_seed: dict[tuple, set] = {}
    for job in jobs:
        by_seed.setdefault(tuple(job.seed(1)), set()).add(job.medium)
    assert all(len(kinds) == 2 and "none" in kinds for kinds in by_seed.values())


def test_missing_portraits_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="faces.csv"):
        portraits.read(tmp_path)


def test_a_perfect_nuisance_is_found_and_matched():
    """Where brightness alone gives the class away the probe says so; matching then refuses to sample it."""
    rng = np.random.default_rng(0)
    y = np.arange(400) % 2
    x = rng.normal(0, 1, (400, len(nuisance.NAMES)))
    assert 0.35 < nuisance.probe(x[::2], y[:200], x[1::2], y[200:])["all"] < 0.65
    x[:, 1] += 1.5 * y
    assert nuisance.probe(x[:200], y[:200], x[200:], y[200:])["brightness"] > 0.8
    w = nuisance.matching_weights(x, y)
    ids = np.concatenate([rng.choice(np.flatnonzero(y == c), 2000, p=w[y == c] / w[y == c].sum()) for c in (0, 1)])
    after = nuisance.probe(x[ids], y[ids], x[ids], y[ids])
    assert abs(after["brightness"] - 0.5) < 0.1


def test_nuisance_factors_of_rendered_crops():
    """Colour, exposure and block structure must not tell the classes apart (sharpness may a little)."""
    x, y = [], []
    for n in range(60):
        for kind in ("none", ("print", "replay")[n % 2]):
            x.append(nuisance.factors(crops.render(portrait(n % 10), BOX, kind, [11, n])))
            y.append(int(kind == "none"))
    x, y = np.stack(x), np.array(y)
    for name in ("brightness", "red_green", "blue_green", "blockiness"):
        column = x[:, [nuisance.NAMES.index(name)]]
        score = nuisance.fit(column, y)(column)
        from liveproof_training import metrics

        assert metrics.auc(score[y == 1], score[y == 0]) < 0.68, name


def test_film_an_attack_of_a_clip(tmp_path):
    source = tmp_path / "clip.mkv"
    writer = video.Writer(source, 160, 120, 10.0)
    for n in range(6):
        writer.write(cv2.resize(portrait(n), (160, 120)))
    writer.close()
    outputs = []
    for attack in ("none", "replay", "print"):
        for copy in (1, 2):
            out = tmp_path / f"{attack}{copy}.mkv"
            video.film(source, out, attack, seed=4)
            clip = video.probe(out)
            assert (clip.width, clip.height, clip.frames, clip.rate) == (160, 120, 6, 10.0)
            outputs.append(np.stack(list(video.read(clip, 6))))
    for first, second in zip(outputs[::2], outputs[1::2]):
        assert np.array_equal(first, second), "same seed, same pictures"
    assert np.abs(outputs[0].astype(int) - outputs[2]).mean() > 1
    assert list(tmp_path.glob("*partial*")) == []


def test_unreadable_clip_is_named(tmp_path):
    bad = tmp_path / "bad.mkv"
    bad.write_bytes(b"not a video")
    with pytest.raises(ValueError, match="bad.mkv"):
        video.film(bad, tmp_path / "out.mkv", "print", 1)
    assert contract.CROP_SIZE == 256
