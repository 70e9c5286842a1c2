"""The tensor simulator: what physics fixes, not what looks right."""

import math

import cv2
import numpy as np
import pytest
import synthetic
import torch

from liveproof_training.evaluation import gap
from liveproof_training.method import pdle
from liveproof_training.simulation import (
    bank,
    camera,
    codec,
    colour,
    content,
    exchange,
    matte,
    optics,
    pairs,
    prints,
    rooms,
    screens,
    shot,
    skin,
    store,
)
from liveproof_training.simulation.draws import Draws

CPU = torch.device("cpu")


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator(CPU).manual_seed(seed)


def draws(n: int = 4, seed: int = 1) -> Draws:
    return Draws(n, CPU, generator(seed))


def number(value: float, n: int = 1) -> torch.Tensor:
    return torch.full((n, 1, 1, 1), float(value))


@pytest.fixture(scope="module")
def faces() -> bank.Bank:
    return bank.Bank.of(np.stack([bank.square(synthetic.portrait(seed), synthetic.BOX) for seed in range(3)]), CPU)


@pytest.fixture(scope="module")
def drawn(faces) -> pairs.Pairs:
    return pairs.draw(faces, torch.arange(12) % 3, generator(3))


def plain_shot(**changes) -> shot.Shot:
    names = ("angle", "tilt_x", "tilt_y", "lens", "defocus", "motion", "motion_angle")
    values = {name: number(0) for name in names} | {"scale": number(1), "pitch": number(1)}
    return shot.Shot(**values | {name: number(value) for name, value in changes.items()})


# Pictures and numbers


def test_a_square_has_the_face_in_its_middle_at_the_banks_scale():
    image = np.zeros((400, 500, 3), np.uint8)
    image[100:300, 150:250] = 255  # a face of 100 x 200
    lit = bank.square(image, (150, 100, 250, 300))[..., 0] > 128
    rows, columns = np.flatnonzero(lit.any(1)), np.flatnonzero(lit.any(0))
    assert len(rows) == pytest.approx(bank.FACE, abs=2) and len(columns) == pytest.approx(bank.FACE / 2, abs=2)
    assert rows.mean() == pytest.approx(bank.SIDE / 2, abs=1) and columns.mean() == pytest.approx(bank.SIDE / 2, abs=1)


def test_beyond_the_border_its_pixels_are_repeated():
    image = np.arange(192, dtype=np.uint8)[:, None, None].repeat(192, 1).repeat(3, 2)
    column = bank.square(image, (0, 0, 192, 192))[:, 0, 0]
    assert column[0] == column[64] == 0 and column[65] == 1 and column[255] == column[319] == 191


def test_people_are_cut_out():
    shape = np.zeros((bank.SIDE, bank.SIDE), np.uint8)
    cv2.ellipse(shape, (160, 150), (72, 100), 0, 0, 360, 255, -1)
    cv2.ellipse(shape, (160, 330), (140, 110), 0, 0, 360, 255, -1)
    rng = np.random.default_rng(0)
    colours = np.where(shape[..., None] > 0, (200, 150, 120), (40, 90, 110)) + rng.normal(0, 8, (bank.SIDE, bank.SIDE, 3))
    found = matte.person(colours.clip(0, 255).astype(np.uint8), bank.FACE)
    inside, outside = found[shape > 0] / 255, found[shape == 0] / 255
    assert inside.mean() > 0.95 and outside.mean() < 0.05


def test_rooms_are_the_same_each_time_and_all_different():
    some = rooms.draw(4, 96)
    assert np.array_equal(some, rooms.draw(4, 96))
    assert all(room.std() > 15 for room in some) and not np.array_equal(some[0], some[1])


