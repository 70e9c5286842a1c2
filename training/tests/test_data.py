"""Tables and crops on disk to batches."""

import numpy as np
import pytest
import tables
import torch

from liveproof_base import manifest
from liveproof_training.loading import batches, data, pictures, sampling


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tables.store(tmp_path_factory.mktemp("data") / "store")


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    return tables.benchmark(tmp_path_factory.mktemp("data") / "benchmark")


def steps(folder, *rank, protocol="", **changes):
    c = tables.config(folder, folder, protocol=str(protocol), **changes)
    return batches.Steps(data.load(c, "train"), c, None, *rank)


# Tables


def test_manifest_types_and_order(store):
    rows = manifest.read(store)
    assert len(rows) == 36 and rows[0].crop == "train.npy#0" and rows[0].label == 0 and rows[0].time is None
    assert {r.split for r in rows} == set(manifest.SPLITS)


def test_columns_are_read_by_name_and_others_ignored(tmp_path):
    columns = ["more", *reversed(tables.COLUMNS)]
    tables.write_manifest(tmp_path, [tables.row(crop="a.png", box_x1="12.5", frame="3", more="x")], columns)
    (row,) = manifest.read(tmp_path)
    assert (row.crop, row.box_x1, row.frame, row.video) == ("a.png", 12.5, 3, "v")


@pytest.mark.parametrize(
    "column, value, says",
    [
        ("label", "2", "neither 1"),
        ("label", "0", "does not go with pai none"),
        ("split", "devel", "devel"),
        ("pai", "mask", "mask"),
        ("frame", "1.5", "whole number"),
        ("time", "nan", "finite"),
        ("box_x1", "a", "finite"),
        ("crop", "../a.png", "below"),
        ("crop", "/a.png", "below"),
        ("crop", "", "empty"),
        ("video", "", "empty"),
        ("dataset", "", "empty"),
    ],
)
def test_bad_manifest_values_name_file_line_and_column(tmp_path, column, value, says):
    path = tables.write_manifest(tmp_path, [tables.row(crop="a.png"), tables.row(**{"crop": "b.png", column: value})])
    with pytest.raises(ValueError, match=says) as error:
        manifest.read(tmp_path)
    assert f"{path}: line 3: column {column}" in str(error.value)


def test_missing_columns_duplicates_and_short_rows_are_refused(tmp_path):
    tables.write_manifest(tmp_path, [tables.row(crop="a.png")], [c for c in tables.COLUMNS if c != "pai"])
    with pytest.raises(ValueError, match="line 1: no column pai"):
        manifest.read(tmp_path)
    tables.write_manifest(tmp_path, [tables.row(crop="a.png")] * 2)
    with pytest.raises(ValueError, match="listed twice"):
        manifest.read(tmp_path)
    path = tables.write_manifest(tmp_path, [tables.row(crop="a.png")])
    path.write_text(path.read_text().rsplit(",", 3)[0] + "\n")
    with pytest.raises(ValueError, match="line 2: column .*row ends"):
        manifest.read(tmp_path)
    tables.write_manifest(tmp_path, [])
    with pytest.raises(ValueError, match="no crops"):
        manifest.read(tmp_path)
    with pytest.raises(FileNotFoundError, match="liveproof extract"):
        manifest.read(tmp_path / "nowhere")


def test_protocol_errors(tmp_path):
    use = dict(dataset="oulu", video="v", role="train", domain=0, label=1, pai="none")
    path = tables.write_protocol(tmp_path / "p.csv", [use, {**use, "domain": "x"}])
    with pytest.raises(ValueError, match="line 3: column domain"):
        manifest.read_protocol(path)
    with pytest.raises(ValueError, match="oulu v is listed twice"):
        manifest.read_protocol(tables.write_protocol(tmp_path / "p.csv", [use, use]))
    with pytest.raises(FileNotFoundError, match="liveproof protocol"):
        manifest.read_protocol(tmp_path / "none.csv")


def test_roles_come_from_the_protocol(benchmark, tmp_path):
    folder, protocol = benchmark
    crops = data.load_role([folder], protocol, "train")
    assert len(crops) == 16 and sorted(set(crops.domains)) == [0, 1] and crops.videos[0] == "casia/train/0"
    np.testing.assert_array_equal(crops.images[3], tables.picture(crops.labels[3], 3))
    with pytest.raises(data.NoRole, match="no video has the role test"):
        data.load_role([folder], protocol, "test")
    with pytest.raises(ValueError, match="none of its train videos"):
        data.load_role([tables.write_manifest(tmp_path, [tables.row(crop="a.png")]).parent], protocol, "train")


