# SPDX-License-Identifier: Apache-2.0
"""Build, checks, unit tests and `assay verify`, one after another: all of scripts/test but setup.

Every stage runs, whatever became of the one before; only a failed build ends early. The last line
is the sum of checks, unit tests (each test of a program counts) and verified cases.
"""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "release"
RESULTS = BUILD / "test-results"
TIDY_COMMANDS = RESULTS / "tidy"
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"

TIDY = "clang-tidy-14"
TIDY_SECONDS = 120  # then the files that are left count as skipped
TIDY_FAILS = False  # a finding fails the run; False until every source has been through it once
TIDY_COMMITS = 10  # looked at where nothing differs from origin/main, as in a fresh clone
FUZZ_SECONDS = 2  # of each target
MUTANTS = 16  # a rotating sample
HONEST = 8  # runs that have to pass
MUTANTS_16, HONEST_16 = 3, 4  # the same in 16 bits, one in bf16 and the other in f16


def counts(passed: int = 0, failed: int = 0, skipped: int = 0) -> dict[str, int]:
    return {PASSED: passed, FAILED: failed, SKIPPED: skipped}


def add(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {key: a[key] + b[key] for key in a}


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


def run(*command: str | Path, **environment: str) -> int:
    return subprocess.run(
        [*map(str, command)], cwd=ROOT, env={**os.environ, **environment}
    ).returncode


def source_checks() -> dict[str, int]:
    command = [sys.executable, str(ROOT / "scripts/check/all.py")]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout
    print(output, end="")
    last = re.search(r"^checks: (\d+) passed, (\d+) failed, (\d+) skipped$", output, re.MULTILINE)
    return counts(*map(int, last.groups())) if last else counts(failed=1)


def cuda_gate() -> dict[str, int]:
    """Kernels compile for each device, and their registers are those that are on record."""
    command = [sys.executable, str(ROOT / "scripts/cuda_gate.py")]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout
    print(output, end="")
    last = re.search(
        r"^cuda gate: (\d+) passed, (\d+) failed, (\d+) skipped$", output, re.MULTILINE
    )
    return counts(*map(int, last.groups())) if last else counts(failed=1)


def git(*arguments: str) -> list[str]:
    """Lines that git prints; none when it fails."""
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.splitlines()


def changed_sources() -> list[str]:
    """Sources that changed, or whose header did: uncommitted ones, then those of new commits."""
    log = ["log", "--format=", "--name-only", "--no-renames"]
    names = git("diff", "--name-only", "HEAD") + git(*log, "origin/main..HEAD")
    names = names or git(*log, f"-{TIDY_COMMITS}", "HEAD")
    sources = (re.sub(r"\.h$", ".cc", name) for name in names)
    return [s for s in dict.fromkeys(sources) if s.endswith(".cc") and (ROOT / s).is_file()]


def plain_commands() -> None:
    """The compile commands for clang-tidy: without the precompiled headers, which are g++'s."""
    commands = (BUILD / "compile_commands.json").read_text()
    plain = re.sub(r" -Winvalid-pch -include \S*cmake_pch\.hxx", "", commands)
    TIDY_COMMANDS.mkdir(parents=True, exist_ok=True)
    (TIDY_COMMANDS / "compile_commands.json").write_text(plain)


def tidy(source: str, deadline: float) -> str:
    """passed, failed, or skipped when the time is over. What it finds is printed."""
    # The analyzer follows every path through a test's macros, a minute a file, and finds nothing.
    is_test = source.endswith(("_test.cc", "_cases.cc"))
    checks = ["--checks=-clang-analyzer-*"] if is_test else []
    command = [TIDY, "--quiet", "-p", str(TIDY_COMMANDS), *checks, source]
    left = deadline - time.monotonic()
    try:
        if left <= 0:
            return SKIPPED
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=left)
    except subprocess.TimeoutExpired:
        return SKIPPED
    print(result.stdout if result.returncode else "", end="", flush=True)
    return FAILED if result.returncode else PASSED


