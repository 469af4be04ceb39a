# SPDX-License-Identifier: Apache-2.0
"""Makes the goldens: python make_goldens.py [--jax PYTHON] [--only GLOB] [--check]

Runs both oracles on every case (ensemble.py) and writes golden/cases/<checkpoint>/<case>.h5,
golden/wide, the findings and golden/manifest.json. --check writes to a temporary folder and
compares instead.
"""

import argparse
import fnmatch
import json
import os
import re
import sys
import tempfile
from pathlib import Path

import numpy as np

import ensemble
import golden_file
import hf_media
import manifest
import safetensors_file
import tap_sets
from cases import Case, all_cases
from quantised import QUANTISED

ROOT = Path(__file__).resolve().parents[2]
WORST_AGREEMENT = 1e-9  # between the oracles at fp64; more is a difference in meaning


def load_members(work: Path, case: Case) -> tuple[dict, dict]:
    """member name -> taps, member name -> description."""
    taps, about = {}, {}
    for path in sorted(ensemble.folder(work, case).glob("*.npz")):
        if path.stem != "case":
            taps[path.stem], about[path.stem] = ensemble.read_taps(path)
            if "cannot_run" in about[path.stem]:
                del taps[path.stem]
    return taps, about


def compare(truth: dict, other: dict, common: list[str]) -> dict[str, float]:
    """Relative L2 per tap; discrete taps give 0 when equal and 1 when not."""
    out = {}
    for name in common:
        a, b = truth[name], np.asarray(other[name]).reshape(truth[name].shape)
        if golden_file.is_discrete(name):
            out[name] = float(not np.array_equal(a, b))
        else:
            a, b = (golden_file.hide(name, v, truth) for v in (a, b))
            out[name] = golden_file.relative_l2(b - a, a)
    return out


def worst(agreement: dict[str, float]) -> dict:
    if not agreement:
        return {}
    name = max(agreement, key=lambda n: agreement[n])
    return {"relative_l2": agreement[name], "tap": name, "taps": len(agreement)}


def smallest_margin(truth: dict) -> float | None:
    """Gap between the last chosen and the first refused router logit, in units of their rms."""
    gaps = []
    for name, values in truth.items():
        if name.endswith("moe.router_logits"):
            chosen = truth[name.replace("router_logits", "topk_index")].shape[1]
            ordered = -np.sort(-values, axis=1)
            gap = ordered[:, chosen - 1] - ordered[:, chosen]
            gaps.append(float(gap.min() / np.sqrt(np.mean(values**2))))
    return min(gaps) if gaps else None


def second_oracle(agreement: dict[str, float], about: dict) -> dict:
    """How well it agrees, and the ledger's entries of what had to be repaired for it; or why it
    could not be run."""
    if "cannot_run" in about:
        return {"cannot_run": about["cannot_run"]}
    entries = set(re.findall(r"DIV-M?\d+", " ".join(about["repairs"])))
    return worst(agreement) | {"differs_in_meaning": sorted(entries)}


def certificate(case: Case, taps: dict, about: dict) -> tuple[dict, dict[str, float]]:
    truth = taps["hf-f64"]
    facts: dict = {"finite": True, "promotion": "every hooked tensor was float64"}
    if "hf-f64-one-by-one" in taps:
        other = taps["hf-f64-one-by-one"]
        facts["one_by_one"] = worst(compare(truth, other, [n for n in truth if n in other]))
    noise = taps["hf-f64-perturbed"]  # what one rounding per module does to the truth itself
    facts["fp64_noise"] = worst(compare(truth, noise, [n for n in truth if n in noise]))
    if "hf-f64-own-mask" in taps:
        own = taps["hf-f64-own-mask"]["text.mask.local"]
        given = not np.array_equal(own, truth["text.mask.local"])
        facts["mask_override"] = given  # R-26 is two-sided, transformers clamps on the left only
    if case.drafter:
        facts["mask_override"] = str(case.data["draft_window"]) == "std"
    margin = smallest_margin(truth)
    if margin is not None:
        facts["smallest_router_margin"] = margin
    agreement = {}
    if "jax-f64" in about:
        other = taps.get("jax-f64", {})
        agreement = compare(truth, other, [n for n in truth if n in other])
        facts["second_oracle"] = second_oracle(agreement, about["jax-f64"])
    return facts, agreement


def how_switched(case: Case) -> str:
    switches = hf_media.read_switches(case.data)
    return "".join(f"; {name}: {tap_sets.SWITCHED[name]}" for name in switches)


def describe(about: dict) -> str:
    if about.get("name") == "transformers":
        return f"transformers {about['version']}, torch {about['torch']}"
    versions = about["versions"]
    return f"google-deepmind/gemma {versions['gemma']}, jax {versions['jax']}"


