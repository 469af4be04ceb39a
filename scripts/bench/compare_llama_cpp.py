#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`assay bench` and llama.cpp on the same GGUF file, in turn, in one run.

    scripts/bench/compare_llama_cpp.py FILE.gguf [-t 2] [-p 512] [-n 32] [-d 512] [-r 5] [--apart]
        [--python PYTHON] [--out RESULT.json]

Prints the medians, the ratio of the medians, and a 95 % interval of the ratio by resampling; writes
one JSON object with every sample. PYTHON has llama-cpp-python (0.3.36 here) and LLAMA_CPP_LIB_PATH
may name a native build. Each sample of assay carries its probes of reading, so that one sees in
which mode the machine's memory was.
"""

import argparse
import datetime
import json
import os
import random
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASSAY = ROOT / "build/release/assay"
HERE = Path(__file__).resolve().parent
RESAMPLES = 2000


class Peer:
    def __init__(self, python, path, threads):
        command = [python, HERE / "llama_cpp_bench.py", path, str(threads)]
        self.process = subprocess.Popen(
            [*map(str, command)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "LD_LIBRARY_PATH": os.environ.get("LLAMA_CPP_LIB_PATH", "")},
        )
        if self.process.stdout.readline().strip() != "ready":
            raise SystemExit("compare_llama_cpp: llama.cpp did not start")

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def seconds(self, request):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def ours(options, skip):
    command = [ASSAY, "bench", "--checkpoint", options.file, "-t", options.threads, "-r", 1]
    command += ["-p", options.prompt, "-n", options.generate, "-d", options.depth, "--json"]
    command += [] if skip else ["--no-kv-skip"]
    result = subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(result.stdout)


def interval(mine, theirs):
    """Of the ratio of medians: the middle 95 % of resampled ones."""
    generator = random.Random(1)

    def again(values):
        return statistics.median(generator.choices(values, k=len(values)))

    ratios = sorted(again(mine) / again(theirs) for _ in range(RESAMPLES))
    return ratios[int(0.025 * RESAMPLES)], ratios[int(0.975 * RESAMPLES)]


def summary(name, mine, theirs):
    low, high = interval(mine, theirs)
    row = {
        "test": name,
        "assay": mine,
        "llama.cpp": theirs,
        "assay_median": statistics.median(mine),
        "llama.cpp_median": statistics.median(theirs),
        "ratio": statistics.median(mine) / statistics.median(theirs),
        "ratio_95": [low, high],
    }
    print(
        f"{name:14} assay {row['assay_median']:8.2f}  llama.cpp {row['llama.cpp_median']:8.2f} "
        f"tokens/s  ratio {row['ratio']:.2f}  [{low:.2f}, {high:.2f}]",
        flush=True,
    )
    return row


def command_of(options):
    """As it would be typed beside the file."""
    words = ["scripts/bench/compare_llama_cpp.py", Path(options.file).name]
    words += ["-t", options.threads, "-p", options.prompt, "-n", options.generate]
    words += ["-d", options.depth, "-r", options.repetitions] + ["--apart"] * options.apart
    return " ".join(map(str, words))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("file")
    parser.add_argument("-t", dest="threads", type=int, default=2)
    parser.add_argument("-p", dest="prompt", type=int, default=512)
    parser.add_argument("-n", dest="generate", type=int, default=32)
    parser.add_argument("-d", dest="depth", type=int, default=512)
    parser.add_argument("-r", dest="repetitions", type=int, default=5)
    parser.add_argument("--apart", action="store_true")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--out")
    options = parser.parse_args()
    peer = None
    skip, whole, decode, peer_prompt, peer_decode, reads, shares = [], [], [], [], [], [], []
    for _ in range(options.repetitions):
        report = ours(options, skip=True)
        skip.append(report["results"][0]["median"])
        decode.append(report["results"][1]["median"])
        reads.append(report["results"][1]["read_gb_s"][0])
        shares.append(report["results"][1]["share"])
        peer = peer or Peer(options.python, options.file, options.threads)
        peer_prompt.append(options.prompt / peer.seconds(f"pp {options.prompt}"))
        request = f"tg {options.generate} {options.depth}"
        peer_decode.append(options.generate / peer.seconds(request))
        if options.apart:
            peer.close()
            peer = None
        whole.append(ours(options, skip=False)["results"][0]["median"])
    name = f"pp{options.prompt}"
    rows = [
        summary(name, skip, peer_prompt),
        summary(f"{name} no skip", whole, peer_prompt),
        summary(f"tg{options.generate}@{options.depth}", decode, peer_decode),
    ]
    if options.out:
        result = {
            "format_version": 1,
            "date": datetime.date.today().isoformat(),
            "command": command_of(options),
            "file": Path(options.file).name,
            "cpu_features": report["cpu_features"],
            "threads": options.threads,
            "probes": report["probes"],
            "read_gb_s": reads,
            "share_of_reading": shares,
            "results": rows,
        }
        Path(options.out).write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