@pytest.mark.parametrize("radius", [1, 4, 12])
def test_a_box_is_the_mean_of_the_pixels_inside_the_picture(radius):
    x, side = draws(2).white(40, 3), 2 * radius + 1
    rows = torch.nn.functional.avg_pool2d(x, (side, 1), 1, (radius, 0), count_include_pad=False)
    want = torch.nn.functional.avg_pool2d(rows, (1, side), 1, (0, radius), count_include_pad=False)
    torch.testing.assert_close(optics.box(x, radius), want, atol=1e-5, rtol=1e-4)


def test_a_folder_without_faces_of_a_split_is_refused(tmp_path):
    synthetic.write_faces(tmp_path / "faces", grids=1)
    with pytest.raises(ValueError, match="no faces"):
        bank.Bank.read([(tmp_path / "faces", "train")], CPU)


def test_portraits_are_drawn_by_their_chances():
    squares = np.zeros((3, bank.SIDE, bank.SIDE, 3), np.uint8)
    few = bank.Bank.of(squares, CPU, np.array([0.5, 0.5, 0.0]))
    ids = few.draw(400, generator())
    assert torch.bincount(ids, minlength=3).tolist() == pytest.approx([200, 200, 0], abs=40) and torch.equal(ids, few.draw(400, generator()))
    assert bank.Bank.of(squares, CPU).chances.tolist() == pytest.approx([1 / 3] * 3)


def test_rare_tones_are_drawn_more_often_unless_portraits_count_alike(tmp_path, monkeypatch):
    synthetic.write_faces(tmp_path / "faces", grids=2, per_grid=2)
    tones = [skin.Tone(angle, angle, angle) for angle in (60.0, 60.0, 60.0, -40.0)]
    monkeypatch.setattr(skin, "tone", lambda image, points, found=2 * tones: found.pop(0))
    balanced, alike = (bank.Bank.read([(tmp_path / "faces", "")], CPU, how) for how in bank.TONES)
    assert balanced.chances.tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2]) and alike.chances.tolist() == pytest.approx([1 / 4] * 4)


# Detail of its own


def finest(x: torch.Tensor) -> np.ndarray:
    """Power of each band in the middle of pictures, the mean of them."""
    return np.mean([skin.power(255 * one[0, 96:224, 96:224].numpy()) for one in x], axis=0)


def test_sharpening_and_grain_add_to_the_finest_octave_and_leave_the_rest():
    n = 24
    plain = (0.5 + 0.05 * optics.blur(draws(n).white(bank.SIDE), number(1.0, n))).repeat(1, 3, 1, 1)
    sharp, grainy = (10 * np.log10(finest(content._detailed(plain, number(lacks, n), draws(n))) / finest(plain)) for lacks in (0.0, 0.02))
    assert np.abs(sharp[1:4]).max() < 0.5 and sharp[-1] > 3 and sharp[-1] > sharp[-3] > sharp[-5]
    assert np.abs(grainy[1:4]).max() < 0.5 and grainy[-1] > sharp[-1] + 3


def test_grain_fills_what_smooth_skin_lacks_of_the_finest_octave():
    smooth, n = torch.full((24, 3, bank.SIDE, bank.SIDE), 0.5), 24
    found = skin.lack(np.full((bank.SIDE, bank.SIDE, 3), 128, np.uint8), bank.FACE)
    filled = finest(content._detailed(smooth, number(found, n), draws(n)))[skin.FINE :].mean()
    assert found**2 == pytest.approx(skin.FULL) and 0.4 * skin.FULL < filled < 2 * skin.FULL
    rough = np.random.default_rng(1).integers(60, 200, (bank.SIDE, bank.SIDE, 3), dtype=np.uint8)
    assert skin.lack(rough, bank.FACE) == 0


def test_draws_of_one_seed_are_the_same_and_stay_in_range():
    first, again = draws(200, 5).log_uniform(0.2, 3), draws(200, 5).log_uniform(0.2, 3)
    assert torch.equal(first, again) and first.min() >= 0.2 and first.max() <= 3
    assert draws(2000).chance(0.3).mean() == pytest.approx(0.3, abs=0.04)
    assert sorted(draws(7).order().tolist()) == list(range(7)) and all(draws(7).order() != torch.arange(7))


