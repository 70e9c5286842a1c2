"""A judged model on disk: scores.csv (a line a video), frames.csv (a line a crop), report.json, report.html (one file, no scripts)."""

from __future__ import annotations

import base64
import html
import io
import json
from pathlib import Path

import numpy as np

from liveproof_base import whole

from .. import metrics, plots
from . import videos

DEMO = "rendered data: demo"


def about(name: str, population: str, rendered: bool, model: dict) -> dict:
    """What was judged on what; ``data`` says plainly where no real attack was seen."""
    return {"protocol": name, "population": population, "data": DEMO if rendered else "as extracted", "demo": rendered, "model_file": model}


def write(out: Path, header: dict, result: dict, parts: dict) -> dict:
    """All four files; report.json comes last, so a folder without it is not whole. Returns its content."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").unlink(missing_ok=True)
    report = {**header, **result}
    videos.write(out / "scores.csv", [v for part in parts.values() for v in part.videos])
    videos.write_frames(out / "frames.csv", [(p.role, p.crops, p.rho) for p in parts.values()])
    whole.text(out / "report.html", page(report, parts["test"].videos))
    whole.text(out / "report.json", json.dumps(report, indent=2) + "\n")
    return report


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f}"


def lines(report: dict) -> str:
    """What a terminal shows: one line a threshold."""
    dev, test = report["dev"], report["test"]
    out = [
        f"{report['protocol']}, population {report['population']} ({report['data']})",
        f"test {test['bona_fide']} bona fide + {test['attacks']} attack videos, AUC {percent(test['auc'])} %; "
        f"dev {dev['bona_fide']} + {dev['attacks']}, EER {percent(dev['eer'])} %",
    ]
    for rule in ("idealised", "realistic", "model"):
        r = report[rule]
        if r is None:
            out.append(f"{rule:<10} no threshold: {'dev lacks a class' if rule == 'realistic' else 'the model carries none'}")
            continue
        out.append(
            f"{rule:<10} t {r['threshold']:.4f}  HTER {percent(r['hter'])}  APCER {percent(r['apcer'])}  "
            f"BPCER {percent(r['bpcer'])}  ACER {percent(r['acer'])} %"
        )
    silent = dev["without_crops"] + test["without_crops"]
    if silent:
        out.append(f"{len(silent)} videos without a crop, scored 0: {', '.join(silent[:5])}{' …' if len(silent) > 5 else ''}")
    return "\n".join(out)


def page(report: dict, test: list[videos.Video]) -> str:
    body = [f"<h1>{_e(report['protocol'])}</h1>", _facts(report), _rules(report), _plots(report, test)]
    body += [_attacks(report, "pai", "Attack instrument species"), _attacks(report, "instrument", "Instruments"), _cameras(report)]
    body += [_published(report), _silent(report)]
    return PAGE.replace("TITLE", _e(f"{report['protocol']}: {report['model_file']['file']}")).replace("BODY", "\n".join(body))


def _e(text) -> str:
    return html.escape(str(text))


def _table(header: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{_e(h)}</th>" for h in header)
    return f"<table><tr>{head}</tr>" + "".join("<tr>" + "".join(f"<td>{_e(c)}</td>" for c in r) + "</tr>" for r in rows) + "</table>"


def _facts(report: dict) -> str:
    warning = f'<p class="demo">{_e(DEMO[0].upper() + DEMO[1:])}. No real attack was seen.</p>' if report["demo"] else ""
    model = report["model_file"]
    rows = [
        [role, str(c["bona_fide"]), str(c["attacks"]), str(c["frames"]), str(len(c["without_crops"])), percent(c["auc"])]
        for role, c in (("dev", report["dev"]), ("test", report["test"]))
    ]
    words = f"<p>Model {_e(model['file'])} (sha256 {_e(model['sha256'][:16])}…), population {_e(report['population'])}. "
    words += "Rates in %, a score a video (mean of its frames), accepted at or above the threshold.</p>"
    return warning + words + _table(["", "bona fide", "attacks", "frames", "without a crop", "AUC"], rows)


def _rules(report: dict) -> str:
    rows = []
    for rule, chosen in (("idealised", "on the test videos themselves"), ("realistic", "on dev"), ("model", "carried by the model")):
        r = report[rule]
        if r:
            rows.append(
                [
                    rule,
                    chosen,
                    f"{r['threshold']:.4f}",
                    *(percent(r[k]) for k in ("hter", "apcer", "bpcer", "acer", "acer_instrument", "acer_pooled")),
                ]
            )
    header = ["threshold", "chosen", "t", "HTER", "APCER", "BPCER", "ACER", "ACER, worst instrument", "ACER, pooled"]
    return "<h2>At each threshold</h2>" + _table(header, rows)


def _attacks(report: dict, key: str, title: str) -> str:
    rows = [
        [name, str(r["attacks"]), percent(r["auc"]), *(percent(r.get(f"apcer_{x}")) for x in ("idealised", "realistic", "model"))]
        for name, r in report[key].items()
    ]
    return f"<h2>{title}</h2>" + _table(["", "attacks", "AUC", "APCER idealised", "realistic", "model"], rows)


def _cameras(report: dict) -> str:
    rows = [
        [name, str(r["bona_fide"]), str(r["attacks"]), percent(r["auc"]), *(percent(r.get(f"hter_{x}")) for x in ("idealised", "realistic", "model"))]
        for name, r in report["camera"].items()
    ]
    return "<h2>Cameras</h2>" + _table(["", "bona fide", "attacks", "AUC", "HTER idealised", "realistic", "model"], rows)


def _published(report: dict) -> str:
    rows = [[name, percent(value)] for name, value in report["published_hter"].items()]
    words = "<p>Idealised HTER by the equal-error rules of other published code, for comparison to the bit.</p>"
    return "<h2>Other equal-error rules</h2>" + words + _table(["rule of", "HTER"], rows)


def _silent(report: dict) -> str:
    names = report["dev"]["without_crops"] + report["test"]["without_crops"]
    if not names:
        return ""
    return "<h2>Videos without a crop</h2><p>Scored 0, never dropped.</p><ul>" + "".join(f"<li>{_e(n)}</li>" for n in names) + "</ul>"


def _plots(report: dict, test: list[videos.Video]) -> str:
    bona_fide, attacks = videos.scores(test)
    species = {"all": attacks}
    for name in sorted({v.pai for v in test if not v.label}):
        species[name] = videos.scores([v for v in test if not v.label and v.pai == name])[1]
    found = {rule: report[rule]["threshold"] for rule in ("idealised", "realistic", "model") if report[rule]}
    points = {rule: metrics.at(bona_fide, attacks, t) for rule, t in found.items()}
    scores, pai = np.array([v.score for v in test]), [v.pai for v in test]
    pictures = [_svg(plots.histogram, scores, pai, found), _svg(plots.roc, bona_fide, species, points), _svg(plots.det, bona_fide, species, points)]
    return "<h2>Scores</h2>" + "".join(pictures)


def _svg(plot, *args) -> str:
    buffer = io.BytesIO()
    plot(*args, buffer)
    return f'<img alt="{plot.__name__}" src="data:image/svg+xml;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>TITLE</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse } th, td { padding: .2rem .9rem .2rem 0; text-align: right; border-bottom: 1px solid #eee }
th { font-weight: 600 } th:first-child, td:first-child { text-align: left } img { max-width: 100%; vertical-align: top }
.demo { background: #fff3d6; padding: .5rem .8rem }
</style>
BODY
</html>
"""
