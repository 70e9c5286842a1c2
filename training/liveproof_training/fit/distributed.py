"""Data parallel training under torchrun: a process per GPU (nccl) or per share of the CPU (gloo). Without torchrun, everything here is a
no-op; a single process under torchrun takes the same path as many."""

from __future__ import annotations

import os

import torch
import torch.distributed as dist


def start(device: str) -> None:
    """Joins the processes that torchrun started, if it did."""
    if "WORLD_SIZE" not in os.environ or dist.is_initialized():
        return
    cuda = device != "cpu" and torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group("nccl" if cuda else "gloo")


def stop() -> None:
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def rank() -> int:
    return dist.get_rank() if _together() else 0


def world() -> int:
    return dist.get_world_size() if _together() else 1


def first() -> bool:
    """Whether this process logs and saves."""
    return rank() == 0


def device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device: cuda, but PyTorch sees no GPU")
    return torch.device(name, torch.cuda.current_device()) if name == "cuda" else torch.device(name)


def agree(value: float) -> float:
    """The first process's value in all: clocks differ, decisions must not."""
    if not _together():
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def gather(part) -> list:
    """Every process's ``part``, in the order of ranks, in all."""
    if not _together():
        return [part]
    parts = [None] * world()
    dist.all_gather_object(parts, part)
    return parts


@torch.no_grad()
def same_buffers(net: torch.nn.Module) -> None:
    """The first process's batch norm statistics in all, which are those that it saves."""
    if _together():
        for buffer in net.buffers():
            dist.broadcast(buffer, src=0)


def wait() -> None:
    if _together():
        dist.barrier()


def wrap(net: torch.nn.Module, sync_bn: bool) -> torch.nn.Module:
    """Gradients averaged over the processes. Batch norm sees each process's own pictures unless ``sync_bn``; its running
    statistics are the first process's."""
    if not _together():
        return net
    on_gpu = next(net.parameters()).is_cuda
    if sync_bn and not on_gpu:
        raise ValueError("sync_bn: PyTorch synchronises batch norm on GPUs only")
    if sync_bn:
        net = torch.nn.SyncBatchNorm.convert_sync_batchnorm(net)
    return torch.nn.parallel.DistributedDataParallel(net, device_ids=[torch.cuda.current_device()] if on_gpu else None)


def _together() -> bool:
    return dist.is_available() and dist.is_initialized()
