"""A run on a GPU: precisions, loss scaling, resuming, two processes with one batch norm. Skipped where there is no GPU."""

import csv
import os
import time
from pathlib import Path

import pytest
import tables
import torch
from test_train_distributed import free_port

from liveproof_training.fit import checkpoint, distributed, engine, train
from liveproof_training.loading import data
from liveproof_training.loading.batches import Batch

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
WORLD = 2


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    return tables.benchmark(tmp_path_factory.mktemp("data") / "benchmark")


@pytest.fixture
def repeatable(monkeypatch):
    """cuDNN's fastest convolutions add in an order that changes from run to run."""
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)


def config(benchmark, out: Path, **changes):
    folder, protocol = benchmark
    return tables.config(folder, out, **{"device": "cuda", "protocol": str(protocol), "size": 96, **changes})


def score_loss(out: Path) -> float:
    """Of the first step; the adversary's has a dropout that each device draws for itself."""
    with (out / "log.csv").open() as f:
        return float(next(csv.DictReader(f))["loss_score"])


@pytest.mark.parametrize("encoder", ["resnet18", "mobilenet_v2"])
@pytest.mark.parametrize("precision, within", [("fp32", 2e-3), ("bf16", 3e-2), ("fp16", 1e-2)])
def test_every_precision_starts_from_the_loss_of_the_cpu(benchmark, tmp_path, encoder, precision, within):
    train.Run(config(benchmark, tmp_path / "gpu", encoder=encoder, precision=precision, steps=1)).train()
    train.Run(config(benchmark, tmp_path / "cpu", encoder=encoder, device="cpu", steps=1)).train()
    assert score_loss(tmp_path / "gpu") == pytest.approx(score_loss(tmp_path / "cpu"), rel=within)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_step_does_not_wait_for_the_gpu(benchmark, tmp_path, precision):
    run = train.Run(config(benchmark, tmp_path, precision=precision))
    batch = Batch(*(part.pin_memory() for part in run.dataset[0]))
    run.trainer.step(batch)  # the first one makes what is kept on the GPU
    torch.cuda.set_sync_debug_mode("error")
    try:
        told = run.trainer.step(batch)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert 0 < told["loss"] < 10


def test_scores_of_a_checkpoint_are_those_of_the_cpu(benchmark, tmp_path):
    run = train.Run(config(benchmark, tmp_path))
    run.train()
    gpu = engine.scores(run.net, run.dev_crops.images, run.config, run.device)
    cpu = engine.scores(run.net.cpu(), run.dev_crops.images, run.config, torch.device("cpu"))
    assert abs(gpu - cpu).max() < 1e-4


def test_an_overflow_skips_the_step_and_halves_the_scale(benchmark, tmp_path):
    run = train.Run(config(benchmark, tmp_path, precision="fp16"))
    run.trainer.scaler = torch.amp.GradScaler("cuda", init_scale=2.0**60)
    before = run.net.head.weight.clone()
    run.trainer.step(run.dataset[0])
    assert run.net.head.weight.equal(before) and run.trainer.scaler.get_scale() == 2.0**59


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_run_that_breaks_off_goes_on_as_if_it_had_not(repeatable, benchmark, tmp_path, monkeypatch, precision):
    """To the bit, with the scale of the losses, the adversary's dropout and the optimiser's moments."""
    changes = dict(precision=precision, steps=6, checkpoint_every=3)
    whole = train.Run(config(benchmark, tmp_path / "a", **changes))
    whole.train()
    broken = train.Run(config(benchmark, tmp_path / "b", **changes))
    step = broken.trainer.step

    def until_four(*args, **kwargs):
        if broken.step == 4:
            raise KeyboardInterrupt
        return step(*args, **kwargs)

    monkeypatch.setattr(broken.trainer, "step", until_four)
    with pytest.raises(KeyboardInterrupt):
        broken.train()
    resumed = train.Run(config(benchmark, tmp_path / "b", **changes), resume=True)
    assert resumed.step == 3
    resumed.train()
    ours, theirs = resumed.trainer.both.state_dict(), whole.trainer.both.state_dict()
    assert [name for name, value in ours.items() if not torch.equal(value, theirs[name])] == []
    assert resumed.trainer.scaler.state_dict() == whole.trainer.scaler.state_dict()


def gradients(run: train.Run) -> dict[str, torch.Tensor]:
    """Of the first step, without the discriminator's dropout."""
    run.trainer.both.discriminator[2].p = 0.0
    run.trainer.step(run.dataset[0], coefficient=0.5)
    return {name: p.grad.cpu() for name, p in run.trainer.both.named_parameters()}


def one_of_two(rank: int, config, port: int) -> None:
    """Two processes share one GPU: NCCL allows that where it takes them for two computers."""
    os.environ.update(RANK=str(rank), LOCAL_RANK="0", WORLD_SIZE=str(WORLD), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    os.environ.update(NCCL_HOSTID=f"computer {rank}", NCCL_SOCKET_IFNAME="lo")
    torch.backends.cudnn.allow_tf32 = False
    trial, run = train.Run(config), train.Run(config)
    first = gradients(trial)
    result = run.train()
    torch.save({"gradients": first, "result": result, "backend": torch.distributed.get_backend()}, Path(config.run.out) / f"rank{rank}.pt")
    trial.trainer.close()
    run.trainer.close()
    distributed.stop()


@pytest.fixture(scope="module")
def both(benchmark, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    whole = config(benchmark, out, sync_bn="on", steps=3, eval_every=2, batch=2)
    processes = torch.multiprocessing.spawn(one_of_two, (whole, free_port()), nprocs=WORLD, join=False)
    end = time.monotonic() + 120
    while not processes.join(timeout=1):  # raises what a process raised
        if time.monotonic() > end:
            [p.kill() for p in processes.processes]
            pytest.fail("the processes wait for each other")
    return whole, [torch.load(out / f"rank{r}.pt") for r in range(WORLD)]


def test_with_synchronised_batch_norm_two_processes_have_the_gradients_of_one(both, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    config, (first, second) = both
    assert first["backend"] == "nccl"
    alone = gradients(train.Run(config.replace(out=f"{config.run.out}/alone", sync_bn="off", batch=2 * WORLD)))
    assert all(torch.equal(gradient, second["gradients"][name]) for name, gradient in first["gradients"].items())
    away = {name: float((first["gradients"][name] - want).norm() / want.norm().clamp_min(1e-6)) for name, want in alone.items()}
    assert max(away.values()) < 0.02, sorted(away.items(), key=lambda item: -item[1])[:5]


def test_the_weights_that_two_processes_save_have_the_saved_figures(both):
    config, (first, second) = both
    assert first["result"] == second["result"]
    net, state = checkpoint.load_net(Path(config.run.out) / "final.pt")
    alone = engine.evaluate(net, data.load(config, "dev"), config, torch.device("cpu"))
    assert state["dev"] == first["result"] and alone["mse"] == pytest.approx(state["dev"]["mse"], rel=1e-3)