# Optics


def test_a_gaussian_blur_is_opencvs():
    rng = np.random.default_rng(1)
    image = np.zeros((96, 96), np.float32)
    image[24:72, 24:72] = rng.random((48, 48))
    ours = optics.blur(torch.from_numpy(image)[None, None], number(2.0))[0, 0].numpy()
    assert np.abs(ours - cv2.GaussianBlur(image, (25, 25), 2.0)).max() < 5e-3


def test_defocus_is_the_mean_over_a_disk():
    image = torch.zeros(1, 1, 64, 64)
    image[..., 32, 32] = 1
    seen = optics.apply(image, optics.defocus(number(6.0), 64))[0, 0]
    assert seen[32, 32] == pytest.approx(1 / (math.pi * 36), rel=0.25) and seen.sum() == pytest.approx(1, abs=1e-4)
    assert seen[32, 42].abs() < 0.2 * seen[32, 32]


def test_motion_blurs_along_its_direction_only():
    mtf = optics.motion(number(4.0), number(0.0), 64)[0, 0]
    assert mtf[0, 16] == pytest.approx(0.0, abs=1e-5) and torch.allclose(mtf[:, 0], torch.ones(64))


def test_smoothing_keeps_edges_and_flattens_grain():
    image = 0.3 + 0.02 * draws(1).white(64, 3)
    image[..., 32:] += 0.5
    smoothed = optics.smooth_edges_kept(image, number(2e-3))
    assert smoothed[..., 5:25].std() < 0.5 * image[..., 5:25].std()
    assert (smoothed[..., 34].mean() - smoothed[..., 29].mean()) > 0.4
    assert torch.allclose(optics.smooth_edges_kept(image, number(0.0)).mean(1), image.mean(1), atol=0.02)


def test_srgb_and_linear_light_are_inverse():
    x = torch.linspace(0, 1, 256).view(1, 1, 16, 16).repeat(1, 3, 1, 1)
    assert torch.allclose(colour.to_srgb(colour.to_linear(x)), x, atol=1e-4)
    assert torch.allclose(colour.luma(colour.saturate(x * number(0.5), number(1.7))), colour.luma(x * 0.5), atol=1e-6)


# What the sensor makes of a grid


def test_a_fine_grid_beats_with_the_sensor_at_the_difference_of_the_frequencies():
    view = plain_shot()
    seen = view.grid(view.places(128), number(0.95), number(0.0), number(0.0))[0, 0, 64]
    spectrum = torch.fft.rfft(seen - seen.mean()).abs()
    assert int(spectrum.argmax()) == pytest.approx(0.05 * 128, abs=1)


def test_a_sharp_sensor_sees_a_coarse_grid_and_a_blurred_one_does_not():
    def strength(**changes):
        view = plain_shot(**changes)
        return view.grid(view.places(128), number(0.2), number(0.0), number(0.0)).abs().max()

    assert strength() > 0.8
    assert strength(lens=6.0) < 0.05 and strength(motion=5.0) < 0.05
    assert strength(defocus=1.22 / 2 / 0.2) < 0.05  # the first zero of the disk's MTF


def test_places_scale_and_turn_about_the_middle():
    view = plain_shot(scale=0.5, angle=math.pi / 2)
    places = view.places(64)[0]
    assert torch.allclose(places[:, 32, 33], torch.tensor([-1.0, 3.0]), atol=1e-4)  # half a pixel off the middle


# Codec


def test_the_codec_is_near_libjpeg():
    image = cv2.GaussianBlur(np.random.default_rng(2).integers(0, 256, (64, 64, 3), dtype=np.uint8), (0, 0), 2)
    ours = 255 * codec.code(torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255, number(50))[0].permute(1, 2, 0).numpy()
    bgr = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
    theirs = cv2.imdecode(bgr, 1)[..., ::-1].astype(np.float32)
    assert np.abs(ours - theirs).mean() < 2.0 < np.abs(image - theirs).mean() + 2.0


