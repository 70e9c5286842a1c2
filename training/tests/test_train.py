"""A run: steps, log, checkpoints, resuming, arms, settings."""

import csv
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tables
import torch

from liveproof_training import cli
from liveproof_training.config import ARMS, FIELDS, TrainConfig, flat
from liveproof_training.fit import checkpoint, engine, journal, train
from liveproof_training.loading import batches, data
from liveproof_training.loading.batches import Batch
from liveproof_training.method import encoders
from liveproof_training.method.losses import LOSSES


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tables.store(tmp_path_factory.mktemp("data") / "store")


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    return tables.benchmark(tmp_path_factory.mktemp("data") / "benchmark")


@pytest.fixture(autouse=True)
def tiny(monkeypatch, request):
    """A small network, where a test does not ask for the whole one."""
    if "resnet18" not in request.fixturenames:
        monkeypatch.setitem(encoders.ENCODERS, "resnet18", tables.TinyEncoder)


@pytest.fixture
def resnet18():
    return "resnet18"


def log_of(out: Path) -> list[dict]:
    with (out / "log.csv").open() as f:
        return list(csv.DictReader(f))


def equal(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_a_run_leaves_log_settings_and_checkpoints(store, tmp_path):
    result = train.Run(tables.config(store, tmp_path, eval_every=2, max_level=9)).train()
    assert 0 <= result["threshold"] <= 1.01 and result["crops"] == 12
    rows = log_of(tmp_path)
    assert [int(r["step"]) for r in rows] == [1, 2, 3, 4] and rows[1]["dev_auc"] and not rows[0]["dev_auc"]
    assert all(float(r["images_per_s"]) > 0 and 0 <= float(r["loader_wait"]) <= 1 for r in rows)
    net, state = checkpoint.load_net(tmp_path / "final.pt")
    assert state["step"] == 4 and state["dev"] == result and state["initial"] == "random" and len(state["data_sha256"]) == 64
    assert state["config"] == json.loads((tmp_path / "config.json").read_text())
    assert not net.training and not list(tmp_path.glob("*.partial"))


def test_protocol_run_logs_the_adversary(benchmark, tmp_path):
    folder, protocol = benchmark
    train.Run(tables.config(folder, tmp_path, protocol=str(protocol), steps=2)).train()
    first, second = log_of(tmp_path)
    assert float(first["reversal"]) == 0 and float(second["reversal"]) == pytest.approx(0.98661, abs=1e-4)
    assert float(first["grad_domain"]) == 0 and float(second["grad_domain"]) > 0 and float(second["grad_score"]) > 0
    assert float(second["loss"]) == pytest.approx((float(second["loss_score"]) + float(second["loss_domain"])) / 2, rel=1e-4)


def test_one_domain_turns_the_adversary_off_and_says_so(store, tmp_path, capsys):
    run = train.Run(tables.config(store, tmp_path, steps=1))
    assert run.trainer.both.discriminator is None and "adversary: off" in capsys.readouterr().out


def test_the_worst_family_is_for_pictures_whose_families_are_known(store, tmp_path):
    with pytest.raises(ValueError, match="families"):
        train.Run(tables.config(store, tmp_path, families="worst"))


def test_a_run_that_breaks_off_goes_on_as_if_it_had_not(benchmark, tmp_path, monkeypatch):
    """Mid-epoch, with the discriminator's dropout and moments; two steps after the last checkpoint."""
    folder, protocol = benchmark
    changes = dict(protocol=str(protocol), steps=5, checkpoint_every=2)
    whole = train.Run(tables.config(folder, tmp_path / "a", **changes))
    whole.train()
    broken = train.Run(tables.config(folder, tmp_path / "b", **changes))
    step = broken.trainer.step

    def until_three(*args, **kwargs):
        if broken.step == 3:
            raise KeyboardInterrupt
        return step(*args, **kwargs)

    monkeypatch.setattr(broken.trainer, "step", until_three)
    with pytest.raises(KeyboardInterrupt):
        broken.train()
    resumed = train.Run(tables.config(folder, tmp_path / "b", **changes), resume=True)
    assert resumed.step == 2
    resumed.train()
    assert equal(whole.trainer.both.state_dict(), resumed.trainer.both.state_dict())
    assert [r["step"] for r in log_of(tmp_path / "b")] == ["1", "2", "3", "4", "5"]
    assert [r["loss"] for r in log_of(tmp_path / "b")] == [r["loss"] for r in log_of(tmp_path / "a")]


def test_a_killed_process_goes_on_as_if_it_had_not(resnet18, store, tmp_path):
    changes = dict(steps=6, checkpoint_every=2, batch=2, mix="replace", workers=1)
    out = tmp_path / "b"
    tables.config(store, out, **changes).save(tmp_path / "settings.json")
    words = [sys.executable, "-m", "liveproof_training", "train", "--config", str(tmp_path / "settings.json")]
    process = subprocess.Popen(words, cwd=Path(__file__).parents[1], start_new_session=True)
    while not (out / "last.pt").exists() and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert checkpoint.load(out / "last.pt")["step"] in (2, 4) and not (out / "final.pt").exists()
    assert cli.main(["train", "--out", str(out), "--resume", "--checkpoint-every", "0"]) == 0
    whole = train.Run(tables.config(store, tmp_path / "a", **{**changes, "checkpoint_every": 0}))
    whole.train()
    assert equal(whole.net.state_dict(), checkpoint.load(out / "final.pt")["model"])


def test_a_resumed_run_takes_the_rates_it_is_given_and_needs_no_first_weights(store, tmp_path, capsys):
    train.Run(tables.config(store, tmp_path / "first", steps=1)).train()
    first = tmp_path / "first" / "final.pt"
    train.Run(tables.config(store, tmp_path / "b", steps=2, init=str(first))).train()
    first.unlink()
    run = train.Run(tables.config(store, tmp_path / "b", steps=4, init=str(first), lr=1e-5, weight_decay=0.1), resume=True)
    assert [(g["base_lr"], g["weight_decay"]) for g in run.trainer.opt.param_groups] == [(1e-5, 0.1)]
    assert "resume: lr 0.0001, now 1e-05; steps 2, now 4; weight_decay" in capsys.readouterr().out
    assert run.initial.description == checkpoint.load(tmp_path / "b" / "final.pt")["initial"] and run.step == 2
    run.train()
    assert float(log_of(tmp_path / "b")[-1]["lr"]) == pytest.approx(1e-5 * 0.99 ** int(log_of(tmp_path / "b")[-1]["epoch"]), rel=1e-4)


def test_a_run_does_not_go_on_with_other_crops(tmp_path):
    folder = tables.store(tmp_path / "data")
    train.Run(tables.config(folder, tmp_path / "out", steps=1)).train()
    table = folder / "manifest.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(ValueError, match="last.pt: its crops or protocol have changed"):
        train.Run(tables.config(folder, tmp_path / "out", steps=2), resume=True)


def test_the_learning_rate_falls_once_an_epoch(store, tmp_path):
    run = train.Run(tables.config(store, tmp_path, steps=8, mix="none"))
    assert run.per_epoch == 3
    run.train()
    assert [float(r["lr"]) for r in log_of(tmp_path)] == pytest.approx([1e-4] * 3 + [0.99e-4] * 3 + [0.99**2 * 1e-4] * 2, rel=1e-5)


def test_starts_from_a_checkpoint(store, tmp_path):
    first = train.Run(tables.config(store, tmp_path / "a", steps=1))
    first.train()
    second = train.Run(tables.config(store, tmp_path / "b", init=str(tmp_path / "a" / "final.pt")))
    assert equal(first.net.state_dict(), second.net.state_dict())
    assert second.initial.missing == [] and "random" in second.initial.description


def test_learns_to_tell_stripes_from_none(resnet18, store, tmp_path):
    """The loop learns: eight pictures, always the same, stripes or none, from random weights (a twentieth after five steps)."""
    run = train.Run(tables.config(store, tmp_path, lr=1e-3, mix="none"))
    images = torch.from_numpy(data.centre(run.train_crops.images[:8])[:, :64, :64].copy())
    batch = Batch(images, torch.from_numpy(run.train_crops.labels[:8]).float(), torch.zeros(8, 1))
    losses = [run.trainer.step(batch)["loss"] for _ in range(10)]
    assert 0.1 < losses[0] < 0.5, "untrained, rho is near one half"
    assert min(losses[-3:]) < 0.4 * losses[0]


def test_scores_are_full_float32_and_training_keeps_what_was_set(store, tmp_path, monkeypatch):
    """What a GPU would do: rounded convolutions in the steps, none in the scores."""
    run, seen = train.Run(tables.config(store, tmp_path, steps=1)), []
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    run.net.register_forward_pre_hook(lambda *_: seen.append(("scores", torch.backends.cudnn.allow_tf32)))
    run.trainer.both.register_forward_pre_hook(lambda *_: seen.append(("step", torch.backends.cudnn.allow_tf32)))
    engine.scores(run.net, run.dev_crops.images[:2], run.config, run.device)
    run.trainer.step(run.dataset[0])
    assert seen == [("scores", False), ("step", True)]


def test_frozen_layers_stay(resnet18, store, tmp_path):
    run = train.Run(tables.config(store, tmp_path, freeze="layer1", steps=2))
    before = {k: v.clone() for k, v in run.net.state_dict().items()}
    run.train()
    changed = {k for k, v in run.net.state_dict().items() if not torch.equal(v, before[k])}
    assert changed and not any(k.startswith(("encoder.conv1", "encoder.bn1", "encoder.layer1")) for k in changed)


def test_non_finite_loss_stops_the_run_and_says_where(store, tmp_path):
    run = train.Run(tables.config(store, tmp_path, lr=3e-4))
    with torch.no_grad():
        run.net.head.bias.fill_(float("nan"))
    with pytest.raises(engine.NonFiniteLoss, match="step 1: loss nan.*learning rate 0.0003.*no checkpoint yet"):
        run.train()
    assert not (tmp_path / "final.pt").exists()


def test_a_non_finite_gradient_stops_the_run_before_its_weights_are_saved(store, tmp_path):
    run = train.Run(tables.config(store, tmp_path, checkpoint_every=1))
    run.net.head.bias.register_hook(lambda gradient: gradient * (float("inf") if run.step == 2 else 1))
    with pytest.raises(engine.NonFiniteLoss, match="step 3: grad_norm inf.*last.pt, step 2"):
        run.train()
    assert all(torch.isfinite(v).all() for v in checkpoint.load(tmp_path / "last.pt")["model"].values())


@pytest.mark.parametrize(
    "changes, reads",
    [
        (dict(steps=8), [3, 6, 8]),  # at the end, before the checkpoint
        (dict(steps=8, checkpoint_every=4), [3, 4, 7, 8]),
        (dict(steps=8, eval_every=5), [3, 5, 8]),
    ],
)
def test_figures_are_read_together_so_that_a_gpu_is_seldom_waited_for(store, tmp_path, monkeypatch, changes, reads):
    """Here every three steps instead of a hundred, and before anything is written of them; the log has all its lines, in order."""
    monkeypatch.setitem(train.AHEAD, "cpu", 3)
    seen, read = [], engine.read_together
    run = train.Run(tables.config(store, tmp_path, log_every=2, **changes))
    monkeypatch.setattr(engine.Figures, "read", lambda figures: pytest.fail("a wait for a single step"))
    monkeypatch.setattr(engine, "read_together", lambda steps: (seen.append(run.step), read(steps))[1])
    run.train()
    assert seen == reads
    evaluated = [5] if "eval_every" in changes else []
    rows = log_of(tmp_path)
    assert [int(r["step"]) for r in rows] == sorted([2, 4, 6, 8, *evaluated]) and all(r["loss"] for r in rows if r["step"] != "5")
    assert train.AHEAD["cuda"] == 100


def test_a_step_that_was_not_finite_is_named_when_it_is_read_later(store, tmp_path, monkeypatch):
    monkeypatch.setitem(train.AHEAD, "cpu", 3)
    run = train.Run(tables.config(store, tmp_path, log_every=1))
    run.net.head.bias.register_hook(lambda gradient: gradient * (float("inf") if run.step == 1 else 1))
    with pytest.raises(engine.NonFiniteLoss, match="step 2: grad_norm inf.*no checkpoint yet"):
        run.train()
    assert run.step == 3 and [r["step"] for r in log_of(tmp_path)] == ["1"]


def test_processes_agree_on_the_time_that_is_left_as_seldom(store, tmp_path, monkeypatch):
    run, asked = train.Run(tables.config(store, tmp_path, budget_minutes=1.0)), []
    monkeypatch.setattr(train.distributed, "world", lambda: 2)
    monkeypatch.setattr(train.distributed, "agree", lambda value: (asked.append(run.step), value)[1])
    run.ahead = 100
    for run.step in range(201):
        run.done_share()
    assert asked == [0, 100, 200]


def test_loader_processes_follow_the_cores_and_the_device(monkeypatch):
    monkeypatch.setattr(batches.os, "sched_getaffinity", lambda pid: range(16))
    config, streamed = TrainConfig(), TrainConfig().replace(data="render:faces")
    assert [batches.workers(config, gpu, world) for gpu, world in ((True, 1), (True, 4), (True, 16), (False, 1), (False, 4))] == [12, 3, 1, 2, 1]
    assert batches.workers(streamed, False, 2) == 7 and batches.workers(config.replace(workers=0), True, 1) == 0
    monkeypatch.setattr(batches.os, "sched_getaffinity", lambda pid: range(2))
    assert batches.workers(config, True, 1) == 1 and batches.workers(config, False, 1) == 0


def test_every_run_has_its_curve_and_says_where_its_weights_are_from(store, tmp_path, capsys, monkeypatch):
    train.Run(tables.config(store, tmp_path / "a", steps=2, eval_every=1, curve="auto")).train()
    assert (tmp_path / "a" / "curve.png").read_bytes()[:4] == b"\x89PNG" and "first weights: random\n" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    train.Run(tables.config(store, tmp_path / "b", steps=1, log_every=9, curve="auto", init=str(tmp_path / "a" / "final.pt"))).train()
    said = capsys.readouterr().out
    assert "no curve.png: plots need matplotlib" in said and "first weights: final.pt sha256" in said
    run = train.Run(tables.config(store, tmp_path / "a", steps=2), resume=True)
    assert "first weights: random, as the run began" in capsys.readouterr().out and run.step == 2


def test_a_checkpoint_of_a_gpu_goes_on_without_one(store, tmp_path):
    train.Run(tables.config(store, tmp_path, steps=2)).train()
    state = torch.load(tmp_path / "last.pt")
    for group in state["optimizer"]["param_groups"]:
        group["fused"] = True
    torch.save(state, tmp_path / "last.pt")
    run = train.Run(tables.config(store, tmp_path, steps=3), resume=True)
    run.train()
    assert run.step == 3 and not any(group["fused"] for group in run.trainer.opt.param_groups)


def test_the_accuracy_on_domains_leaves_out_pictures_without_one(benchmark, tmp_path):
    folder, protocol = benchmark
    run = train.Run(tables.config(folder, tmp_path, protocol=str(protocol)))
    batch = Batch(torch.zeros(4, 64, 64, 3, dtype=torch.uint8), torch.zeros(4), torch.tensor([[0.0, 1], [0, 0], [0, 0], [0, 1]]))
    logits = torch.tensor([[0.0, 1], [1, 0], [1, 0], [1, 0]])
    assert float(run.trainer._domain_loss(logits, batch)[1]["domain_accuracy"]) == 0.5


@pytest.mark.parametrize("arm", ARMS)
def test_arms_of_the_ablation(store, tmp_path, arm):
    run = train.Run(tables.config(store, tmp_path, arm=arm, steps=1, eval_limit=2))
    run.train()
    saved = json.loads((tmp_path / "config.json").read_text())
    want = {
        "full": ("expected", "mse", "append", "discrete"),
        "no-pe": ("expected", "mse", "none", "discrete"),
        "no-le": ("sigmoid", "mse", "append", "continuous"),
        "no-pe-le": ("sigmoid", "mse", "none", "discrete"),
        "bce": ("sigmoid", "bce", "none", "discrete"),
    }[arm]
    assert [flat(saved)[name] for name in ("arm", "head", "loss", "mix", "label_encoding")] == [arm, *want]
    assert run.net.head.out_features == (11 if want[0] == "expected" else 1)
    assert checkpoint.load_net(tmp_path / "final.pt")[0].scalar == (want[0] == "sigmoid")


def test_k_outputs_have_atoms_from_zero_to_one(store, tmp_path):
    run = train.Run(tables.config(store, tmp_path, atoms="k", k=5, steps=1))
    assert run.net.head.out_features == 5 and run.net.k == 4


def test_the_best_evaluation_can_be_kept_and_end_the_run(store, tmp_path, monkeypatch):
    aucs = iter([0.6, 0.9, 0.8, 0.7, 0.5])
    dev = dict(eer=0.1, threshold=0.5, mse=0.1, crops=2)
    monkeypatch.setattr(engine, "evaluate", lambda *a: {"auc": next(aucs), **dev})
    run = train.Run(tables.config(store, tmp_path, steps=9, eval_every=1, patience=2, keep="best", mix="none"))
    run.train()
    assert run.step == 4, "two evaluations without a better one"
    assert equal(checkpoint.load(tmp_path / "final.pt")["model"], checkpoint.load(tmp_path / "best.pt")["model"])
    assert checkpoint.load(tmp_path / "best.pt")["step"] == 2


def test_a_time_budget_ends_the_run(store, tmp_path):
    run = train.Run(tables.config(store, tmp_path, steps=500, budget_minutes=1e-6, mix="none"))
    run.train()
    assert run.step <= 1 and (tmp_path / "final.pt").is_file()


def test_late_in_the_run_the_crops_are_whole(store, tmp_path):
    run = train.Run(tables.config(store, tmp_path, batch=2, mix="none", full_size_from=0.75))
    sizes, step = [], run.trainer.step
    run.trainer.step = lambda batch, *a, **k: (sizes.append(batch.images.shape[1]), step(batch, *a, **k))[1]
    run.train()
    assert sizes == [64, 64, 64, 224]


# Schedules


def test_exponential_schedule_steps_once_an_epoch():
    config = TrainConfig()
    assert engine.rate(config, 0.5, 1000, 0) == 1 and engine.rate(config, 0.5, 1000, 200) == pytest.approx(0.134, abs=1e-3)


def test_cosine_schedule_and_warm_up():
    config = TrainConfig().replace(schedule="cosine", warmup_steps=10)
    assert engine.rate(config, 0.0, 0, 0) == pytest.approx(0.1)
    assert engine.rate(config, 0.5, 99, 0) == pytest.approx(0.5) and engine.rate(config, 1.0, 99, 0) == pytest.approx(0.005)


def test_reversal_follows_the_runs_progress():
    assert engine.reversal(TrainConfig(), 0.5) == pytest.approx(0.98661, abs=1e-5)
    assert engine.reversal(TrainConfig().replace(grl="constant"), 0.0) == 1


def test_thinning_keeps_both_classes():
    labels = torch.tensor([1] * 90 + [0] * 10).numpy()
    ids = engine.thinned(labels, 20)
    assert len(ids) == 20 and labels[ids].sum() == 18 and len(engine.thinned(labels, 0)) == 100
    with pytest.raises(ValueError, match="no attack crops"):
        engine.thinned(labels[:5], 0)


# Settings


@pytest.mark.parametrize(
    "name, value",
    [
        ("mix", "cut"),
        ("k", 0),
        ("mix_prob", 1.5),
        ("max_level", 11),
        ("lr", 0.0),
        ("eval_limit", 0),
        ("size", 100),
        ("size", 32),
        ("loss", "bce"),
        ("alpha", -0.1),
        ("encoder", "resnet50"),
        ("lr", float("nan")),
        ("k", "10"),
        ("batch", 1.5),
        ("precision", "fp64"),
    ],
)
def test_bad_settings_are_named(name, value):
    with pytest.raises(ValueError, match=f"^{name}:"):
        TrainConfig().replace(**{name: value}).check()


def test_the_defaults_are_the_papers():
    c = TrainConfig()
    c.check()
    assert (
        c.optimisation.lr,
        c.optimisation.weight_decay,
        c.optimisation.batch,
        c.optimisation.epochs,
        c.optimisation.gamma,
        c.crops.size,
        c.exchange.k,
        c.losses.alpha,
    ) == (1e-4, 2e-4, 32, 200, 0.99, 224, 10, 0.5)
    assert (c.exchange.mix, c.network.head, c.losses.loss, c.exchange.label_encoding, c.network.encoder, c.domains.adversary, c.domains.grl) == (
        "append",
        "expected",
        "mse",
        "discrete",
        "resnet18",
        "on",
        "ganin",
    )


def test_matched_sampling_needs_single_crops():
    with pytest.raises(ValueError, match="^sampling: matched"):
        TrainConfig().replace(sampling="matched", protocol="p.csv").check()


def test_unknown_settings_are_named():
    for make in (TrainConfig.from_dict, lambda values: TrainConfig().replace(**values)):
        with pytest.raises(ValueError, match="unknown settings: learning_rate"):
            make({"learning_rate": 1})
    with pytest.raises(ValueError, match="unknown settings: learning_rate"):
        TrainConfig.from_dict({"optimisation": {"learning_rate": 1}})


def test_a_settings_name_is_in_one_group_and_names_no_group():
    names = [field.name for group in TrainConfig().groups().values() for field in dataclasses.fields(group)]
    assert len(names) == len(set(names)) == len(FIELDS) and not set(names) & set(TrainConfig().groups())


def test_settings_are_written_in_groups_and_read_in_groups_or_flat(tmp_path):
    config = TrainConfig().replace(k=5, lr=1e-3, out="here")
    config.save(tmp_path / "config.json")
    written = json.loads((tmp_path / "config.json").read_text())
    assert (written["exchange"]["k"], written["optimisation"]["lr"], written["run"]["out"]) == (5, 1e-3, "here")
    assert TrainConfig.from_dict(written) == TrainConfig.from_dict(config.flat()) == config != TrainConfig()


def test_a_run_of_an_earlier_version_whose_settings_are_flat_goes_on(store, tmp_path):
    train.Run(tables.config(store, tmp_path, steps=1, k=5)).train()
    state = checkpoint.load(tmp_path / "last.pt")
    torch.save({**state, "config": flat(state["config"])}, tmp_path / "last.pt")
    written = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(flat(written)))
    net, old = checkpoint.load_net(tmp_path / "last.pt")
    assert old["config"]["k"] == 5 and net.k == 5 and checkpoint.settings(old) == checkpoint.settings(state)
    assert cli.main(["train", "--out", str(tmp_path), "--resume", "--steps", "2"]) == 0
    assert [row["step"] for row in log_of(tmp_path)] == ["1", "2"]
    assert json.loads((tmp_path / "config.json").read_text()) == {**written, "optimisation": {**written["optimisation"], "steps": 2}}


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_of_the_table_is_a_flag_and_trains(store, tmp_path, name):
    head = LOSSES[name].head or "expected"
    assert settings("--loss", name, "--head", head).losses.loss == name and f"{name}: " in FIELDS["loss"].metadata["help"]
    run = train.Run(tables.config(store, tmp_path, loss=name, head=head, steps=1))
    run.train()
    (row,) = log_of(tmp_path)
    assert float(row["loss_score"]) > 0 and float(row["grad_norm"]) > 0


