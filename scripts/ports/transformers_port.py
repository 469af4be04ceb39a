#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run Hugging Face transformers (5.22.2) as a port: one golden case in, one dump out.

    python transformers_port.py --checkpoint DIR --case GOLDEN.h5 --out DUMP.h5|.safetensors
        [--drafter DIR] [--precision f32|bf16|f16] [--taps typical|all] [--plant BUG] [--chunk N]

Exit codes: 0 written, 2 bad input, 77 case not supported (the reason is on standard error).
`--plant BUG` computes with one deliberate mistake; `--list-bugs` prints them as JSON lines.
"""

import argparse
import json
import sys
from pathlib import Path

import transformers_functions as functions
from assay_dump import Dump, DumpError, hook_torch

HERE = Path(__file__).resolve().parent
PRECISIONS = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}

# A port's usual choice, about twenty taps a layer: no scores, no rotated tensors, no masks.
TYPICAL = set(
    """text.embed_scaled text.embed text.ple.token text.ple.proj text.ple.ctx text.final_norm
    text.logits_raw text.logits in out attn.norm_in attn.q_proj attn.q_norm attn.k_proj attn.v_proj
    attn.k_norm attn.v_norm attn.mix attn.o_proj attn.post_norm attn.residual ffn.norm_in ffn.gate
    ffn.up ffn.mul ffn.down ffn.post_norm ffn.residual moe.router_in moe.router_logits
    moe.topk_index moe.topk_weight moe.norm_in moe.sum moe.combined ple.gate ple.mul ple.proj
    ple.norm""".split()
)


def kind_of(tap):
    """`attn.mix` of `text.layer.3.attn.mix`; other names as they are."""
    return ".".join(tap.split(".")[3:]) if tap.startswith("text.layer.") else tap


def wanted(taps, omit):
    """Which taps to dump: the typical choice or all, minus the ones a planted bug does not have."""

    def keep(tap):
        kind = kind_of(tap)
        usual = kind in TYPICAL or tap.startswith("mtp.") or is_usual_media(tap)
        return kind not in omit and (taps == "all" or usual)

    return keep


def is_usual_media(tap):
    return tap.startswith("media.") and not tap.endswith("attn.probs")


def record(loaded, dump, taps="typical", bug=None):
    """Hook the module boundaries and, for all taps, the functions between them; plant the bug.

    In this order, hooks see what the bug made and wrapped functions what it asks for.
    Returns the undo.
    """
    keep = wanted(taps, set(bug.omit if bug else ()))
    undo_functions = record_functions(loaded, dump, keep) if taps == "all" else lambda: None
    undo_bug = bug.plant(loaded) if bug else lambda: None
    table = HERE / "maps/hf_text.csv"
    all_hooks = [hook_torch(loaded.model, table, dump, rename=loaded.rename, taps=keep)]
    if dump.media:
        unified = "unified" in loaded.namespace.__name__
        table = HERE / ("maps/hf_media_12b.csv" if unified else "maps/hf_media.csv")
        all_hooks.append(hook_torch(loaded.model, table, dump, taps=keep))

    def undo():
        for hooks in all_hooks:
            hooks.remove()
        undo_bug()
        undo_functions()

    return undo


def record_functions(loaded, dump, keep):
    """What no module boundary shows. Returns the undo."""
    undo_attention = functions.record_attention(loaded, dump, keep)
    undo_encoders = functions.record_encoders(loaded, dump, keep) if dump.media else lambda: None

    def undo():
        undo_encoders()
        undo_attention()

    return undo


def parse(arguments):
    parser = argparse.ArgumentParser(description="run transformers as a port of assay")
    parser.add_argument("--checkpoint", help="Hugging Face folder: config.json and safetensors")
    parser.add_argument("--case", help="golden file (HDF5) whose inputs are run")
    parser.add_argument("--out", help="dump to write: .h5 or .safetensors")
    parser.add_argument("--drafter", help="the drafter's folder; default: beside the checkpoint")
    parser.add_argument("--precision", choices=PRECISIONS, default="f32")
    parser.add_argument("--taps", choices=("typical", "all"), default="typical")
    parser.add_argument("--plant", metavar="BUG", help="compute with this mistake")
    parser.add_argument("--chunk", type=int, default=0, help="tokens a call; 0: all at once")
    parser.add_argument("--list-bugs", action="store_true", help="print the bugs as JSON lines")
    options = parser.parse_args(arguments)
    if not options.list_bugs and not (options.checkpoint and options.case and options.out):
        parser.error("--checkpoint, --case and --out are needed")
    if options.chunk < 0:
        parser.error("--chunk: expected 0 or more")
    return options


def run_port(options):
    """Load, plant, record, run, write."""
    import torch

    import transformers_bugs as bugs
    import transformers_media as media
    import transformers_model as port

    dtype = getattr(torch, PRECISIONS[options.precision])
    with Dump(options.out) as dump, torch.no_grad():
        case = port.read_case(options.case)
        loaded = port.load(options.checkpoint, dtype, encoders=bool(case.items))
        dump.media = media.numbers(case.items) if case.items else None
        bug = bugs.find(options.plant, loaded, case) if options.plant else None
        undo = record(loaded, dump, options.taps, bug)
        output = port.run(loaded, case, dump, options.chunk)
        undo()  # a drafter shares functions and the embedding with its target
        if case.draft:
            beside = Path(options.checkpoint).resolve().parent / case.drafter
            drafter = port.load(options.drafter or beside, dtype)
            hook_torch(drafter.model, HERE / "maps/hf_drafter.csv", dump)
            port.draft(loaded, drafter, case, output, dump)


def list_bugs():
    import transformers_bugs as bugs

    for bug in bugs.all_bugs().values():
        row = {"bug": bug.name, "sizes": bug.sizes, "tap": {"kind": bug.tap, "layers": bug.layers}}
        print(json.dumps(row | {"needs": bug.needs, "mistake": bug.mistake}))


def main(arguments=None):
    options = parse(arguments)
    if options.list_bugs:
        list_bugs()
        return 0
    try:
        import transformers_model as port
    except ImportError as error:
        print(
            f"transformers_port: {error}; needs torch, transformers, safetensors, h5py",
            file=sys.stderr,
        )
        return 2
    try:
        run_port(options)
    except port.NotSupported as reason:
        print(f"not supported: {reason}", file=sys.stderr)
        return 77
    except (port.PortError, DumpError, OSError, KeyError) as error:
        print(f"transformers_port: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