def test_a_lower_quality_loses_more():
    image = draws(1).white(64).mul(0.1).add(0.5).clamp(0, 1).repeat(1, 3, 1, 1)  # grey: colours are halved at any quality
    errors = [float((codec.code(image, number(quality)) - image).abs().mean()) for quality in (98, 75, 40, 10)]
    assert errors == sorted(errors) and errors[0] < 0.03 < errors[-1]


# Media


def test_ink_and_paper_bound_the_tones_of_a_print():
    sheet = prints.inked(torch.rand(64, 3, 32, 32, generator=generator()), draws(64))
    assert sheet.min() > 0 and sheet.amax(dim=(1, 2, 3)).median() < 1.2


def test_prints_are_softer_than_what_they_show():
    def fine(x: torch.Tensor) -> torch.Tensor:
        """Share of detail finer than two pixels in each picture's contrast."""
        return (x - optics.blur(x, number(2.0, len(x)))).std(dim=(1, 2, 3)) / x.std(dim=(1, 2, 3))

    scene = optics.blur(draws(32).white(64), number(0.5, 32)).mul(0.3).add(0.4).clamp(0, 1).repeat(1, 3, 1, 1)
    softer = fine(prints.inked(scene, draws(32))) < fine(scene)
    assert softer.float().mean() > 0.8


def test_a_display_shows_its_grid_only_where_the_lens_resolves_it():
    n = 24
    light = torch.full((n, 3, 128, 128), 0.5)

    def contrast(fineness: float, **changes) -> torch.Tensor:
        view = plain_shot(**changes)
        return screens.pixels(light, view.places(128), view, number(fineness, n), draws(n, seed=2)).std(dim=(1, 2, 3))

    seen = contrast(0.2)
    assert 0 < (seen < 1e-6).float().mean() < 0.8  # some displays are too fine for any lens
    assert seen.max() > 0.1 > 0.02 > contrast(2.7, lens=3.0).max()


def test_the_camera_never_sees_the_class():
    import inspect

    for function in (camera.picture, camera.exposed, camera.read, camera.developed, camera.delivered):
        assert set(inspect.signature(function).parameters) == {"x" if function is not camera.picture else "radiance", "draws"}


# Pairs


def test_pairs_are_pictures_of_both_classes(drawn):
    assert drawn.live.shape == drawn.attack.shape == (12, 3, 256, 256) and drawn.live.dtype == torch.uint8
    assert set(drawn.species.tolist()) <= {1, 2, 3} and len(set(drawn.species.tolist())) > 1
    for images in (drawn.live, drawn.attack):
        assert (images.float().std(dim=(1, 2, 3)) > 5).all()


def test_the_same_seed_draws_the_same_pairs(faces):
    ids = torch.arange(2)
    first, again, other = (pairs.draw(faces, ids, generator(seed)) for seed in (4, 4, 5))
    assert torch.equal(first.live, again.live) and torch.equal(first.attack, again.attack)
    assert not torch.equal(first.live, other.live)


def test_attacks_are_softer_on_the_mean_but_not_all(drawn):
    live, attack = (np.array([gap.sharpness(x) for x in images.permute(0, 2, 3, 1).numpy()]) for images in (drawn.live, drawn.attack))
    assert attack.mean() < live.mean() and attack.max() > live.min()


# Exchange


def test_the_share_of_live_pixels_is_the_label():
    live, attack = torch.full((40, 3, 256, 256), 200, dtype=torch.uint8), torch.full((40, 3, 256, 256), 50, dtype=torch.uint8)
    images, labels = exchange.batch(live, attack, exchange.Exchange(mix_prob=0.7), generator())
    shares = (images[:, 0] == 200).float().mean(dim=(1, 2))
    assert torch.allclose(shares, labels, atol=0.005)
    assert len(labels.unique()) > 5 and images.shape == (80, 3, 224, 224)