def settings(*words):
    from liveproof_training.commands.train import settings

    return settings(cli.parser().parse_args(["train", *words]))


def test_flags_go_before_a_settings_file(tmp_path):
    TrainConfig().replace(lr=1e-3, k=5).save(tmp_path / "config.json")
    config = settings("--config", str(tmp_path / "config.json"), "--k", "7")
    assert (config.optimisation.lr, config.exchange.k) == (1e-3, 7)
    assert settings("--arm", "bce").losses.loss == "bce"
    with pytest.raises(ValueError, match="^mix: arm no-pe sets none, not append"):
        settings("--arm", "no-pe", "--mix", "append")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match="not JSON"):
        settings("--config", str(tmp_path / "config.json"))


def test_missing_data_is_an_error_not_a_trace(tmp_path, capsys):
    assert cli.main(["train", "--data", str(tmp_path), "--out", str(tmp_path / "o")]) == 1
    assert "manifest.csv is missing" in capsys.readouterr().err


# Journal


def test_tensorboard_is_optional(tmp_path, monkeypatch):
    for name in ("tensorboardX", "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, name, None)
    journal.Journal(tmp_path, "auto").close()
    with pytest.raises(ValueError, match="pip install tensorboardX"):
        journal.Journal(tmp_path, "on")


def test_tensorboard_gets_every_row(tmp_path):
    pytest.importorskip("tensorboardX")
    both = journal.Journal(tmp_path, "on")
    both.write({"step": 3, "loss": 0.25, "dev_auc": 0.5})
    both.close()
    (events,) = (tmp_path / "events").iterdir()
    assert b"loss" in events.read_bytes() and b"dev/auc" in events.read_bytes()
