#!/usr/bin/env python3
"""Prints which code the server's CPU time was spent in, from a CPU profile of net/http/pprof.

Networks: the inference library. Codec: FFmpeg with its decoders and swscale. WebRTC: pion, encryption and sockets. Ours: by
package. A sample in C code counts for the Go function that called it. If there is none (a library's own thread), it
counts for the library that its address lies in.
"""

import argparse
import collections
import pathlib
import re
import subprocess

MODULE = "github.com/liveproof/liveproof"
NETWORKS, CODEC, WEBRTC, RUNTIME = "networks", "codec, swscale", "WebRTC", "Go runtime: GC, scheduler"
UNKNOWN, OTHER, OURS = "libc, unknown", "other Go: HTTP, metrics, profiler", "ours: "

LIBRARIES = (
    (re.compile(r"lib(onnxruntime|openvino|tbb|cudnn|cublas|cuda|nvinfer)"), NETWORKS),
    (re.compile(r"lib(av|sw|vpx|dav1d|x26|aom|SvtAv1|postproc)"), CODEC),
    (re.compile(r"libopencv"), OURS + "detector"),
)
# Libraries in Go, each with its C code.
PACKAGES = (
    ("github.com/yalue/onnxruntime_go", NETWORKS),
    ("github.com/asticode/go-astiav", CODEC),
    (MODULE + "/media._Cfunc_lp_rgb", CODEC),  # swscale
    ("gocv.io/x/gocv", OURS + "detector"),
    ("github.com/pion/", WEBRTC),
)
# The standard library's work for a connection counts for WebRTC if its nearest caller of ours is in ingest.
TRANSPORT = re.compile(r"^(crypto/|golang\.org/x/crypto|net\.|internal/poll|syscall|internal/runtime/syscall)")
SAMPLE = re.compile(r"^\s*\d+\s+(\d+):((?:\s+\d+)+)\s*$")
LOCATION = re.compile(r"^\s*(\d+): 0x[0-9a-f]+(?: M=(\d+))?\s+(.*)$")
MAPPING = re.compile(r"^(\d+): 0x[0-9a-f]+/0x[0-9a-f]+/0x[0-9a-f]+ (\S*)")


class Profile:
    """A profile as `go tool pprof -raw` prints it."""

    def __init__(self, path):
        text = subprocess.run(["go", "tool", "pprof", "-raw", str(path)], check=True, capture_output=True, text=True).stdout
        head, rest = text.split("\nLocations\n")
        locations, mappings = rest.split("\nMappings\n")
        self.seconds = float(re.search(r"^Duration: ([\d.]+)", head, re.M)[1])
        found = (SAMPLE.match(line) for line in head.splitlines())
        self.samples = [(int(m[1]) / 1e9, m[2].split()) for m in found if m]
        self.library = {m[1]: pathlib.Path(m[2]).name for m in map(MAPPING.match, mappings.splitlines()) if m}
        self.functions, self.mapping = self._read(locations)

    @staticmethod
    def _read(lines):
        """Each location's functions, inlined ones first, and each location's mapping."""
        functions, mapping, here = {}, {}, None
        for line in lines.splitlines():
            if start := LOCATION.match(line):
                here, mapping[start[1]], line = start[1], start[2], start[3]
                functions[here] = []
            name = line.strip().split(" ")[0]
            if name and not name.startswith(":"):
                functions[here].append(name)
        return functions, mapping


def package_owner(function):
    """The owner of a function; None if the function's caller decides."""
    for prefix, owner in PACKAGES:
        if function.startswith(prefix):
            return owner
    if function.startswith((MODULE + "/", MODULE + ".")):
        folder, _, name = function.removeprefix(MODULE).lstrip("/").rpartition("/")
        return OURS + (f"{folder}/{name.split('.')[0]}".strip("/") or "root")
    return None


def library_owner(name):
    return next((owner for pattern, owner in LIBRARIES if pattern.match(name)), f"{UNKNOWN}: {name}".rstrip(": "))


def owner(profile, stack):
    functions = [f for location in stack for f in profile.functions[location]]
    if not functions or "runtime._ExternalCode" in functions:
        if profile.mapping[stack[0]] is None:
            return NETWORKS  # code in no file: kernels that oneDNN generated for this processor
        return library_owner(profile.library.get(profile.mapping[stack[0]], ""))
    if any(f.startswith(("runtime.gcBgMarkWorker", "runtime.gcAssistAlloc")) for f in functions):
        return RUNTIME
    transport = False
    for f in functions:
        transport = transport or bool(TRANSPORT.match(f))
        if found := package_owner(f):
            return WEBRTC if transport and found.startswith(OURS + "ingest") else found
    return RUNTIME if all(f.startswith(("runtime.", "internal/runtime")) for f in functions) else OTHER


def report(profile, sessions):
    seconds = collections.Counter()
    for spent, stack in profile.samples:
        seconds[owner(profile, stack)] += spent
    total = sum(seconds.values())
    ours = sum(v for k, v in seconds.items() if k.startswith(OURS))
    print(f"{profile.seconds:.1f} s, {sessions} sessions, {total / profile.seconds:.2f} cores")
    print(f"{'owner':36}{'percent':>9}{'ms per session and second':>28}")
    for name, spent in [*seconds.most_common(), ("ours, all", ours), ("all", total)]:
        print(f"{name:36}{100 * spent / total:>8.1f} {1000 * spent / profile.seconds / sessions:>27.2f}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("profile", type=pathlib.Path)
    p.add_argument("--sessions", type=int, required=True, help="how many sessions ran while the profile was taken")
    a = p.parse_args()
    report(Profile(a.profile), a.sessions)


if __name__ == "__main__":
    main()