def test_labels_of_manifest_and_protocol_must_agree(benchmark, tmp_path):
    uses = [dict(dataset="casia", video="train/0", role="train", domain=0, label=1, pai="none")]
    with pytest.raises(ValueError, match="casia train/0 has label 1"):
        data.load_role([benchmark[0]], tables.write_protocol(tmp_path / "p.csv", uses), "train")


# Crops


def test_pictures_of_a_store(store):
    crops = data.load_split(store, "dev")
    assert len(crops) == 12 and set(crops.pai) == {"none", "print", "replay"} and set(crops.domains) == {0}
    np.testing.assert_array_equal(crops.images[5], tables.picture(1, 105))
    np.testing.assert_array_equal(crops.images.take([5, 0])[1], tables.picture(0, 100))
    assert crops.images[2:4].shape == (2, 256, 256, 3) and len(list(crops.images)) == 12
    np.testing.assert_array_equal(data.centre(crops.images[:1])[0], tables.picture(0, 100)[16:240, 16:240])


def test_crops_that_are_not_there_are_named(tmp_path):
    tables.write_manifest(tmp_path, [tables.row(crop="a.png"), tables.row(crop="b.npy#3", split="dev")])
    with pytest.raises(FileNotFoundError, match="a.png is missing"):
        data.load_split(tmp_path, "train")
    np.save(tmp_path / "b.npy", np.zeros((3, 256, 256, 3), np.uint8))
    with pytest.raises(ValueError, match="has 3 crops, the manifest lists row 3"):
        data.load_split(tmp_path, "dev")
    np.save(tmp_path / "b.npy", np.zeros((4, 224, 224, 3), np.uint8))
    with pytest.raises(ValueError, match="expected uint8"):
        data.load_split(tmp_path, "dev")
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="not a readable picture"):
        data.load_split(tmp_path, "train").images[0]


class Drawn:
    """A renderer: its crops depend on the epoch."""

    labels = np.array([1, 0, 1, 0])

    def __len__(self):
        return 4

    def draw(self, i, epoch):
        return np.full((256, 256, 3), 10 * i + epoch, np.uint8)


def test_streamed_crops_change_with_the_epoch(store):
    crops = data.Crops(pictures.Streamed(Drawn()), Drawn.labels, np.zeros(4, np.int64), ["none", "print"] * 2, list("abcd"), [])
    dataset = batches.Steps(crops, tables.config(store, store, mix="none"))
    seen = [{int(x) for x in dataset[s].images[:, 0, 0, 0]} for s in (0, 1)]
    assert seen == [{0, 10, 20, 30}, {1, 11, 21, 31}]


def test_joined_sources_keep_their_order():
    parts = [pictures.Streamed(Drawn()), pictures.Streamed(Drawn())]
    assert [int(p[0, 0, 0]) for p in pictures.Joined(parts)] == [0, 10, 20, 30] * 2


# Sampling


def units(counts: dict[tuple[int, int], int], frames="all"):
    """``counts``: (domain, label) -> videos."""
    keys = [key for key, n in counts.items() for _ in range(n)]
    return sampling.Units(np.array([y for _, y in keys]), np.array([d for d, _ in keys]), [str(i) for i in range(len(keys))], frames)


def test_every_batch_holds_equal_shares_of_domain_and_class():
    u = units({(0, 0): 90, (0, 1): 30, (1, 0): 20, (1, 1): 10})
    order = sampling.Order(u, "balanced", seed=1)
    assert len(order) == 148
    for epoch in range(3):
        for batch in order(epoch)[:144].reshape(-1, 8):
            groups = list(zip(u.domains[batch].tolist(), u.labels[batch].tolist()))
            assert all(groups.count(g) == 2 for g in set(groups)) and len(set(groups)) == 4


def test_no_unit_of_a_group_is_seen_twice_more_often_than_another():
    u = units({(0, 0): 9, (0, 1): 3, (1, 0): 4, (1, 1): 2})
    order = sampling.Order(u, "balanced", seed=1)
    seen = np.bincount(np.concatenate([order(e) for e in range(7)]), minlength=18)
    for d, y in ((0, 0), (0, 1), (1, 0), (1, 1)):
        of_group = seen[(u.domains == d) & (u.labels == y)]
        assert of_group.min() >= 1 and of_group.max() - of_group.min() <= 1


def test_equal_classes_are_each_seen_once_an_epoch():
    order = sampling.Order(units({(0, 0): 6, (0, 1): 6}), "class-balanced", seed=2)
    assert sorted(order(0)) == sorted(order(1)) == list(range(12)) and list(order(0)) != list(order(1))


