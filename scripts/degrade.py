#!/usr/bin/env python3
"""Makes worse versions of labelled pictures and clips: haze, back light, darkness, glare, blur, smear.

  scripts/degrade.py --csv labels.csv --root pictures --out worse        worse/files.csv, and the files beside it
  liveproof evaluate --quality --csv worse/files.csv --root worse --by condition --out results

The table is as `liveproof evaluate --csv` takes it; its columns are kept, and `condition` is added. The condition "as it is" is
the file itself, encoded again like the others. Only ffmpeg is needed. An interrupted run goes on where it was.
"""

import argparse
import concurrent.futures
import csv
import pathlib
import subprocess

STILLS = {".jpg", ".jpeg", ".png", ".webp"}


def haze(share, level=200):
    """A veil of light over the whole picture: a foggy lens, a lamp or the sun that shines into it."""
    return "format=gbrp,lutrgb=" + ":".join(f"{c}=val*{1 - share:.2f}+{level * share:.0f}" for c in "rgb")


def light(gain):
    """A longer or shorter exposure, in linear light; what is too bright is cut off."""
    return "format=gbrp,lutrgb=" + ":".join(f"{c}=clip(255*pow({gain}*pow(val/255\\,2.2)\\,1/2.2)\\,0\\,255)" for c in "rgb")


def backlight(face, around):
    """A dark person in the middle before a bright background, which the mask parts by a soft edge."""
    body = "lte(hypot((X-W/2)/(0.23*W)\\,(Y-H*0.45)/(0.37*H))\\,1)+lte(hypot((X-W/2)/(0.42*W)\\,(Y-H*1.05)/(0.42*H))\\,1)"
    return (
        f"format=gbrp,split=3[a][b][m];[m]trim=end_frame=1,format=gray,geq=lum='255*min(1\\,{body})',gblur=sigma=8,"
        f"format=gbrp,loop=-1:1:0[mask];[a]{light(around)}[bright];[b]{light(face)}[dark];[bright][dark][mask]maskedmerge"
    )


CONDITIONS = {
    "as it is": "null",
    **{f"haze {s}": haze(s) for s in (0.3, 0.5, 0.65, 0.8)},
    **{f"back light {f}": backlight(f, 2.5) for f in (0.5, 0.25, 0.12)},
    **{f"light {g}": light(g) for g in (0.4, 0.15, 0.07, 0.03, 2, 4)},
    **{f"blur {s}": f"gblur=sigma={s}" for s in (2, 4, 7)},
    **{f"smear {n}": f"avgblur=sizeX={n}:sizeY=1" for n in (4, 8, 15)},
}


def rows(path):
    with open(path, newline="", encoding="utf-8-sig") as f:
        return list(csv.DictReader(f))


def make(source, target, filters, seconds):
    if target.exists():
        return
    part = target.with_name("part-" + target.name)
    what = (
        ["-frames:v", "1", "-q:v", "2"]
        if target.suffix == ".jpg"
        else [
            "-t",
            str(seconds),
            "-r",
            "15",
            "-an",
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-crf",
            "16",
            "-pix_fmt",
            "yuv420p",
        ]
    )
    ahead = ["-framerate", "30"] if source.suffix == ".mjpeg" else []
    chain = f"scale='min(640,iw)':-2,{filters},format=yuv{'j' if target.suffix == '.jpg' else ''}420p"
    subprocess.run(
        [
            "ffmpeg",
            "-v",
            "error",
            "-y",
            "-threads",
            "1",
            *ahead,
            "-i",
            str(source),
            "-filter_complex",
            chain,
            *what,
            str(part),
        ],
        check=True,
    )
    part.rename(target)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--csv", required=True, type=pathlib.Path)
    p.add_argument("--root", required=True, type=pathlib.Path)
    p.add_argument("--out", required=True, type=pathlib.Path)
    p.add_argument("--every", type=int, default=1, help="take every Nth row of the table")
    p.add_argument("--seconds", type=float, default=8, help="of each clip (default 8)")
    p.add_argument("--jobs", type=int, default=2)
    o = p.parse_args()
    o.out.mkdir(parents=True, exist_ok=True)
    table, jobs = [], []
    for row in rows(o.csv)[:: o.every]:
        key = "filename" if "filename" in row else "file"
        source = o.root / row[key]
        suffix = ".jpg" if source.suffix.lower() in STILLS else ".mp4"
        for name, filters in CONDITIONS.items():
            file = f"{source.stem}-{name.replace(' ', '-')}{suffix}"
            jobs.append((source, o.out / file, filters, o.seconds))
            table.append({**row, key: file, "condition": name})
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        for n, _ in enumerate(pool.map(lambda job: make(*job), jobs), 1):
            print(f"\r{n} of {len(jobs)}", end="", flush=True)
    print()
    with open(o.out / "files.csv", "w", newline="", encoding="utf-8") as f:
        out = csv.DictWriter(f, table[0].keys())
        out.writeheader()
        out.writerows(table)


if __name__ == "__main__":
    main()
