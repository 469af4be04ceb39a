# SPDX-License-Identifier: Apache-2.0
"""golden/manifest.json: what made each committed file, and the comparison of --check."""

import hashlib
import json
from pathlib import Path

import h5py

import golden_file
from cases import Case

HERE = Path(__file__).resolve().parent
ALLOWED = 1e-13  # relative L2 between two fp64 runs on different machines
TABLES = {
    "ggml_blocks.json": "make_ggml_block_vectors.py",
    "loading_forms.json": "make_loading_forms.py",
    "gguf_conversions.json": "make_gguf_conversions.py",
    "log_mel.json": "make_log_mel_vectors.py",
    "quantised_forms.json": "make_quantised_forms.py",
    "resize.json": "make_resize_vectors.py",
    "tensor_core.txt": "make_tensor_core.py",
}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def listing_sha256(paths: list[Path]) -> str:
    """Hash of the lines "<sha256>  <name>\\n" in name order."""
    lines = [f"{sha256(path)}  {path.name}\n" for path in sorted(paths, key=lambda p: p.name)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


# Of dumps that a package made on a committed checkpoint, through assay_dump.py.
PACKAGES = {
    "ctranslate2-31b-logits": "CTranslate2 4.8.5",
    "gemma4-pt-claude-26b-logits": "gemma4-pt-claude 0.2.0",
    "gemma4-pt-claude-31b-soft": "gemma4-pt-claude 0.2.0",
    "gemma4-pytorch-codex-e2b-ple": "gemma4-pytorch-codex 0.2.0",
    "transformers-12b-bf16-erf": "transformers 5.22.2, torch 2.13.0",
}


def folder_sha256(folder: Path) -> str:
    return listing_sha256([path for path in folder.iterdir() if path.is_file()])


def scripts_sha256() -> str:
    return listing_sha256(list(HERE.glob("*.py")))


def entry(golden: Path, path: Path) -> dict:
    out = {"sha256": sha256(path)}
    place = path.relative_to(golden).parts[0]
    if place == "checkpoints":
        out["generator"] = "scripts/golden/make_checkpoints.py"
        out["command"] = f"scripts/golden/make_checkpoints.py {path.parent.name}"
    elif place == "dumps":
        llama_cpp = path.name.startswith("llama.cpp")
        out["generator"] = f"scripts/ports/{'llama_cpp_port' if llama_cpp else 'assay_dump'}.py"
        package = "llama-cpp-python 0.3.36" if llama_cpp else PACKAGES[path.stem]
        out["command"] = f"by hand, with {package} (golden/README.md)"
    elif place == "findings":
        out["generator"] = "scripts/golden/oracle_jax.py --unrepaired-router"
        out["command"] = "scripts/golden/run --only 26b-tiny/text-long"
    elif place == "media":
        formats = path.parent.name == "formats"
        out["generator"] = f"scripts/golden/make_media{'_formats' if formats else ''}.py"
        out["command"] = "scripts/golden/run"
    elif path.suffix == ".synth":
        out["generator"] = "scripts/golden/synthetic.py"
        out["command"] = f"scripts/golden/run --only {path.stem}/*"
    elif path.suffix == ".h5":
        with h5py.File(path) as root:
            out["generator"] = "scripts/golden/make_goldens.py"
            out["command"] = root.attrs["command"]
            names = ("oracle", "second_oracle")
            out["oracles"] = [root.attrs[name] for name in names if name in root.attrs]
    elif path.name in TABLES:
        out["generator"] = out["command"] = f"scripts/golden/{TABLES[path.name]}"
        out["oracles"] = [json.loads(path.read_text())["made_with"]]
    else:
        out["generator"] = "by hand, from the tables of the specification"
    return out


def write(golden: Path) -> None:
    skip = {"manifest.json", "README.md"}
    paths = sorted(p for p in golden.rglob("*") if p.is_file() and p.name not in skip)
    files = {str(path.relative_to(golden)): entry(golden, path) for path in paths}
    text = json.dumps({"format_version": 1, "files": files}, indent=1, sort_keys=True)
    (golden / "manifest.json").write_text(text + "\n")


def compare_case(committed: Path, fresh: Path) -> list[str]:
    old, new = golden_file.read_truth(committed), golden_file.read_truth(fresh)
    problems = [f"{name}: in one file only" for name in sorted(set(old) ^ set(new))]
    for name in sorted(set(old) & set(new)):
        if golden_file.is_discrete(name):
            bad = not (old[name].shape == new[name].shape and (old[name] == new[name]).all())
        else:
            bad = golden_file.relative_l2(new[name] - old[name], old[name]) > ALLOWED
        if bad:
            problems.append(f"{name}: the values differ")
    with h5py.File(committed) as a, h5py.File(fresh) as b:
        if a.attrs["checkpoint_sha256"] != b.attrs["checkpoint_sha256"]:
            problems.append("checkpoint_sha256 differs")
    return problems


def check_hashes(golden: Path) -> list[str]:
    listed = json.loads((golden / "manifest.json").read_text())["files"]
    problems = []
    for name, facts in listed.items():
        path = golden / name
        if not path.exists():
            problems.append(f"{name}: listed in the manifest, missing")
        elif sha256(path) != facts["sha256"]:
            problems.append(f"{name}: hash differs from the manifest")
    for path in golden.rglob("*"):
        name = str(path.relative_to(golden))
        if (
            path.is_file()
            and path.name not in ("manifest.json", "README.md")
            and name not in listed
        ):
            problems.append(f"{name}: not in the manifest")
    return problems


def check(golden: Path, fresh: Path, cases: list[Case]) -> int:
    problems = check_hashes(golden)
    for case in cases:
        differences = compare_case(golden / case.place, fresh / case.place)
        problems += [f"{case.place}: {text}" for text in differences]
    for text in problems:
        print(f"golden: {text}")
    print(f"golden: {len(cases)} cases regenerated, {len(problems)} differences")
    return 1 if problems else 0