def test_shuffle_keeps_the_proportions():
    order = sampling.Order(units({(0, 0): 9, (0, 1): 3}), "shuffle", seed=1)
    assert sorted(order(0)) == sorted(order(5)) == list(range(12))


# Videos of O, C and I that OCI-M trains on: (domain, label) -> how many.
OCI = {(0, 0): 1440, (0, 1): 360, (1, 0): 180, (1, 1): 60, (2, 0): 300, (2, 1): 60}
EPOCHS = 3


def seen(dataset, kinds) -> dict:
    """(domain, label) -> how often one video of that kind is drawn an epoch, on average."""
    draws = np.concatenate([dataset.order(e)[: dataset.per_epoch * dataset.batch] for e in range(EPOCHS)])
    count = np.bincount(draws, minlength=len(dataset.units))
    return {(d, y): count[(dataset.units.domains == d) & (dataset.units.labels == y)].mean() / EPOCHS for d, y in kinds}


def partners(dataset, label: int) -> list[float]:
    """Shares of the domains among the partners of anchors of a class."""
    rng = np.random.default_rng(1)
    return (np.bincount([dataset.crops.domains[dataset._partner(label, np.empty(0, np.int64), rng)] for _ in range(6000)]) / 6000).tolist()


def oci(**changes):
    u = units(OCI)
    crops = data.Crops(pictures.Pictures([]), u.labels, u.domains, [], [f"v{i}" for i in range(len(u))], [])
    return batches.Steps(crops, tables.config("x", "x", batch=32, protocol="p.csv", **changes))


def test_by_default_an_epoch_is_every_video_once_and_partners_come_from_the_entire_training_set():
    """Each one video of the training set has the same chance, whatever its dataset: three in four are of OULU-NPU, as in the set."""
    dataset = oci()
    assert dataset.config.crops.sampling == "shuffle" and dataset.per_epoch == 75 and sorted(dataset.order(0)) == list(range(2400))
    assert seen(dataset, OCI) == dict.fromkeys(OCI, 1.0)
    assert partners(dataset, 0) == pytest.approx([360 / 480, 60 / 480, 60 / 480], abs=0.02)
    assert partners(dataset, 1) == pytest.approx([1440 / 1920, 180 / 1920, 300 / 1920], abs=0.02)


def test_balanced_epochs_see_small_groups_more_often_and_partners_follow():
    dataset = oci(sampling="balanced")
    want = {kind: 400 / count for kind, count in OCI.items()}  # an OULU-NPU attack 0.28 times, a bona fide video of CASIA-FASD 6.67 times
    assert dataset.per_epoch == 75 and seen(dataset, OCI) == pytest.approx(want)
    assert partners(dataset, 0) == pytest.approx([1 / 3] * 3, abs=0.02) == partners(dataset, 1)


def test_weights_decide_what_a_matched_epoch_draws():
    weights = np.array([0.0, 1, 1, 0, 2, 0])
    order = sampling.Order(units({(0, 0): 3, (0, 1): 3}), "matched", 1, weights)
    assert {int(i) for e in range(20) for i in order(e)} == {1, 2, 4}
    with pytest.raises(ValueError, match="matched"):
        sampling.Order(units({(0, 0): 3, (0, 1): 3}), "matched", 1, weights * [1, 1, 1, 0, 0, 0])


def test_a_video_gives_one_random_frame_an_epoch(benchmark):
    folder, protocol = benchmark
    dataset = steps(folder, protocol=protocol, mix="none")
    assert len(dataset.units) == 8 and dataset.per_epoch == 2
    frames = {tuple(dataset.units.members[0])[int(dataset.units.crop(0, np.random.default_rng(s))) % 2] for s in range(20)}
    assert frames == {0, 1}
    assert steps(folder, protocol=protocol, mix="none", frames="all").per_epoch == 4
    assert steps(folder, mix="none").per_epoch == 4, "without a protocol every crop counts"


# Batches


def test_batches_depend_on_seed_and_step_alone(store):
    one, two, other = steps(store, augment="nuisance"), steps(store, augment="nuisance"), steps(store, augment="nuisance", seed=2)
    two[0], two[4]  # what was asked before does not matter
    assert all(torch.equal(a, b) for a, b in zip(one[5], two[5]))
    assert not torch.equal(one[5].images, one[2].images) and not torch.equal(one[5].images, other[5].images)


