"""Measures the signals of injection on honest and dishonest senders, through the real server: false alarms, what is found, histograms.

Honest sessions are recordings of people with a simulated camera (its capture jitter, noise, exposure), two codecs and bad networks. Dishonest
ones are the same recordings after what a virtual camera or a file's publisher does to them. --clients runs the clients of clients/ too,
--browser the component in Chromium. The results go to docs/injection.md (tables) and docs/injection/histograms.png. --honest measures the honest
sessions alone, --quick only some of them, --browser those in Chromium: with --run NAME they write the table of probe, reports and quantiser, in
which the sessions of other runs stay (docs/injection/runs.json).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
MEDIA = Path(os.environ.get("LIVEPROOF_SHARED") or "../shared") / "media"
PAGE, OUT = REPOSITORY / "docs/injection.md", REPOSITORY / "docs/injection"
RUNS = OUT / "runs.json"  # what the runs so far say of the signals that only record; --run names this one
PEOPLE = [
    *(f"person_{p}_640x480.mjpeg" for p in "ABC"),
    "headpose_640x480.mjpeg",
    *(f"people/person_{p}.mp4" for p in ("d6", "d9", "d13", "d19", "s18")),
    *(f"asl_{word}.mkv" for word in ("again", "bird", "book", "brother", "please", "walk")),
]
# Recordings that were converted to 30 pictures a second before they came here: in the file itself every sixth picture of d6, and three of five of
# headpose, repeat the one before. They are no honest camera's, and are reported apart.
CONVERTED = ("person_d6", "headpose")
LONGEST = 5  # seconds of a recording
THRESHOLD = 0.8  # injection.threshold as shipped

# What stands between scene and encoder. Filters of FFmpeg.
CAMERAS = {
    "file's clock": "null",
    "jitter 4 ms, noise": "settb=1/90000,setpts=PTS+(random(0)-0.5)*0.008/TB,noise=alls=5:allf=t",
    "auto-exposure, noise": "eq=brightness='0.04*sin(2.5*t)':eval=frame,noise=alls=3:allf=t",
}
INJECTIONS = {
    "15 to 30 pictures/s": "fps=15,fps=30",
    "20 to 30": "fps=20,fps=30",
    "24 to 30": "fps=24,fps=30",
    "25 to 30": "fps=25,fps=30",
    "24 to 30, blended": "fps=24,framerate=fps=30",
    "24 to 30, blended, noise added": "fps=24,framerate=fps=30,noise=alls=3:allf=t",
    "24 to 30, noise added": "fps=24,fps=30,noise=alls=3:allf=t",
    "encoded twice": "null",
    "encoded twice, cropped": "crop=iw-11:ih-9:5:3,scale=iw+11:ih+9",
    "encoded twice, scaled": "scale=854:-2,scale=640:-2",
}
RECORDED = "recordings that were converted before"
NETWORKS = {
    "clean": [],
    "loss 2 %": ["--loss", "0.02"],
    "jitter 20 ms": ["--jitter", "20ms", "--delay", "30ms"],
    "a full link": ["--bitrate", "800k", "--bandwidth", "1100k"],
}
CONFIG = """
session: {max_sessions: 1000}
pipeline: {sample_rate: 2, relaxed_rate: 1}
scorer: {model: liveproof-demo-mobilenetv2-int8}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=REPOSITORY / "bin/liveproof", type=Path)
    parser.add_argument(
        "--work",
        default=REPOSITORY / "tmp/injection",
        type=Path,
        help="clips and results; what is there is not made again",
    )
    parser.add_argument("--sessions", type=int, default=6, help="sessions at once")
    parser.add_argument("--codecs", default="vp8,h264", help="of the Go publisher")
    parser.add_argument(
        "--clients",
        action="store_true",
        help="also the clients of clients/ that are installed",
    )
    parser.add_argument(
        "--browser",
        type=int,
        default=0,
        metavar="N",
        help="only N rounds of 28 sessions of the component in Chromium: those that are not there yet",
    )
    parser.add_argument("--browsers", type=int, default=1, help="Chromiums at once")
    parser.add_argument(
        "--seconds",
        type=float,
        default=0,
        help="begin no session in Chromium after so long; the next call goes on",
    )
    parser.add_argument(
        "--honest",
        action="store_true",
        help="only honest sessions",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="only some honest sessions",
    )
    parser.add_argument(
        "--run",
        default="",
        help="name of this run in the table of the newer signals, which keeps the others; without it, the table stays",
    )
    parser.add_argument("--report", action="store_true", help="only make the tables and plots again")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if not options.report:
        measure(options)
    rows = list(read(options.work))
    if not (options.quick or options.honest or options.browser):
        report([r for r in rows if r["samples"]])
    if options.run:
        report_recorded(rows, options.run)
    return 0