def linted_sources() -> dict[str, int]:
    sources, deadline = changed_sources(), time.monotonic() + TIDY_SECONDS
    if not shutil.which(TIDY):
        print(f"{TIDY} is not installed")
        return counts(skipped=1)
    plain_commands()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        verdicts = list(pool.map(lambda source: tidy(source, deadline), sources))
    total = {verdict: verdicts.count(verdict) for verdict in (PASSED, FAILED, SKIPPED)}
    if total[FAILED] and not TIDY_FAILS:
        print(f"{total[FAILED]} sources with findings count as skipped")
        total = counts(total[PASSED], 0, total[SKIPPED] + total[FAILED])
    elif total[SKIPPED]:
        print(f"{TIDY_SECONDS} s are over: {total[SKIPPED]} of {len(sources)} sources are left")
    return total


def suite_counts(path: Path) -> dict[str, int] | None:
    """What a GoogleTest program wrote about its tests; nothing when it did not finish."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return None
    total, failed = int(root.get("tests", 0)), int(root.get("failures", 0))
    failed += int(root.get("errors", 0))
    skipped = int(root.get("disabled", 0)) + sum(
        1 for case in root.iter("testcase") if case.get("result") == "skipped"
    )
    return counts(total - failed - skipped, failed, skipped) if total else None


def test_counts(junit: Path) -> dict[str, int]:
    """The tests of each program where it reported them, else the program as one."""
    total = counts()
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        failed = case.find("failure") is not None or case.get("status") in ("fail", "failed")
        skipped = not failed and case.find("skipped") is not None
        inside = suite_counts(RESULTS / f"{case.get('name')}.xml")
        if inside is None or (failed and inside[FAILED] == 0):
            inside = counts(not failed and not skipped, failed, skipped)
        total = add(total, inside)
    return total


def unit_tests() -> dict[str, int]:
    junit = RESULTS / "ctest.xml"
    jobs = str(os.cpu_count() or 1)
    command = ["ctest", "--preset", "release", "--parallel", jobs, "--output-junit", junit]
    status = run(*command, GTEST_OUTPUT=f"xml:{RESULTS}/", GTEST_COLOR="no")
    found = test_counts(junit) if junit.exists() else counts()
    if status != 0 and found[FAILED] == 0:
        return add(found, counts(failed=1))
    return found


def python_with_arrays() -> str:
    """An interpreter that has numpy and h5py: the oracles' own, else the system's; or nothing."""
    for python in (ROOT / ".venv/hf/bin/python", sys.executable, "/usr/bin/python3"):
        probe = [python, "-c", "import numpy, h5py"]
        if shutil.which(python) and subprocess.run(probe, capture_output=True).returncode == 0:
            return str(python)
    return ""


def python_tests() -> dict[str, int]:
    """Test files of scripts/, one unittest run per folder."""
    python, total = python_with_arrays(), counts()
    for folder in sorted({path.parent for path in (ROOT / "scripts").rglob("*_test.py")}):
        names = sorted(path.stem for path in folder.glob("*_test.py"))
        if not python:
            print(f"{folder.relative_to(ROOT)}: skipped, no Python with numpy and h5py")
            total = add(total, counts(skipped=len(names)))
            continue
        command = [python, "-m", "unittest", "-q", *names]
        result = subprocess.run(command, cwd=folder, stderr=subprocess.PIPE, text=True)
        print(result.stderr, end="")
        total = add(total, unittest_counts(result.stderr, result.returncode))
    return total


def unittest_counts(output: str, status: int) -> dict[str, int]:
    def number(pattern: str) -> int:
        return sum(int(n) for n in re.findall(pattern, output))

    skipped, bad = number(r"\bskipped=(\d+)"), number(r"\b(?:failures|errors)=(\d+)")
    if status != 0 and bad == 0:
        bad = 1
    return counts(max(0, number(r"\bRan (\d+) test") - skipped - bad), bad, skipped)


def verified_cases(*options: str, **environment: str) -> dict[str, int]:
    name = "-".join(["verify", *options]).replace("--", "")
    report = RESULTS / re.sub(r"[^\w-]", "_", name)
    status = run(BUILD / "assay", "verify", *options, "--report", report, **environment)
    try:
        summary = json.loads((report / "report.json").read_text())["summary"]
    except (OSError, ValueError, KeyError):
        return counts(failed=1)
    passed = sum(summary.get(key, 0) for key in ("pass", "warning", "waived"))
    failed = sum(summary.get(key, 0) for key in ("fail", "resource_error", "harness_error"))
    if (status != 0 and failed == 0) or passed + failed == 0:
        failed += 1
    return counts(passed, failed, summary.get("not_supported", 0))


# Of the cases by kernels that the CPU runs: text and drafts in chunks of three, media as a whole
# where images are small. All of them are `ASSAY_CUDA_HOST=1 assay verify --impl cuda`.
CUDA_CASES = (
    *(("--case", f"{model}-tiny/*", "--prefill", "3") for model in ("12b", "26b", "31b", "e2b")),
    ("--case", "e4b-tiny/*", "--prefill", "1"),
    ("--case", "26b-q*_0-tiny/*"),
    ("--case", "miniature-*/*"),
    ("--case", "12b-media-tiny/image-text"),
    ("--case", "e2b-media-tiny/interleaved"),
)


def cuda_on_the_host() -> dict[str, int]:
    total = counts()
    for options in CUDA_CASES:
        total = add(total, verified_cases("--impl", "cuda", *options, ASSAY_CUDA_HOST="1"))
    return total


def cuda_goldens() -> dict[str, int]:
    """Every golden of text and drafts by kernels that the CPU runs: whole, in chunks, token by
    token, in each class; judged end to end. Media as a whole."""
    goldens = RESULTS / "plain-goldens"
    programs = BUILD / "conformance/doors/cuda"
    if run(programs / "export_goldens", ROOT / "golden", goldens) != 0:
        return counts(failed=1)

    def verify(folder: Path) -> dict[str, int]:
        prefills = ("0",) if "media" in folder.name else ("0", "3", "1")
        options = [word for n in prefills for word in ("--prefill", n)]
        command = [programs / "cuda_verify", goldens, "--only", f"{folder.name}/", *options]
        result = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, text=True)
        print(f"{folder.name}: {result.stdout}", end="", flush=True)
        try:
            found = json.loads(result.stdout)
        except ValueError:
            return counts(failed=1)
        failed = found["fail"] + (1 if result.returncode != 0 and found["fail"] == 0 else 0)
        return counts(found["pass"], failed, found["not_supported"] + found["not_tested"])

    folders = sorted((goldens / "cases").iterdir(), key=lambda f: "media" not in f.name)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        totals = list(pool.map(verify, folders))
    shutil.rmtree(goldens)
    return functools.reduce(add, totals)


def day() -> int:
    """What the samples change with."""
    return int(time.time()) // 86400


def mutate(name: str, *options) -> dict | None:
    """The summary of `assay mutate` with another seed each day; None where it has none."""
    report, seed = RESULTS / name, day()
    print("assay mutate", *options, f"--seed {seed}", flush=True)
    run(BUILD / "assay", "mutate", *options, "--seed", seed, "--report", report)
    try:
        return json.loads((report / "mutants.json").read_text())["summary"]
    except (OSError, ValueError, KeyError):
        return None


def caught(summary: dict | None) -> dict[str, int]:
    """Mutants that were caught at their tap, or lie below the rounding of the class, and others."""
    if summary is None:
        return counts(failed=1)
    right = summary["at_expected"] + summary.get("below", 0)
    return counts(right, summary["expressible"] - right)


def passed(summary: dict | None) -> dict[str, int]:
    """Honest runs that passed, and those that were refused."""
    if summary is None:
        return counts(failed=1)
    refused = summary["false_alarms"]
    return counts(summary["innocent_runs"] - refused, refused)


def size_of_the_day() -> str:
    """All of them take three minutes; what AVX2 does otherwise, the unit tests run whole."""
    return ("e2b", "e4b", "12b", "26b", "31b")[day() % 5]


def sixteen_bits(seed: int) -> tuple[str, str]:
    """The class of the mutants and that of the honest runs, which change places each day."""
    return ("bf16", "f16") if seed % 2 else ("f16", "bf16")


def some_mutants() -> dict[str, int]:
    """Other mutants each day; `assay mutate` runs all of them."""
    precision = sixteen_bits(day())[0]
    narrow = mutate("mutants-16", "--sample", MUTANTS_16, "--precision", precision)
    return add(caught(mutate("mutants", "--sample", MUTANTS)), caught(narrow))


def some_honest_runs() -> dict[str, int]:
    """Other honest programs and cases each day; scripts/innocence.py runs a thousand."""
    precision = sixteen_bits(day())[1]
    narrow = mutate("honest-16", "--innocent", HONEST_16, "--precision", precision)
    return add(passed(mutate("honest", "--innocent", HONEST)), passed(narrow))


def true_widths() -> dict[str, int]:
    """One encoder layer at true width: checkpoints are made, verified and removed again."""
    command = [ROOT / "scripts/golden/verify_wide", BUILD / "assay"]
    result = subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True)
    print(result.stdout + result.stderr, end="")
    verdicts = re.findall(r"^(\d+) pass, (\d+) fail", result.stdout, re.MULTILINE)
    passed = sum(int(good) for good, _ in verdicts)
    failed = sum(int(bad) for _, bad in verdicts)
    expected = 2 * len(list((ROOT / "golden/wide").glob("*.synth")))  # fp32 and fp64
    if (result.returncode != 0 or passed != expected) and failed == 0:
        failed = 1
    return counts(passed, failed)


def fuzz_targets() -> dict[str, int]:
    """Every fuzz target for a few seconds: findings that are near, not the last ones. Whoever
    changes a reader runs scripts/fuzz on it; the others wait for CI."""
    if not os.environ.get("CI"):
        print("CI runs these; scripts/fuzz does at any time")
        return counts(skipped=1)
    if not shutil.which("clang++-14"):
        print("clang++-14 is not installed")
        return counts(skipped=1)
    jobs = str(os.cpu_count() or 1)
    command = [ROOT / "scripts/fuzz", "-seconds", str(FUZZ_SECONDS), "-jobs", jobs]
    result = subprocess.run([*map(str, command)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    print(result.stdout, end="")
    ends = re.findall(r"^\w+ +\S+ inputs +\d+ s  (nothing|finding)$", result.stdout, re.MULTILINE)
    failed = ends.count("finding")
    if (result.returncode != 0 or not ends) and failed == 0:
        failed = 1
    return counts(ends.count("nothing"), failed)


def finish(total: dict[str, int]) -> int:
    print(f"\n{total[PASSED]} passed, {total[FAILED]} failed, {total[SKIPPED]} skipped", flush=True)
    return 1 if total[FAILED] else 0


def main() -> int:
    say("build")
    if run(ROOT / "scripts/build") != 0:
        return finish(counts(failed=1))
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    total = counts()
    stages = {
        "source checks": source_checks,
        "CUDA kernels": cuda_gate,
        "clang-tidy": linted_sources,
        "unit tests": unit_tests,
        "script tests": python_tests,
        "assay verify": verified_cases,
        "verify, CPU engine": lambda: verified_cases("--impl", "cpu", "--prefill", "3"),
        "verify, its AVX2": lambda: verified_cases(
            "--impl", "cpu", "--target", "avx2", "--case", f"{size_of_the_day()}-*"
        ),
        "verify, CUDA on the host": cuda_on_the_host,
        "CUDA, every golden": cuda_goldens,
        "mutants": some_mutants,
        "honest programs": some_honest_runs,
        "true widths": true_widths,
        "fuzz targets": fuzz_targets,
    }
    for name, stage in stages.items():
        say(name)
        start = time.monotonic()
        result = stage()
        print(
            f"{name}: {result[PASSED]} passed, {result[FAILED]} failed, "
            f"{result[SKIPPED]} skipped ({time.monotonic() - start:.0f} s)",
            flush=True,
        )
        total = add(total, result)
    return finish(total)


if __name__ == "__main__":
    sys.exit(main())