def test_any_number_of_workers_loads_the_same(store):
    dataset = steps(store, augment="nuisance")
    loader = torch.utils.data.DataLoader(dataset, batch_size=None, sampler=range(1, 4), num_workers=2)
    for step, batch in zip(range(1, 4), loader):
        assert all(torch.equal(a, b) for a, b in zip(batch, dataset[step]))


def test_processes_share_a_batch(store):
    """Each has a batch of its own; together they see what one process with as many originals sees."""
    changes = dict(sampling="balanced")
    whole, parts = steps(store, **changes), [steps(store, rank, 2, batch=2, **changes) for rank in range(2)]
    assert [p.per_epoch for p in parts] == [whole.per_epoch] * 2 == [3] * 2
    for name in batches.Batch._fields:
        assert torch.equal(torch.cat([getattr(p[1], name) for p in parts]), getattr(whole[1], name))
    assert all(set(p[1].targets[::2].tolist()) == {0.0, 1.0} for p in parts), "each part holds both classes"


def test_mixing_appends_or_replaces(store):
    batch = steps(store, mix="append")[0]
    assert batch.images.shape == (8, 64, 64, 3) and batch.images.dtype == torch.uint8
    assert set(batch.targets[::2].tolist()) == {0.0, 1.0} and all(round(10 * t) == pytest.approx(10 * t) for t in batch.targets.tolist())
    assert set(steps(store, mix="none")[0].targets.tolist()) == {0.0, 1.0}
    mixed = torch.cat([steps(store, mix="replace", mix_prob=0.5, max_level=9)[s].targets for s in range(9)])
    assert len(mixed) == 36 and 8 < int(((mixed > 0) & (mixed < 1)).sum()) < 28
    assert set(steps(store, mix="replace", mix_prob=0.0)[0].targets.tolist()) == {0.0, 1.0}


def test_a_mixed_picture_shows_both_classes_in_the_labels_share():
    """Bona fide crops are 255, attacks 0: the mean is the share of real pixels."""

    class Flat(Drawn):
        def draw(self, i, epoch):
            return np.full((256, 256, 3), 255 * self.labels[i], np.uint8)

    crops = data.Crops(pictures.Streamed(Flat()), Flat.labels, np.array([0, 0, 3, 3]), [], list("abcd"), [])
    for shape in ("square-root", "aspect", "clip"):
        dataset = batches.Steps(crops, tables.config("x", "x", size=224, box=shape))
        for step in range(6):
            batch = dataset[step]
            torch.testing.assert_close(batch.images.float().mean(dim=(1, 2, 3)) / 255, batch.targets, atol=0.005, rtol=0)


def test_domain_labels_are_pixel_shares(benchmark):
    folder, protocol = benchmark
    rows = torch.cat([steps(folder, protocol=protocol)[s].domains for s in range(6)])
    torch.testing.assert_close(rows.sum(1), torch.ones(len(rows)))
    assert ((rows[1::2] > 0) & (rows[1::2] < 1)).any() and set(rows[::2].flatten().tolist()) == {0.0, 1.0}
    excluded = steps(folder, protocol=protocol, mixed_domain="exclude")[0].domains
    assert excluded[1::2].sum() == 0 and excluded[::2].sum() == 4
    anchored = steps(folder, protocol=protocol, mixed_domain="anchor")[0].domains
    assert torch.equal(anchored[1::2], anchored[::2])


def test_partners_come_from_everywhere_or_from_the_batch(store):
    for where, expected in (("all", 6), ("batch", 2)):
        dataset = steps(store, partner=where)
        ids = dataset.order(0)[:4]
        found = {dataset._partner(0, ids, np.random.default_rng(s)) for s in range(200)}
        assert len(found) == expected and all(dataset.crops.labels[list(found)] == 1)
        assert where == "all" or found <= set(ids.tolist())


def test_partners_have_the_originals_nuisance_factors(store):
    c = tables.config(store, store, sampling="matched", frames="all")
    weights = np.tile([0.0, 1, 2, 0], 3)  # attacks at even places
    s = batches.Steps(data.load(c, "train"), c, weights)
    rng = np.random.default_rng(1)
    drawn = [[s._partner(label, np.arange(2), rng) for _ in range(200)] for label in (0, 1)]
    assert set(drawn[0]) == {1, 5, 9} and set(drawn[1]) == {2, 6, 10}


def test_training_needs_both_classes_and_a_full_batch(store):
    crops = data.load_split(store, "train")
    crops.labels = np.ones_like(crops.labels)
    with pytest.raises(ValueError, match="both"):
        batches.Steps(crops, tables.config(store, store))
    with pytest.raises(ValueError, match="batch"):
        steps(store, batch=13)