def measure(options: argparse.Namespace) -> None:
    if options.browser:
        publish_browser(options)
        return
    if options.quick:
        camera = "jitter 4 ms, noise"
        some = [clip(options.work, p, camera, CAMERAS[camera], "") for p in PEOPLE if not Path(p).stem.startswith(CONVERTED)][:5]
        for codec in options.codecs.split(","):
            for network, flags in NETWORKS.items():
                publish(options, f"quick, {codec}, {network}", some, codec, flags)
        return
    for codec in options.codecs.split(","):
        takes = [p for p in PEOPLE if not (options.honest and Path(p).stem.startswith(CONVERTED))]
        honest = [clip(options.work, p, camera, chain, "") for camera, chain in CAMERAS.items() for p in takes]
        for network, flags in NETWORKS.items():
            publish(options, f"honest, {codec}, {network}", honest, codec, flags)
        if options.honest:
            continue
        attacks = [clip(options.work, p, name, chain, first(name)) for name, chain in INJECTIONS.items() for p in PEOPLE[:9]]
        publish(options, f"injected, {codec}, clean", attacks, codec, [])
    if options.clients:
        publish_clients(options)


def first(name: str) -> str:
    """The encoder before the publisher's, for what is encoded twice."""
    return "-c:v libx264 -preset veryfast -crf 30" if name.startswith("encoded twice") else ""


def clip(work: Path, recording: str, name: str, chain: str, encoder: str) -> Path:
    """A recording behind a camera or an injection, as motion JPEG with timestamps of 1/90000 s."""
    to = work / f"{Path(recording).stem}--{slug(name)}.mov"
    if to.exists():
        return to
    source, rate = (
        MEDIA / recording,
        ["-f", "mjpeg", "-r", "30"] if recording.endswith("mjpeg") else [],
    )
    if encoder:
        coded = work / f"{Path(recording).stem}--coded.mkv"
        ffmpeg(
            [
                *rate,
                "-i",
                source,
                "-t",
                str(LONGEST),
                "-an",
                "-pix_fmt",
                "yuv420p",
                *encoder.split(),
                coded,
            ]
        )
        source, rate = coded, []
    size = "scale='if(gt(iw,ih),min(640,iw),-2)':'if(gt(iw,ih),-2,min(640,ih))'"
    # The publisher takes even sizes.
    filters = f"{size},{chain},scale=trunc(iw/2)*2:trunc(ih/2)*2"
    part = to.with_suffix(".part.mov")
    ffmpeg(
        [
            *rate,
            "-i",
            source,
            "-t",
            str(LONGEST),
            "-an",
            "-vf",
            filters,
            "-fps_mode",
            "passthrough",
            "-enc_time_base",
            "1/90000",
            "-c:v",
            "mjpeg",
            "-q:v",
            "2",
            "-pix_fmt",
            "yuvj420p",
            "-video_track_timescale",
            "90000",
            part,
        ]
    )
    part.rename(to)
    return to


def slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)


def ffmpeg(arguments: list) -> None:
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", *map(str, arguments)],
        check=True,
        stdin=subprocess.DEVNULL,
    )


