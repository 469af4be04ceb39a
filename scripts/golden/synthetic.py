# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of true width that are not committed: the bits of `assay synth`, made in Python.

One encoder layer at the released width beside a small text model. A golden of such a checkpoint
says in its attribute `synth` how to make it: assay synth <synth> DIR.
"""

from pathlib import Path

import make_checkpoints
import safetensors_file
import encoders
import weights
from topologies import Topology, config_json
from encoders import Audio, Vision

SMALL = dict(vocab=64, width=64, ffn=96, heads=2, head_dim=(16, 32), window=8, released_ids=True)
OPTIONS = "--layers 2 --width 64 --ffn 96 --heads 2 --head-dim 16 --global-head-dim 32"
OPTIONS += " --vocab 64 --window 8"
EDGE = dict(kv_heads=(1, 1), ple=16, double_wide=True)
EDGE_OPTIONS = f"{OPTIONS} --per-layer-width 16 --shared-layers 0 --encoders"
LARGE = dict(kv_heads=(2, 1), k_eq_v=True, vision=True)
LARGE_OPTIONS = f"{OPTIONS} --kv-heads 2 --global-kv-heads 1 --experts 0 --encoders"

E2B_VISION = Topology(
    "synth-e2b-vision", "gemma4", "BF16", "SF",
    vision_encoder=Vision(768, 12, 64, 3072, 1, 16, clips=True), **EDGE, **SMALL,
)  # fmt: skip
E2B_AUDIO = Topology(
    "synth-e2b-audio",
    "gemma4",
    "BF16",
    "SF",
    audio_encoder=Audio(1024, 8, 1, 1536),
    **EDGE,
    **SMALL,
)
B26_VISION = Topology(
    "synth-26b-vision", "gemma4", "BF16", "SF",
    vision_encoder=Vision(1152, 16, 72, 4304, 1, 16, standardize=True), **LARGE, **SMALL,
)  # fmt: skip
SYNTH = {
    E2B_VISION.name: f"e2b {EDGE_OPTIONS} --vision-layers 1 --vision-positions 16 --audio-width 0",
    E2B_AUDIO.name: f"e2b {EDGE_OPTIONS} --vision-width 0 --audio-layers 1",
    B26_VISION.name: f"26b {LARGE_OPTIONS} --vision-layers 1 --vision-positions 16",
}
TOPOLOGIES = {t.name: t for t in (E2B_VISION, E2B_AUDIO, B26_VISION)}


def write(name: str, out: Path) -> Path:
    """The folder `out`/`name`; one that exists is kept."""
    folder, t = out / name, TOPOLOGIES[name]
    if folder.exists():
        return folder
    folder.mkdir(parents=True)
    shapes = make_checkpoints.text_shapes(t, "")
    tensors = {t.prefix + n: (weights.tensor("model." + n, s), t.dtype) for n, s in shapes.items()}
    for n, shape in make_checkpoints.encoder_shapes(t).items():
        tensors[n] = (weights.tensor(n, shape), t.dtype)
    make_checkpoints.write_json(folder / "config.json", config_json(t))
    make_checkpoints.write_json(folder / "processor_config.json", encoders.processor_config(False))
    safetensors_file.write(folder / "model.safetensors", dict(sorted(tensors.items())))
    return folder
