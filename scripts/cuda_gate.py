#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles every CUDA kernel for the devices it is written for, and reads what ptxas says.

scripts/cuda_gate.py [--update] [--only TEXT]
scripts/cuda_gate.py --object FILE.cu FILE.o     how the build compiles a kernel file (optimized/)

A file fails when it does not compile, when ptxas says that it serialises wgmma or ignores setmaxnreg
(C75xx), when a kernel spills registers, or when one needs more registers than
optimized/kernels/cuda_registers.csv says. --update writes that table. No device is needed, and without
nvcc everything counts as one skip; scripts/setup --cuda installs one. A file is compiled once for
both, and again when it or a header of it changed: build/cuda_gate keeps objects and messages.
"""

import argparse
import csv
import hashlib
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Lines of "kernel,sm_80,sm_90a,sm_100a"; the first says which nvcc they are from. Another nvcc may
# need other registers: then they are printed and not judged.
TABLE = ROOT / "optimized/kernels/cuda_registers.csv"
CACHE = ROOT / "build/cuda_gate"
PLACES = [ROOT / ".venv/cuda", Path("/usr/local/cuda"), Path("/opt/cuda")]
DEVICES = ("sm_80", "sm_90a", "sm_100a")
# Headers that only other compilers than nvcc read.
HOST_ONLY = re.compile(r"optimized/device/cuda/(?:host_\w+|\w+_host|executor|async)\.h$")
FLAGS = ["-std=c++20", "--expt-relaxed-constexpr", "-O3", "-t", "1", "-Xptxas", "-v", "-I."]
FLAGS += ["-Xcompiler", "-fPIC"]
FLAGS += [f"-gencode=arch={d.replace('sm', 'compute')},code={d}" for d in DEVICES]

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
ENTRY = re.compile(r"Compiling entry function '(\w+)' for '(\w+)'")
REGISTERS = re.compile(r"Used (\d+) registers")
SPILL = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")
ADVICE = re.compile(r"^.*\(C75\d\d\).*$", re.MULTILINE)
UNNAMED = re.compile(r"_GLOBAL__N__\w+::|\(anonymous namespace\)::")


@dataclass
class Compiled:
    """Of one file: registers by (kernel, device), and what is wrong."""

    name: str
    registers: dict[tuple[str, str], int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def find_nvcc() -> str:
    if os.environ.get("NVCC"):
        return os.environ["NVCC"]
    if found := shutil.which("nvcc"):
        return found
    for place in PLACES:
        for path in [place / "bin/nvcc", *place.glob("lib/python3*/site-packages/nvidia/cu*/bin/nvcc")]:
            if os.access(path, os.X_OK):
                return str(path)
    return ""


def sources() -> list[str]:
    return sorted(str(p.relative_to(ROOT)) for p in (ROOT / "optimized").rglob("*.cu"))


def closure(name: str, seen: dict[str, str]) -> dict[str, str]:
    """The texts of a file and of all of ours that it includes."""
    if name not in seen and not HOST_ONLY.search(name) and (ROOT / name).is_file():
        seen[name] = (ROOT / name).read_text("utf-8")
        for included in INCLUDE.findall(seen[name]):
            closure(included, seen)
    return seen


def output_of(nvcc: str, version: str, name: str) -> tuple[int, str, Path]:
    """What nvcc prints for a file, and its object; kept where nothing that it reads has changed."""
    texts = closure(name, {})
    # 2: before, ccache gave objects of other texts.
    key = hashlib.sha256(repr([2, version, FLAGS, sorted(texts.items())]).encode()).hexdigest()
    kept = CACHE / f"{Path(name).stem}-{key[:24]}.txt"
    compiled = kept.with_suffix(".o")
    if kept.is_file() and compiled.is_file():
        return 0, kept.read_text("utf-8"), compiled
    CACHE.mkdir(parents=True, exist_ok=True)
    for old in CACHE.glob(f"{Path(name).stem}-{'?' * 24}.*"):
        old.unlink(missing_ok=True)
    fresh = compiled.with_suffix(f".{os.getpid()}.o")
    ccache = [shutil.which("ccache")] if shutil.which("ccache") else []  # keeps messages, too
    command = [*ccache, nvcc, *FLAGS, "-c", name, "-o", str(fresh)]
    # ccache looks at the text for the first device alone, which lacks what is for others.
    environment = {**os.environ, "CCACHE_EXTRAFILES": os.pathsep.join(str(ROOT / t) for t in sorted(texts))}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    output = done.stdout + done.stderr
    if done.returncode == 0:
        fresh.rename(compiled)
        kept.write_text(output, "utf-8")
    return done.returncode, output, compiled


def write_object(nvcc: str, version: str, name: str, output: Path) -> int:
    """The object of one file, and beside it OUTPUT.d, the headers that it depends on."""
    name = os.path.relpath(ROOT / name, ROOT)
    status, text, compiled = output_of(nvcc, version, name)
    if status != 0:
        print(text, end="")
        return status
    shutil.copyfile(compiled, output)
    headers = " ".join(str(ROOT / header) for header in sorted(closure(name, {})))
    output.with_name(output.name + ".d").write_text(f"{output}: {headers}\n", "utf-8")
    return 0


def readable(symbols: list[str]) -> dict[str, str]:
    """Names of kernels without their arguments and without what nvcc calls unnamed namespaces."""
    if not symbols or not shutil.which("c++filt"):
        return {symbol: symbol for symbol in symbols}
    text = subprocess.run(["c++filt"], input="\n".join(symbols), capture_output=True, text=True).stdout
    names = {}
    for symbol, name in zip(symbols, text.splitlines()):
        name = UNNAMED.sub("", name).removeprefix("void ")
        depth, end = 0, len(name)
        for i, letter in enumerate(name):  # the parenthesis that is in no template argument
            depth += (letter == "<") - (letter == ">")
            if letter == "(" and depth == 0:
                end = i
                break
        names[symbol] = name[:end].replace("assay::cuda::", "")
    return names


def parse(name: str, status: int, output: str) -> Compiled:
    compiled = Compiled(name)
    if status != 0:
        errors = [line for line in output.splitlines() if "error" in line or "fatal" in line]
        compiled.problems.append(f"{name}: does not compile: {(errors or ['?'])[0]}")
    compiled.problems += [f"{name}: {line.strip()}" for line in ADVICE.findall(output)]
    parts = re.split(r"(?=Compiling entry function)", output)[1:]
    entries = [(ENTRY.search(part), part) for part in parts]
    names = readable(sorted({entry[1] for entry, _ in entries if entry}))
    for entry, part in entries:
        kernel, device = names[entry[1]], entry[2]
        if used := REGISTERS.search(part):
            compiled.registers[kernel, device] = int(used[1])
        spill = SPILL.search(part)
        if spill and (int(spill[1]) or int(spill[2])):
            compiled.problems.append(f"{name}: {kernel} on {device} spills {spill[0]}")
    return compiled


def release_of(version: str) -> str:
    found = re.search(r"V(\d+\.\d+\.\d+)", version)
    return f"nvcc {found[1]}" if found else "nvcc"


def read_table() -> tuple[str, dict[tuple[str, str], int]]:
    """Which nvcc, and the registers of (kernel, device)."""
    if not TABLE.is_file():
        return "", {}
    lines = TABLE.read_text("utf-8").splitlines()
    rows = csv.DictReader(lines[1:])
    found = {(row["kernel"], d): int(row[d]) for row in rows for d in DEVICES if row.get(d)}
    return lines[0].removeprefix("# "), found


def write_table(release: str, registers: dict[tuple[str, str], int]) -> None:
    lines = [[f"# {release}"], ["kernel", *DEVICES]]
    for kernel in sorted({kernel for kernel, _ in registers}):
        lines.append([kernel, *(str(registers.get((kernel, d), "")) for d in DEVICES)])
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)


def compare(compiled: Compiled, table: dict[tuple[str, str], int]) -> None:
    """Adds kernels that the table lacks, and those that need more registers than it says."""
    missing = sorted({kernel for kernel, device in compiled.registers if (kernel, device) not in table})
    if missing:
        text = f"{len(missing)} kernels are not in {TABLE.name} (--update): {', '.join(missing[:3])} …"
        compiled.problems.append(f"{compiled.name}: {text}")
    for (kernel, device), got in sorted(compiled.registers.items()):
        expected = table.get((kernel, device), got)
        if got > expected:
            text = f"{kernel} on {device}: got {got} registers, expected at most {expected}"
            compiled.problems.append(f"{compiled.name}: {text}")


def judge(files: list[Compiled], release: str, update: bool, partly: bool) -> None:
    """Of kernels that are not for tests only; those hold faults on purpose, and need only compile."""
    for file in files:
        if "testing/" in file.name:
            file.problems = [p for p in file.problems if "does not compile" in p]
    kernels = [file for file in files if "testing/" not in file.name]
    measured = {key: n for file in kernels for key, n in file.registers.items()}
    known, table = read_table()
    if update:
        table = {**table, **measured} if partly else measured
        write_table(release, table)
    elif known != release:
        print(f"{TABLE.name} is of {known or 'no nvcc'}, this is {release}: registers are not judged")
        return
    for file in kernels:
        compare(file, table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help="write the table of registers")
    parser.add_argument("--only", default="", help="files whose name has this text")
    parser.add_argument("--object", nargs=2, metavar=("SOURCE", "OUTPUT"), help="compile one file")
    arguments = parser.parse_args()
    nvcc = find_nvcc()
    if not nvcc:
        print("nvcc is not installed (scripts/setup --cuda installs it)")
        print("cuda gate: 0 passed, 0 failed, 1 skipped")
        return 1 if arguments.object else 0
    version = subprocess.run([nvcc, "--version"], capture_output=True, text=True).stdout
    if arguments.object:
        return write_object(nvcc, version, arguments.object[0], Path(arguments.object[1]))
    names = [name for name in sources() if arguments.only in name]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        outputs = list(pool.map(lambda name: output_of(nvcc, version, name), names))
    files = [parse(name, *output[:2]) for name, output in zip(names, outputs)]
    judge(files, release_of(version), arguments.update, bool(arguments.only))
    for file in files:
        print(f"{file.name}: {len(file.registers)} kernels, {'failed' if file.problems else 'passed'}")
        for problem in file.problems[:10]:
            print(f"    {problem}")
    failed = sum(bool(file.problems) for file in files)
    print(f"cuda gate: {len(files) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