def test_without_exchange_labels_are_pure():
    live, attack = (torch.full((8, 3, 256, 256), value, dtype=torch.uint8) for value in (200, 50))
    images, labels = exchange.batch(live, attack, exchange.Exchange(mix_prob=0.0), generator())
    assert labels.tolist() == [1.0] * 8 + [0.0] * 8 and (images[:8] == 200).all()


@pytest.mark.parametrize("own, same", [(1.0, True), (0.0, False)])
def test_partners_show_the_same_face_or_another(own, same):
    n = 32
    live = torch.arange(n, dtype=torch.uint8).view(n, 1, 1, 1).expand(n, 3, 256, 256)
    attack = live + 100
    images, labels = exchange.batch(live, attack, exchange.Exchange(mix_prob=1.0, own_prob=own), generator())
    mixed = (labels > 0) & (labels < 1)
    low, high = images.amin(dim=(1, 2, 3)), images.amax(dim=(1, 2, 3))
    agrees = (high - low == 100)[mixed].float().mean()
    assert agrees == 1.0 if same else agrees < 0.3


def test_boxes_lie_inside_and_have_their_sides():
    sides = torch.tensor([pdle.sides(224, 224, 0.3, 1.0)] * 50 + [(224, 224)])
    inside = exchange.boxes(sides, 224, generator())
    assert (inside.sum(dim=(1, 2, 3)) == sides.prod(dim=1)).all()


# On disk


def test_a_simulated_set_is_read_by_the_trainer(faces, tmp_path):
    from liveproof_training.loading import data

    store.write(tmp_path, {"dev": faces}, {"dev": 3}, seed=1)
    crops = data.load_split(tmp_path, "dev")
    assert crops.labels.tolist() == [1, 0] * 3 and crops.images.take(np.arange(6)).shape == (6, 256, 256, 3)
    assert crops.pai[0] == "none" and crops.pai[1] in ("print", "cut", "replay")
    with pytest.raises(FileExistsError):
        store.write(tmp_path, {"dev": faces}, {"dev": 3}, seed=1)
    with pytest.raises(ValueError, match="a folder of their own"):
        store.write(tmp_path / "a", {"dev": faces}, {"dev": 3}, seed=1, wide=tmp_path / "a")
    with pytest.raises(FileExistsError):
        store.write(tmp_path / "a", {"dev": faces}, {"dev": 3}, seed=1, wide=tmp_path)
    assert not (tmp_path / "a").exists(), "nothing is written where one folder is taken"


def test_wide_crops_are_of_the_same_pairs_and_show_more(tmp_path):
    from liveproof_training.loading import data

    side = pairs.side_for(pairs.WIDE)
    assert side == 400 and pairs.side_for(1.3) == bank.SIDE
    larger = bank.Bank.of(np.stack([bank.square(synthetic.portrait(seed), synthetic.BOX, side) for seed in range(2)]), CPU)
    assert larger.squares.shape[-1] == larger.rooms.shape[-1] == side
    store.write(tmp_path / "a", {"dev": larger}, {"dev": 4}, seed=1, wide=tmp_path / "b")
    narrow, wide = (data.load_split(tmp_path / name, "dev") for name in "ab")
    assert narrow.pai == wide.pai and narrow.labels.tolist() == wide.labels.tolist()
    middle = round(256 * 1.3 / 1.6 / 2) * 2
    off = (256 - middle) // 2
    for one, other in zip(narrow.images.take(np.arange(8)), wide.images.take(np.arange(8))):
        inside = cv2.resize(other[off : off + middle, off : off + middle], (256, 256), interpolation=cv2.INTER_CUBIC)
        blurred = [cv2.GaussianBlur(x.astype(np.float32), (0, 0), 4) for x in (one, inside)]  # noise and edges are resampled
        assert np.corrcoef(blurred[0].ravel(), blurred[1].ravel())[0, 1] > 0.98
