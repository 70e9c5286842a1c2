"""The renderer is deterministic, and nothing but the medium depends on the class."""

import dataclasses

import cv2
import numpy as np
import pytest
from synthetic import BOX, POINTS, portrait, write_faces

from liveproof_base import crop, manifest, video
from liveproof_render import (
    camera,
    codec,
    content,
    crops,
    cutout,
    devices,
    film,
    geometry,
    hand,
    ingredients,
    light,
    media,
    paper,
    portraits,
    screen,
    store,
    stream,
    surround,
)
from liveproof_render.face import Face
from liveproof_training import metrics
from liveproof_training.loading import nuisance

FACE = Face(BOX, POINTS)
FLAT = geometry.Pose(1.0, 0.0, (0.0, 0.0), (0.0, 0.0), 0.0)


def flat_view(side: int, centre=None) -> geometry.View:
    return geometry.view_of(FLAT, centre or (side / 2, side / 2), (side, side), np.random.default_rng(0))


@pytest.mark.parametrize("kind", media.KINDS)
def test_same_seed_same_bytes(kind):
    first, second = (crops.render(portrait(0), FACE, kind, [7, 1]) for _ in range(2))
    assert first.shape == (256, 256, 3) and first.dtype == np.uint8
    assert np.array_equal(first, second)
    assert not np.array_equal(first, crops.render(portrait(0), FACE, kind, [7, 2]))


class Recorded:
    """What the camera and the content stage were given, per class."""

    def __init__(self, monkeypatch):
        self.cameras, self.styles, self.views = [], [], []
        capture, degrade, view_of = camera.Camera.capture, content.degrade, geometry.view_of
        monkeypatch.setattr(camera.Camera, "capture", lambda s, *a: (self.cameras.append(s), capture(s, *a))[1])
        monkeypatch.setattr(content, "degrade", lambda c, s: (self.styles.append(s), degrade(c, s))[1])
        monkeypatch.setattr(geometry, "view_of", lambda *a: (self.views.append(view_of(*a)), self.views[-1])[1])


def test_camera_content_and_pose_do_not_know_the_class(monkeypatch):
    seen = Recorded(monkeypatch)
    for kind in media.KINDS:
        crops.render(portrait(1), FACE, kind, [3, 3])
    assert len(seen.cameras) == len(media.KINDS)
    assert all(c == seen.cameras[0] for c in seen.cameras) and all(s == seen.styles[0] for s in seen.styles)
    for view in seen.views[1:]:
        assert np.array_equal(view.u, seen.views[0].u) and np.array_equal(view.v, seen.views[0].v)


def test_attacks_differ_from_bona_fide():
    pictures = [crops.render(portrait(2), FACE, kind, [5, 5]).astype(int) for kind in media.KINDS]
    for attack in pictures[1:]:
        assert np.abs(pictures[0] - attack).mean() > 1


def test_unknown_medium_is_refused():
    with pytest.raises(ValueError, match="mask"):
        media.present("mask", np.random.default_rng(0), FACE, devices.printer("test/0"))


def test_pulse_is_the_exact_mean_of_a_stripe():
    x = np.linspace(0.5, 3.5, 31, dtype=np.float32)
    fine = np.linspace(-0.25, 0.25, 20001)
    for start, width in ((0.0, 0.3), (1 / 3, 0.25), (2 / 3, 1 / 3)):
        exact = [(((p + fine - start) % 1.0) < width).mean() / width for p in x]
        np.testing.assert_allclose(screen.pulse(x, start, width, 0.5), exact, atol=2e-3)


def test_screen_grid_aliases_into_a_low_frequency():
    """Display pixels just off the sensor's pitch beat: the camera sees waves much coarser than either grid."""
    device = dataclasses.replace(screen.Display.draw(np.random.default_rng(1)), turned=False, stagger=0.0, uneven=0.0, layout="rgb", matte=0.0)
    shown = dataclasses.replace(device.shot(np.random.default_rng(1), 200.0), pitch=0.94, reflection=0.0, glare=0.0, band=0.0, wash=0.0)
    light_ = shown.radiance(np.full((200, 200, 3), 200, np.uint8), flat_view(200), 0.0)
    sensor = light_[::2, ::2, 1]  # one sample per pixel, as a sensor with small photosites takes it
    spectrum = np.abs(np.fft.rfft(sensor.mean(axis=0) - sensor.mean()))
    assert np.argmax(spectrum) == pytest.approx(0.06 * 200, abs=1)


def test_print_has_fewer_dark_and_bright_tones():
    for seed in range(6):
        device = dataclasses.replace(paper.Printer.draw(np.random.default_rng(seed)), fibres=0.0, mottle=0.0, lines=0.0)
        sheet = dataclasses.replace(device.shot(np.random.default_rng(seed), 40.0), gloss=0.0, sheen=0.0, fold=0.0, curve=0.0)
        black = sheet.radiance(np.zeros((64, 64, 3), np.uint8), flat_view(64), 0.0)
        white = sheet.radiance(np.full((64, 64, 3), 255, np.uint8), flat_view(64), 0.0)
        assert black.mean() > 0.004 and white.mean() < 0.98


