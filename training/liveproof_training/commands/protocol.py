"""Commands: protocol, tables."""

from __future__ import annotations

from pathlib import Path

from liveproof_base.commandline import command

from . import flags

DETAIL = """Extracts the crops of each --root, asks the Go program which video is train, dev and test, trains, scores dev and test
(idealised, realistic and the model's threshold), exports, and scores an exported model too. OUT/NAME/ has it all; a second call goes on
where the first stopped. oulu-3 and oulu-4 run their six folds and print mean ± std.

python3 -m liveproof_training protocol --name OCI-M --root oulu=/data/oulu --root casia=/data/casia --root replay=/data/replay
--root msu=/data/msu --out out/protocols"""


def _protocol(args) -> None:
    from ..studies import protocol

    roots = dict(_root(word) for word in args.root)
    out = Path(args.out)
    extracted = Path(args.extracted) if args.extracted else out / "extracted"
    precision = "" if args.score_exported == "none" else args.score_exported
    packed = args.crops == "packed"
    protocol.run(protocol.Plan(args.name, args.population, roots, extracted, out, flags.of_step(args), precision, args.force_export, packed))


def _root(word: str) -> tuple[str, Path]:
    dataset, _, folder = word.partition("=")
    if not folder:
        raise ValueError(f"--root {word}: write DATASET=DIR, such as oulu=/data/OULU-NPU")
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"--root {word}: no such folder")
    return dataset, Path(folder)


def _tables(args) -> None:
    from ..studies import goprogram, tables

    listing = goprogram.listing()
    found = [tables.Runs.read(Path(folder), listing) for folder in args.runs]
    print(tables.write(found, Path(args.out)) if args.out else tables.markdown(found), end="")


def _add_tables(sub) -> None:
    p = command(
        sub,
        "tables",
        _tables,
        "Print the paper's Tables 1 and 2 and its split by capture quality, with measured rows beside the published ones",
        "Reads what `protocol` left in each DIR: oulu-1 to oulu-4 (APCER, BPCER, ACER, mean ± std over the folds) and OCI-M, OMI-C, OCM-I, "
        "ICM-O (HTER at both thresholds, AUC). What is not there yet is said, with the command that makes it.",
    )
    p.add_argument("--runs", nargs="+", required=True, metavar="DIR", help="folders that `protocol --out` wrote to; each gets rows of its own")
    p.add_argument("--out", default="", help="folder for tables.md and a CSV file a table; empty: only print")


def add(sub) -> None:
    _add_tables(sub)
    p = command(sub, "protocol", _protocol, "From the datasets' videos to an exported model and its scores on one protocol", DETAIL)
    p.add_argument("--name", required=True, help="a protocol such as OCI-M or oulu-1, or one fold, oulu-3.1; `liveproof protocol --list` shows them")
    p.add_argument(
        "--root",
        action="append",
        default=[],
        metavar="DATASET=DIR",
        help="folder of a dataset's videos, such as oulu=/data/OULU-NPU; once for each, none where crops are extracted already",
    )
    p.add_argument("--extracted", default="", help="folder with a folder of crops per dataset, empty: OUT/extracted")
    p.add_argument(
        "--crops",
        default="packed",
        choices=("packed", "files"),
        help="packed: copied once into an array of 0.2 MB a crop beside the extracted ones, 14 GB for the four datasets, read without decoding",
    )
    p.add_argument("--out", required=True, help="folder for everything that this makes")
    p.add_argument("--population", default="split", help="videos of a leave-one-out setting; `liveproof protocol --help` explains them")
    p.add_argument("--score-exported", default="int8", choices=("none", "fp32", "fp16", "int8"), help="exported model that is scored too")
    p.add_argument("--force-export", action="store_true", help="export models beyond the limits of `export`, too")
    flags.add(p, flags.STEP)