def publish(
    options: argparse.Namespace,
    group: str,
    clips: list[Path],
    codec: str,
    flags: list[str],
) -> None:
    """One session for each clip; the results are a line of JSON each."""
    to, config = options.work / f"{slug(group)}.jsonl", options.work / "config.yaml"
    if to.exists():
        return
    config.write_text(CONFIG)
    print(f"{group}: {len(clips)} sessions", flush=True)
    command = [
        options.bin,
        "replay",
        "--via",
        "webrtc",
        "--mode",
        "call",
        "--json",
        "--samples",
        "-q",
        "--config",
        config,
        "--codec",
        codec,
        "--cache",
        options.work / "cache",
        "--sessions",
        options.sessions,
        *flags,
        *clips,
    ]
    found = subprocess.run(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    rows = []
    for line in found.stdout.splitlines():
        told = json.loads(line)
        kind = Path(told["file"]).stem.partition("--")[2]
        rows.append(
            {
                "group": group,
                "kind": kind,
                "file": Path(told["file"]).stem,
                "verdict": told.get("verdict"),
                "samples": signals(told.get("samples") or []),
            }
        )
    to.write_text("".join(json.dumps(r) + "\n" for r in rows))


def signals(samples: list[dict]) -> list[dict]:
    return [s["signals"] for s in samples if s.get("signals")]


# In Chromium: recordings of people who are in front of a camera for long enough, and cameras whose difference motion JPEG can hold.
IN_BROWSER = [p for p in PEOPLE if p.startswith(("person_", "people/")) and not Path(p).stem.startswith(CONVERTED)]
BROWSER_CAMERAS = ("file's clock", "auto-exposure, noise")


def camera_file(work: Path, recording: str, name: str) -> Path:
    """A recording behind a camera as motion JPEG, for Chromium's camera: all of it, because Chromium begins again at its end."""
    to = work / f"{Path(recording).stem}--{slug(name)}.mjpeg"
    if not to.exists():
        part = to.with_suffix(".part.mjpeg")
        rate = ["-f", "mjpeg", "-r", "30"] if recording.endswith("mjpeg") else []
        size = "scale='if(gt(iw,ih),min(640,iw),-2)':'if(gt(iw,ih),-2,min(640,ih))'"
        ffmpeg(
            [
                *rate,
                "-i",
                MEDIA / recording,
                "-t",
                "12",
                "-an",
                "-vf",
                f"{size},{CAMERAS[name]}",
                "-c:v",
                "mjpeg",
                "-q:v",
                "3",
                part,
            ]
        )
        part.rename(to)
    return to


def publish_browser(options: argparse.Namespace) -> None:
    """Sessions of the component in Chromium with the probe. What is in the results is not run again."""
    cameras = [camera_file(options.work, p, name) for name in BROWSER_CAMERAS for p in IN_BROWSER]
    told = {
        "PROBE_SESSIONS": str(options.browser),
        "PROBE_OUT": str((options.work / "browser.jsonl").resolve()),
        "PROBE_CAMERAS": ",".join(str(c.resolve()) for c in cameras),
        "PROBE_AT_ONCE": str(options.browsers),
        "PROBE_SECONDS": str(options.seconds or ""),
        "LIVEPROOF_BIN": str(Path(options.bin).resolve()),
    }
    command = [
        "npx",
        "vitest",
        "run",
        "-c",
        "vitest.e2e.config.ts",
        "e2e/probe.test.ts",
    ]
    subprocess.run(
        command,
        cwd=REPOSITORY / "webclient",
        env=os.environ | told,
        check=True,
        stdin=subprocess.DEVNULL,
    )


def publish_clients(options: argparse.Namespace) -> None:
    """The clients of other projects, in sessions of their own."""
    sys.path.insert(0, str(REPOSITORY / "clients"))
    os.environ["LIVEPROOF_BIN"] = str(options.bin)
    from suite import attempt, cameras, clients, server

    to = options.work / "clients.jsonl"
    with server.serve() as running, to.open("a") as out:
        people = cameras.prepare(cameras.PEOPLE, options.work)
        for client in (c for c in clients.CLIENTS if not clients.lacking(c)):
            for codec in client.codecs:
                for person in people:
                    seen = []
                    read_samples = running.samples
                    running.samples = lambda i, read=read_samples, seen=seen: seen.extend(read(i)) or seen
                    outcome = attempt.attempt(running, client, codec, person)
                    running.samples = read_samples
                    row = {
                        "group": f"client {client.name}, {codec}",
                        "kind": "client",
                        "file": person.name,
                        "verdict": outcome.verdict,
                        "samples": signals(seen),
                    }
                    out.write(json.dumps(row) + "\n")
                    out.flush()
                    print(client.name, codec, person.name, outcome.verdict, flush=True)


def read(work: Path) -> Iterator[dict]:
    for file in sorted(work.glob("*.jsonl")):
        for line in file.read_text().splitlines():
            yield json.loads(line)


def risk(row: dict, name: str | None = None) -> float:
    """The largest risk of a session, of all signals or of one."""
    prefix = "injection.risk."
    values = [v for s in row["samples"] for k, v in s.items() if k.startswith(prefix) and name in (None, k.removeprefix(prefix))]
    return max(values, default=0)


def upper(alarms: int, n: int) -> float:
    """The upper end of the 95 % interval of a rate (Clopper and Pearson, one-sided; 3/n for no alarm)."""
    if n == 0 or alarms == n:
        return 1
    low, high = 0.0, 1.0
    for _ in range(50):
        p = (low + high) / 2
        at_most = sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(alarms + 1))
        low, high = (p, high) if at_most > 0.05 else (low, p)
    return high


