"""Two processes on the CPU (gloo) do what one does with the whole batch, but for batch norm, which sees each process's own half."""

import csv
import os
import socket
import time
from pathlib import Path

import pytest
import tables
import torch

from liveproof_training.fit import checkpoint, distributed, engine, train
from liveproof_training.loading import batches, data
from liveproof_training.method import encoders

WORLD = 2


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def gradients(run: train.Run) -> dict[str, torch.Tensor]:
    """Of the first step, discriminator included, without its dropout."""
    run.trainer.both.discriminator[2].p = 0.0
    run.trainer.step(run.dataset[0], coefficient=0.5)
    return {name: p.grad.clone() for name, p in run.trainer.both.named_parameters()}


def one_of_two(rank: int, config, port: int) -> None:
    """What a process that torchrun started does."""
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(WORLD), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    encoders.ENCODERS["resnet18"] = tables.TinyEncoder
    trial, run = train.Run(config), train.Run(config)
    first = gradients(trial)
    result = run.train()
    told = {"batch": run.dataset.batch, "per_epoch": run.per_epoch, "gradients": first, "weights": run.trainer.both.state_dict(), "result": result}
    torch.save(told, Path(config.run.out) / f"rank{rank}.pt")
    trial.trainer.close()
    run.trainer.close()
    distributed.stop()


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setitem(encoders.ENCODERS, "resnet18", tables.TinyEncoder)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder, protocol = tables.benchmark(tmp_path_factory.mktemp("data") / "benchmark")
    out = tmp_path_factory.mktemp("out")
    config = tables.config(folder, out, protocol=str(protocol), steps=3, eval_every=2, threads=1, batch=2, sampling="balanced")
    processes = torch.multiprocessing.spawn(one_of_two, (config, free_port()), nprocs=WORLD, join=False)
    end = time.monotonic() + 120
    while not processes.join(timeout=1):  # raises what a process raised
        if time.monotonic() > end:
            [p.kill() for p in processes.processes]
            pytest.fail("the processes wait for each other")
    return config, [torch.load(out / f"rank{r}.pt") for r in range(WORLD)]


def test_both_end_with_the_same_weights_and_result(both):
    first, second = both[1]
    moving = ("running_mean", "running_var")  # each process's own until the next forward pass
    assert all(torch.equal(v, second["weights"][k]) for k, v in first["weights"].items() if not k.endswith(moving))
    assert first["result"]["crops"] == 16


def test_the_saved_weights_have_the_saved_figures(both):
    """Batch norm's statistics of the evaluation are the first process's, which final.pt holds."""
    config, (first, _) = both
    net, state = checkpoint.load_net(Path(config.run.out) / "final.pt")
    alone = engine.evaluate(net, data.load(config, "dev"), config, torch.device("cpu"))
    assert state["dev"] == first["result"] and alone["threshold"] == pytest.approx(state["dev"]["threshold"], abs=1e-5)
    assert alone["mse"] == pytest.approx(state["dev"]["mse"], rel=1e-4) and alone["auc"] == pytest.approx(state["dev"]["auc"], abs=1e-6)


def test_gradients_are_the_mean_over_the_halves(both):
    config, (first, _) = both
    halves = []
    for rank in range(WORLD):
        run = train.Run(config.replace(out=f"{config.run.out}/alone"))
        run.dataset = batches.Steps(run.train_crops, config, None, rank, WORLD)
        halves.append(gradients(run))
    for name, gradient in first["gradients"].items():
        want = (halves[0][name] + halves[1][name]) / 2
        torch.testing.assert_close(gradient, want, rtol=1e-3, atol=1e-4 * float(want.abs().max()) + 1e-8, msg=name)


def test_one_process_logs_and_saves(both):
    out = Path(both[0].run.out)
    with (out / "log.csv").open(newline="") as f:
        rows = list(csv.DictReader(f))
    assert [row["step"] for row in rows] == ["1", "2", "3"] and (out / "final.pt").is_file()


def test_batch_epoch_and_learning_rate_follow_the_number_of_processes(both):
    """Two processes of two originals: a step has four, an epoch half the steps, and Adam's rate is √2 times that of one process."""
    config, (first, _) = both
    alone = train.Run(config.replace(out=f"{config.run.out}/alone"))
    assert first["batch"] == 2 * alone.dataset.batch == 4 and first["per_epoch"] == alone.per_epoch / 2 == 2
    with (Path(config.run.out) / "log.csv").open(newline="") as f:
        rates = [float(row["lr"]) for row in csv.DictReader(f)]
    assert rates == pytest.approx([2**0.5 * 1e-4] * 2 + [2**0.5 * 0.99e-4], rel=1e-5), "the epoch is over after two steps"
    factors = {word: engine.process_factor(config.replace(lr_scaling=word), 4) for word in ("sqrt", "linear", "none")}
    assert factors == {"sqrt": 2, "linear": 4, "none": 1} and engine.process_factor(config, 1) == 1


def test_another_number_of_processes_does_not_go_on(both):
    config, _ = both
    with pytest.raises(ValueError, match=r"last.pt: is of 2 process\(es\), now 1: a step has another batch"):
        train.Run(config, resume=True)


def test_alone_nothing_is_wrapped():
    net = torch.nn.Linear(2, 2)
    assert distributed.wrap(net, sync_bn=True) is net and distributed.gather(3) == [3] and distributed.agree(0.5) == 0.5


def test_one_process_under_torchrun_takes_the_path_of_many(tmp_path):
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1)
    try:
        net = torch.nn.Linear(2, 2)
        wrapped = distributed.wrap(net, sync_bn=False)
        assert isinstance(wrapped, torch.nn.parallel.DistributedDataParallel) and wrapped.module is net
        assert distributed.gather(3) == [3] and distributed.agree(0.5) == 0.5
        with pytest.raises(ValueError, match="^sync_bn: PyTorch synchronises batch norm on GPUs only"):
            distributed.wrap(net, sync_bn=True)
        del wrapped
    finally:
        distributed.stop()
