# SPDX-License-Identifier: Apache-2.0
"""Runs the oracles: the fp64 truth of every case and the fp32 and bf16 runs that make its floors.

Each oracle runs in one process per precision: casts are replaced process-wide. Results are .npz
files in a work folder, named <checkpoint>/<case>/<member>.npz.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import quantised
import synthetic
from case import Case

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SEEDS = {"f32": 6, "bf16": 3}
MEDIA_SEEDS = {"f32": 4, "bf16": 2}
JAX_FLOORS = ("text-long", "soft-long")
JAX_TARGETS = ("e2b-tiny", "e4b-tiny", "26b-tiny", "31b-tiny", "31b-illconditioned")
JAX_RUNS_NONE = 77  # exit code of oracle_jax.py when it can run no job at all


def members(case: Case, precision: str) -> dict[str, list[str]]:
    """Name -> extra arguments of oracle_hf.py."""
    if case.has_items:
        return media_members(case, precision)
    if precision == "f64":
        runs = {"hf-f64": [], "hf-f64-perturbed": ["--perturb", "1"]}
        if "draft_steps" not in case.data:
            runs["hf-f64-one-by-one"] = ["--chunk", "1"]
        if "token_types" in case.data:
            runs["hf-f64-own-mask"] = ["--own-mask"]
        return runs
    runs = {f"hf-{precision}": [], f"hf-{precision}-sdpa": ["--attention", "sdpa"]}
    if "draft_steps" not in case.data:
        runs[f"hf-{precision}-one-by-one"] = ["--chunk", "1"]
        runs[f"hf-{precision}-chunks-of-3"] = ["--chunk", "3"]
    for seed in range(1, SEEDS[precision] + 1):
        runs[f"hf-{precision}-perturbed-{seed}"] = ["--perturb", str(seed)]
    return runs


def media_members(case: Case, precision: str) -> dict[str, list[str]]:
    """Perturbed runs also take other roads in preprocessing: an fp32 FFT, a factor of 1/255."""
    runs = {f"hf-{precision}": [], f"hf-{precision}-perturbed-1": ["--perturb", "1"]}
    if precision == "f64":
        runs = {"hf-f64": [], "hf-f64-perturbed": ["--perturb", "1"]}
        return runs | {"hf-f64-own-mask": ["--own-mask"]}
    runs[f"hf-{precision}-sdpa"] = ["--attention", "sdpa"]
    if precision == "f32":
        runs["hf-f32-sequential"] = ["--sequential"]
    for seed in range(2, MEDIA_SEEDS[precision] + 1):
        runs[f"hf-{precision}-perturbed-{seed}"] = ["--perturb", str(seed)]
    return runs


def folder(work: Path, case: Case) -> Path:
    return work / case.checkpoint / case.name


def write_case(work: Path, case: Case) -> Path:
    path = folder(work, case) / "case.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **case.data)
    return path


def checkpoint_folder(work: Path, checkpoints: Path, case: Case) -> Path:
    """What the oracles read."""
    if case.synth:
        return synthetic.write(case.checkpoint, work / "synthetic")
    if case.checkpoint in quantised.QUANTISED:
        return quantised.dequantised(case.checkpoint, checkpoints, work / "dequantised")
    return checkpoints / case.checkpoint


def hf_job(work: Path, checkpoints: Path, case: Case, name: str, extra: list[str]) -> list[str]:
    job = ["--checkpoint", str(checkpoint_folder(work, checkpoints, case))]
    job += ["--case", str(folder(work, case) / "case.npz")]
    job += ["--out", str(folder(work, case) / f"{name}.npz"), *extra]
    if case.drafter:
        job += ["--drafter", str(checkpoints / case.drafter)]
    return job


def run_hf(work: Path, checkpoints: Path, cases: list[Case], precision: str) -> None:
    jobs = []
    for case in cases:
        for name, extra in members(case, precision).items():
            jobs.append(hf_job(work, checkpoints, case, name, extra))
    path = work / f"jobs-{precision}.json"
    path.write_text(json.dumps(jobs))
    command = [sys.executable, str(HERE / "oracle_hf.py"), "--precision", precision]
    subprocess.run([*command, "--jobs", str(path)], check=True)
    print(f"transformers {precision}: {len(jobs)} runs", flush=True)


def jax_members(case: Case, precision: str) -> dict[str, list[str]]:
    if case.has_items:  # what it cannot run, it says
        return {"jax-f64": []} if precision == "f64" else {}
    if case.checkpoint not in JAX_TARGETS or case.drafter:
        return {}
    if precision != "f64" and case.name not in JAX_FLOORS:  # slow without jit
        return {}
    runs: dict[str, list[str]] = {f"jax-{precision}": []}
    if (case.checkpoint, case.name, precision) == ("26b-tiny", "text-long", "f32"):
        runs["jax-f32-unrepaired"] = ["--unrepaired-router"]
    return runs


def run_jax(work: Path, checkpoints: Path, cases: list[Case], precision: str, python: Path) -> None:
    jobs = []
    for case in cases:
        for name, extra in jax_members(case, precision).items():
            job = hf_job(work, checkpoints, case, name, extra)
            jobs.append([*job, "--precision", precision])
    if not jobs:
        return
    path = work / f"jobs-jax-{precision}.json"
    path.write_text(json.dumps(jobs))
    command = [str(python), str(HERE / "oracle_jax.py"), "--precision", precision]
    done = subprocess.run([*command, "--jobs", str(path)])
    if done.returncode not in (0, JAX_RUNS_NONE):  # of what it cannot run, it left the reason
        done.check_returncode()
    print(f"gemma {precision}: {len(jobs)} runs", flush=True)


def run_all(work: Path, checkpoints: Path, cases: list[Case], jax: Path | None, precisions) -> None:
    for case in cases:
        write_case(work, case)
        checkpoint_folder(work, checkpoints, case)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(run_hf, work, checkpoints, cases, p) for p in precisions]
        for precision in precisions if jax else ():
            waiting.append(pool.submit(run_jax, work, checkpoints, cases, precision, jax))
        for future in waiting:
            future.result()


def read_taps(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    """Taps and the oracle's description of itself."""
    with np.load(path) as data:
        taps = {name: data[name] for name in data.files}
    about = {}
    for key in ("oracle", "__meta__"):
        if key in taps:
            about = json.loads(str(taps.pop(key)))
    return {n: widen(v) for n, v in taps.items()}, about


def widen(values: np.ndarray) -> np.ndarray:
    return values.astype(np.int32 if values.dtype.kind in "iub" else np.float64)