def attributes(case: Case, folder: Path, about: dict, facts: dict, taps: tuple) -> dict:
    floor_runs = [n for n in about if "f64" not in n and "unrepaired" not in n]
    out = {
        "format_version": 1,
        "checkpoint": case.checkpoint,
        "checkpoint_sha256": manifest.folder_sha256(folder),
        "case": case.name,
        "profile": case.profile,
        "oracle": describe(about["hf-f64"]) + ", fp64" + how_switched(case),
        "certificate": facts,
        "ensemble": {"runs": floor_runs, "f_min": "half a unit roundoff"},
        "command": f"scripts/golden/run --only {case.checkpoint}/{case.name}",
        "seed": 1,
        "script_sha256": manifest.scripts_sha256(),
        "not_provided": tap_sets.not_provided(case, *taps),
    }
    if case.synth:
        out["synth"] = case.synth
    if case.checkpoint in QUANTISED:
        out["oracle"] += "; on the exactly dequantised weights"
    if "versions" in about.get("jax-f64", {}):
        out["second_oracle"] = describe(about["jax-f64"]) + ", fp64"
        out["second_oracle_repairs"] = about["jax-f64"]["repairs"]
    if case.drafter:
        out["drafter"] = case.drafter
        out["drafter_sha256"] = manifest.folder_sha256(folder.parent / case.drafter)
    return out


def write_golden(work: Path, checkpoints: Path, out: Path, case: Case) -> dict:
    taps, about = load_members(work, case)
    facts, agreement = certificate(case, taps, about)
    second = facts.get("second_oracle", {}).get("relative_l2", 0.0)
    if second > WORST_AGREEMENT:
        disagree = {n: v for n, v in agreement.items() if v > WORST_AGREEMENT}
        raise ValueError(f"{case.checkpoint}/{case.name}: the oracles disagree: {disagree}")
    stored = {n: v for n, v in taps["hf-f64"].items() if tap_sets.is_stored(case, n)}
    runs = {
        p: [t for n, t in taps.items() if n.split("-")[1] == p and "unrepaired" not in n]
        for p in ("f32", "bf16")
    }
    extra = {}
    for name in stored:
        extra[name] = {"oracles": json.dumps(["transformers"] + ["gemma"] * (name in agreement))}
        if name in agreement:
            extra[name]["agreement"] = agreement[name]
    path = out / case.place
    folder = ensemble.checkpoint_folder(work, checkpoints, case)
    if case.checkpoint in QUANTISED:  # its hash is of the file, not of what it was widened to
        folder = checkpoints / case.checkpoint
    described = attributes(case, folder, about, facts, (stored, taps["hf-f64"]))
    if case.synth:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".synth").write_text(case.synth + "\n")
    golden_file.write(path, described, case.data, stored, runs, extra)
    logits = golden_file.floors("text.logits", taps["hf-f64"], runs["f32"])
    return {"case": f"{case.checkpoint}/{case.name}", "bytes": path.stat().st_size,
            "logits_f32": logits["chain"], "second": second,
            "one_by_one": facts.get("one_by_one", {}).get("relative_l2")}  # fmt: skip


def write_finding(work: Path, out: Path, cases: list[Case]) -> None:
    for case in cases:
        path = ensemble.folder(work, case) / "jax-f32-unrepaired.npz"
        if path.exists():
            taps, _ = ensemble.read_taps(path)
            target = out / "findings" / "gemma-4.0.1-26b-router.safetensors"
            target.parent.mkdir(parents=True, exist_ok=True)
            floats = {n: v for n, v in taps.items() if not golden_file.is_discrete(n)}
            whole = {n: (v, "I32") for n, v in taps.items() if golden_file.is_discrete(n)}
            dump = {n: (v.astype(np.float32), "F32") for n, v in floats.items()} | whole
            safetensors_file.write(target, dict(sorted(dump.items())))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jax", type=Path, help="python that has gemma and jax")
    parser.add_argument("--only", default="*", help="pattern of <checkpoint>/<case>")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--work", type=Path, help="keep the oracles' runs here")
    parser.add_argument("--reuse", action="store_true", help="take the runs that --work holds")
    args = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # a dependency of the JAX oracle talks a lot
    chosen = [c for c in all_cases() if fnmatch.fnmatch(f"{c.checkpoint}/{c.name}", args.only)]
    golden, checkpoints = ROOT / "golden", ROOT / "golden" / "checkpoints"
    with tempfile.TemporaryDirectory() as temporary:
        work = args.work or Path(temporary) / "work"
        out = Path(temporary) / "golden" if args.check else golden
        work.mkdir(parents=True, exist_ok=True)
        if not args.reuse:
            precisions = (
                ("f64",) if args.check else ("f64", "f32", "bf16")
            )  # floors are not compared
            ensemble.run_all(work, checkpoints, chosen, args.jax, precisions)
        for case in chosen:
            print(json.dumps(write_golden(work, checkpoints, out, case)), flush=True)
        write_finding(work, out, chosen)
        if args.check:
            return manifest.check(golden, out, chosen)
    manifest.write(golden)
    return 0


if __name__ == "__main__":
    sys.exit(main())