def report(rows: list[dict]) -> None:
    OUT.mkdir(exist_ok=True)
    for r in rows:
        if r["kind"] in map(slug, CAMERAS) and r["file"].startswith(CONVERTED):
            r["kind"] = slug(RECORDED)
    injections = [*map(slug, INJECTIONS), slug(RECORDED)]
    honest, injected = (
        [r for r in rows if r["kind"] not in injections],
        [r for r in rows if r["kind"] in injections],
    )
    text = table(honest, injected)
    before, start, rest = PAGE.read_text().partition("<!-- table -->\n")
    PAGE.write_text(before + start + text + rest[rest.index("<!-- end of table -->") :])
    plot(honest, injected)
    print(text)


def names(rows: list[dict]) -> list[str]:
    prefix = "injection.risk."
    return sorted({k.removeprefix(prefix) for r in rows for s in r["samples"] for k in s if k.startswith(prefix)})


def table(honest: list[dict], injected: list[dict]) -> str:
    lines = [
        "| honest sessions | sessions | alarms | false-alarm rate, at most | largest risk |",
        "|---|---|---|---|---|",
    ]
    groups = {}
    for r in honest:
        groups.setdefault(
            "the clients of the suite" if r["kind"] == "client" else r["group"].removeprefix("honest, "),
            [],
        ).append(r)
    for group, members in [*sorted(groups.items()), ("all", honest)]:
        alarms = sum(risk(r) >= THRESHOLD for r in members)
        lines.append(
            f"| {group} | {len(members)} | {alarms} | {100 * upper(alarms, len(members)):.1f} % | {max(map(risk, members), default=0):.2f} |"
        )
    lines += [
        "",
        "| injected | sessions | withheld | median risk | strongest signal of the median session |",
        "|---|---|---|---|---|",
    ]
    for name in [*INJECTIONS, RECORDED]:
        members = sorted((r for r in injected if r["kind"] == slug(name)), key=risk)
        if members:
            middle = members[len(members) // 2]
            strongest = max(names([middle]), key=lambda n: risk(middle, n))
            caught = sum(risk(r) >= THRESHOLD for r in members)
            lines.append(f"| {name} | {len(members)} | {caught} | {risk(middle):.2f} | {strongest} |")
    lines += [
        "",
        "| signal | honest: median, 95 %, largest | injected: median, 95 %, largest |",
        "|---|---|---|",
    ]
    for name in names(honest + injected):
        lines.append(f"| {name} | {spread(honest, name)} | {spread(injected, name)} |")
    return "\n".join(lines) + "\n"


# Signals that only record, with the risk from which on a session counts as an alarm: nine tenths of the ceiling.
RECORDED_ONLY = {"probe": 0.675, "reports": 0.45, "quantiser": 0.45}
# What stands beside them in the timeline.
MEASURED = [
    "probe",
    "report_jump_ms",
    "report_lag_ms",
    "report_drift_ppm",
    "quantiser",
    "quantiser_constant",
    "size_spread",
    "gop_echo",
]


def report_recorded(rows: list[dict], run: str) -> None:
    """The tables of the signals that only record, over the honest sessions of all runs. Those of this run replace what RUNS has of its name."""
    senders = {
        "Chromium": [r for r in rows if r["kind"] == "browser"],
        "the Go publisher": [r for r in rows if r["group"].startswith(("quick, ", "honest, ")) and not r["file"].startswith(CONVERTED)],
        "the clients of the suite": [r for r in rows if r["kind"] == "client"],
    }
    runs = [r for r in json.loads(RUNS.read_text()) if r["run"] != run]
    runs += [summary(run, sender, members) for sender, members in senders.items() if members]
    RUNS.write_text(json.dumps(runs, indent=1, ensure_ascii=False) + "\n")
    text = recorded_tables(runs)
    before, start, rest = PAGE.read_text().partition("<!-- recorded -->\n")
    PAGE.write_text(before + start + text + rest[rest.index("<!-- end of recorded -->") :])
    print(text)


def summary(run: str, sender: str, members: list[dict]) -> dict:
    """What RUNS keeps of one sender's sessions."""
    risks = {}
    for name, alarm in RECORDED_ONLY.items():
        judged = [r for r in members if any(f"injection.risk.{name}" in s for s in r["samples"])]
        if judged:
            values = [risk(r, name) for r in judged]
            risks[name] = {"judged": len(judged), "alarms": sum(v >= alarm for v in values), "largest": round(max(values), 2)}
    measured = {name: values for name in MEASURED if (values := last_values(members, f"injection.{name}"))}
    return {
        "run": run,
        "sender": sender,
        "sessions": len(members),
        "risks": risks,
        "measured": measured,
    }


def recorded_tables(runs: list[dict]) -> str:
    lines = [
        "| risk | run | honest sender | sessions | judged | alarms | false-alarm rate (Wilson, 95 %) | largest risk |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in RECORDED_ONLY:
        these = [(r["run"], r["sender"], r["sessions"], r["risks"][name]) for r in runs if name in r["risks"]]
        every = {key: sum(counts[key] for *_, counts in these) for key in ("judged", "alarms")}
        every |= {"largest": max((counts["largest"] for *_, counts in these if "largest" in counts), default=0)}
        for run, sender, sessions, counts in [
            *these,
            ("all", "all", sum(n for _, _, n, _ in these), every),
        ]:
            low, high = wilson(counts["alarms"], counts["judged"])
            rate = f"{100 * low:.1f} to {100 * high:.1f} %"
            lines.append(
                f"| `{name}` | {run} | {sender} | {sessions} | {counts['judged']} | {counts['alarms']} | {rate} | {counts.get('largest', '–')} |"
            )
    heads = [f"{r['run']}, {r['sender']}" for r in runs]
    lines += [
        "",
        "| measured: 5 %, median, 95 %, largest | " + " | ".join(heads) + " |",
        "|---|" + "---|" * len(runs),
    ]
    for name in MEASURED:
        cells = [", ".join(f"{v:.3g}" for v in r["measured"].get(name, [])) or "–" for r in runs]
        lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def last_values(rows: list[dict], name: str) -> list[float]:
    """Quantiles of the last value of each session; none where nothing was measured."""
    values = sorted(v[-1] for r in rows if (v := [s[name] for s in r["samples"] if name in s]))
    return [float(f"{values[min(len(values) - 1, int(q * len(values)))]:.3g}") for q in (0.05, 0.5, 0.95, 1)] if values else []


def wilson(k: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a rate by Wilson."""
    z = 1.96
    middle, half = (
        (k + z * z / 2) / (n + z * z),
        z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4),
    )
    return max(0, middle - half), min(1, middle + half)


def spread(rows: list[dict], name: str) -> str:
    values = sorted(risk(r, name) for r in rows) or [0]
    return ", ".join(f"{values[min(len(values) - 1, int(q * len(values)))]:.2f}" for q in (0.5, 0.95, 1))


def plot(honest: list[dict], injected: list[dict]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    measured = [
        "repeats",
        "sway",
        "grid",
        "whole_ms",
        "jitter_ms",
        "jitter_corr",
        "noise",
        "still",
    ]
    figure, axes = pyplot.subplots(2, 4, figsize=(13, 6), constrained_layout=True)
    for axis, name in zip(axes.flat, measured, strict=True):
        both = [[s[f"injection.{name}"] for r in rows for s in r["samples"][-1:] if f"injection.{name}" in s] for rows in (honest, injected)]
        axis.hist(both, bins=24, density=True, label=["honest", "injected"])
        axis.set_title(f"injection.{name}")
    axes.flat[0].legend()
    figure.savefig(OUT / "histograms.png", dpi=80)


if __name__ == "__main__":
    sys.exit(main())