def test_a_cut_out_shows_the_person_through_its_eyes():
    """Inside a hole is the light of the face behind; elsewhere the sheet's."""
    rng = np.random.default_rng(2)
    sheet = devices.printer("test/1").shot(rng, FACE.height)
    out = dataclasses.replace(cutout.Cutout.sample(rng, sheet, FACE), shift=(0.0, 0.0), depth=1.0, outline=None)
    view, picture = flat_view(448), portrait(3)
    through, sheet_alone = out.radiance(picture, view, 0.0), sheet.radiance(picture, view, 0.0)
    x, y = (int(2 * c) for c in POINTS[0])
    np.testing.assert_allclose(through[y, x], geometry.sample_picture(light.to_linear(picture), view)[y, x], atol=1e-5)
    assert np.array_equal(through[20, 20], sheet_alone[20, 20]) and len(out.holes) >= 2


def test_edges_show_room_rim_and_fingers_and_nothing_inside():
    inside = np.full((200, 200, 3), 0.5, np.float32)
    finger = hand.Finger((20.0, 80.0), (40.0, 80.0), 4.0, (0.3, 0.2, 0.1))
    around = surround.Surround((30.0, 30.0, 90.0, 90.0), 0.0, (5.0, 5.0), (0.9, 0.0, 0.0), 0.0, 0.4, (finger,), 1)
    out = around.around(inside, flat_view(100))
    assert np.array_equal(out[100, 120], inside[100, 120])  # the medium
    assert out[100, 2 * 27, 0] > 0.1 and out[100, 2 * 27, 1] == 0  # the red rim
    assert not np.array_equal(out[100, 5], inside[100, 5])  # the room
    assert out[160, 2 * 38, 0] != 0.5  # the finger lies over the edge
    far = dataclasses.replace(around, window=(-900.0, -900.0, 900.0, 900.0))
    assert far.around(inside, flat_view(100)) is inside


@pytest.mark.parametrize("name", ingredients.NAMES)
def test_each_ingredient_can_be_left_out(name):
    """Leaving it out changes some picture."""
    without = ingredients.ALL.without(name)
    changed = 0
    for n in range(12):
        for pai in media.KINDS:
            whole, less = (crops.render(portrait(n % 3), FACE, pai, [1, n], "train", parts) for parts in (ingredients.ALL, without))
            changed += not np.array_equal(whole, less)
        if changed:
            return
    pytest.fail(f"{name} is in no picture")


def test_unknown_ingredient_is_named():
    with pytest.raises(ValueError, match="glitter"):
        ingredients.ALL.without("glitter")


def test_devices_are_the_same_by_name_and_apart_by_split():
    assert devices.printer("oulu/print1") == devices.printer("oulu/print1") != devices.printer("oulu/print2")
    assert devices.display("msu/ipad_video") != devices.display("casia/tablet")
    used = {split: {crops.device_keys("print", [1, n], split)[1] for n in range(40)} for split in manifest.SPLITS}
    assert all(key.startswith(split) for split, keys in used.items() for key in keys)
    cameras = {crops.device_keys(pai, [1, 5], "dev")[0] for pai in media.KINDS}
    assert len(cameras) == 1, "the camera does not know the class"


def test_stream_renders_anew_every_epoch(tmp_path):
    write_faces(tmp_path / "faces", grids=6, per_grid=2)
    one, two = (stream.Stream(tmp_path / "faces", "train", seed=3) for _ in range(2))
    assert len(one) == 2 * len(one.members) and list(one.labels[:2]) == [1, 0]
    assert np.array_equal(one.draw(1, 4), two.draw(1, 4)) and not np.array_equal(one.draw(1, 4), one.draw(1, 5))
    assert {one.pai(1, e) for e in range(8)} == {"print", "replay", "cut"}


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
    assert np.array_equal(crop.face_crop(picture, box), want)


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
        by_seed.setdefault(tuple(job.seed(1)), set()).add(job.pai)
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
    for n in range(36):
        for kind in ("none", media.KINDS[1 + n % 3]):
            x.append(nuisance.factors(crops.render(portrait(n % 10), FACE, kind, [11, n])))
            y.append(int(kind == "none"))
    x, y = np.stack(x), np.array(y)
    for name in ("brightness", "red_green", "blue_green", "blockiness"):
        column = x[:, [nuisance.NAMES.index(name)]]
        score = nuisance.fit(column, y)(column)
        assert metrics.auc(score[y == 1], score[y == 0]) < 0.68, name


def test_film_an_attack_of_a_clip(tmp_path):
    source = tmp_path / "clip.mkv"
    writer = video.Writer(source, 160, 120, 10.0)
    for n in range(6):
        writer.write(cv2.resize(portrait(n), (160, 120)))
    writer.close()
    outputs = []
    for attack in ("none", "replay", "print", "cut"):
        for copy in (1, 2):
            out = tmp_path / f"{attack}{copy}.mkv"
            film.film(source, out, attack, seed=4)
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
        film.film(bad, tmp_path / "out.mkv", "print", 1)


def test_a_frame_of_another_size_is_refused(tmp_path):
    writer = video.Writer(tmp_path / "a.mkv", 64, 48, 10.0)
    with pytest.raises(ValueError, match="64x48"):
        writer.write(np.zeros((64, 48, 3), np.uint8))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.close()
