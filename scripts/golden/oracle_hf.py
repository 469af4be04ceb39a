# SPDX-License-Identifier: Apache-2.0
"""Runs transformers on one checkpoint and one case and writes every tap it gives.

python oracle_hf.py --checkpoint DIR --case CASE.npz --precision f64|f32|bf16 --out TAPS.npz
    [--drafter DIR] [--attention eager|sdpa] [--chunk N] [--perturb SEED] [--own-mask]
    [--sequential]

CASE.npz: ids [T]; optional token_types [T] (0 text, 1 image, 2 video, 3 audio), soft_0, soft_1, ...
with kinds, or items of media (media_cases.py), profile,
decode_from (positions from there on are fed one at a time), draft_token,
draft_steps, draft_window (hf | std). TAPS.npz: one array per tap, float64 or int32, and `oracle`.
"""

import argparse
import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch

import hf_drafter
import hf_media
import hf_model
import hf_taps
from plain_sums import plain_sums

KINDS = {"image": "image", "frame": "video", "audio": "audio"}


def vision_masks(types: np.ndarray, window: int, form: str) -> tuple[np.ndarray, np.ndarray]:
    """Local and global mask [T, T]. R-24 ... R-26, the reference: (s <= q or same block) and
    q - W < s < q + W; the other forms are DIV-M17's. `causal`: no blocks."""
    index = np.arange(len(types))
    vision = np.isin(types, (1, 2)) & (form != "causal")
    start = vision & ~np.roll(vision, 1)
    start[0] = vision[0]
    block = np.where(vision, np.cumsum(start), -index - 1)
    q, s = index[:, None], index[None, :]
    past, same = s <= q, block[:, None] == block[None, :]
    near = q - s < window
    if form in ("sliding_unclamped", "all_layers"):
        local = (past & near) | same
    else:
        local = (past | same) & near
        local &= (s - q < window) | (form == "sliding_past_clamped")
    return local, past | (same & (form in ("all_layers", "all_layers_clamped")))


def additive(mask: np.ndarray) -> torch.Tensor:
    dtype = torch.get_default_dtype()
    hidden = torch.full(mask.shape, torch.finfo(dtype).min)
    return torch.where(torch.from_numpy(mask), torch.zeros(()), hidden)[None, None]


def soft_inputs(model, case: dict) -> dict:
    """Given vectors in place of encoder outputs, through transformers' own merge."""
    features: dict[str, list] = {}
    for k, kind in enumerate(case.get("kinds", [])):
        vectors = torch.from_numpy(case[f"soft_{k}"]).to(torch.get_default_dtype())
        features.setdefault(KINDS[str(kind)], []).append(vectors)
    from transformers.modeling_outputs import BaseModelOutputWithPooling as Output

    inputs: dict = {"mm_encoder_outputs": {}}
    for kind in features.keys() & {"image", "video"}:
        inputs["mm_encoder_outputs"][kind] = Output(pooler_output=tuple(features[kind]))
    if "audio" in features:
        audio = torch.cat(features["audio"])
        valid = torch.ones(1, len(audio), dtype=torch.bool)
        result = Output(pooler_output=audio[None])
        result.attention_mask = valid
        model.model.get_audio_features = lambda *args, **kwargs: result
        inputs |= {"input_features": audio[None], "input_features_mask": valid}
    return inputs


class Target:
    def __init__(self, checkpoint: Path, attention: str):
        self.model = hf_model.load(checkpoint, attention)
        self.config = self.model.config.get_text_config()
        base = self.model.model
        self.text = getattr(base, "language_model", base)
        namespace = hf_model.modeling(self.config.model_type.removesuffix("_text"))
        self.recorder = hf_taps.Recorder(self.text, namespace, torch.get_default_dtype())
        self.model.lm_head.register_forward_hook(
            lambda _, __, output: self.recorder.put("text.logits_raw", output)
        )
        self.text.norm.register_forward_hook(self._keep_final_norm)
        for encoder in ("vision_tower", "audio_tower"):
            if getattr(base, encoder, None) is not None:
                self.recorder.mute_inside(getattr(base, encoder))
        self.shared, self.final_norm = None, None

    def _keep_final_norm(self, _, __, output) -> None:
        self.final_norm = output

    def call(self, ids: np.ndarray, cache, **inputs) -> None:
        output = self.model(
            input_ids=torch.from_numpy(ids)[None].long(),
            past_key_values=cache,
            use_cache=True,
            return_shared_kv_states=True,
            **inputs,
        )
        self.recorder.put("text.logits", output.logits)
        self.shared, self.sources = output.shared_kv_states, dict(self.recorder.sources)
        self.recorder.end_call()

    def run(self, case: dict, chunk: int, own_mask: bool, first=None) -> dict[str, np.ndarray]:
        """first: what the first call gets besides ids; else the case's soft-token embeddings."""
        from transformers import DynamicCache

        first = first or {}
        ids, total = case["ids"], len(case["ids"])
        cuts = list(range(0, int(case.get("decode_from", total)), chunk or total))
        cuts = [*cuts, *range(int(case.get("decode_from", total)), total), total]
        if "token_types" in case and case["token_types"].any():
            first = first or soft_inputs(self.model, case)
            first["mm_token_type_ids"] = torch.from_numpy(case["token_types"])[None].long()
            cuts = [0] + [c for c in cuts if c > int(np.nonzero(case["token_types"])[0].max())]
            if not own_mask:
                first["attention_mask"] = self.spec_masks(case, cuts[1])
        cache = DynamicCache(config=self.config)
        for begin, end in zip(cuts, cuts[1:]):
            self.call(ids[begin:end], cache, **(first if begin == 0 else {}))
            first = {}
        return hf_taps.join_calls(self.recorder.calls)

    def spec_masks(self, case: dict, end: int) -> dict[str, torch.Tensor]:
        switches = hf_media.read_switches(case)
        form = switches.get("text.vision_mask", "sliding_clamped")
        if self.config.use_bidirectional_attention != "vision":
            form = "causal"
        types = case["token_types"][:end]
        local, whole = vision_masks(types, self.config.sliding_window, form)
        return {"full_attention": additive(whole), "sliding_attention": additive(local)}


class Perturbation:
    """Moves the output of every arithmetic module by at most one unit in the last place."""

    def __init__(self, model, seed: int):
        self.noise = torch.Generator().manual_seed(seed)
        for module in model.modules():
            if not list(module.children()) and "Embedding" not in type(module).__name__:
                module.register_forward_hook(self.move)

    def move(self, _, __, output):
        if not torch.is_tensor(output) or not output.is_floating_point():
            return output
        step = 2.0 * torch.rand(output.shape, generator=self.noise, dtype=torch.float64) - 1.0
        unit = torch.finfo(output.dtype).eps
        exponent = torch.floor(torch.log2(output.double().abs().clamp_min(1e-300)))
        return (output.double() + step * unit * 2.0**exponent).to(output.dtype)


def read_case(path: Path) -> dict:
    with np.load(path) as data:
        return {name: data[name] for name in data.files}


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=Path, help="JSON list of argument lists, one precision")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--case", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--precision", choices=hf_model.DTYPES, default="f64")
    parser.add_argument("--drafter", type=Path)
    parser.add_argument("--attention", choices=("eager", "sdpa"), default="eager")
    parser.add_argument("--chunk", type=int, default=0, help="positions per prefill call")
    parser.add_argument("--perturb", type=int)
    parser.add_argument("--sequential", action="store_true", help="sums in plain order")
    parser.add_argument("--own-mask", action="store_true", help="transformers' mask for blocks")
    return parser


def main() -> None:
    parser = arguments()
    args = parser.parse_args()
    hf_model.set_precision(args.precision)
    jobs = [args]
    if args.jobs:
        jobs = [parser.parse_args(job) for job in json.loads(args.jobs.read_text())]
    for job in jobs:
        taps = run(job, read_case(job.case), args.precision)
        taps["oracle"] = np.array(json.dumps(versions(args.precision)))
        np.savez(job.out, **taps)


def run(args, case: dict, precision: str) -> dict[str, np.ndarray]:
    target = Target(args.checkpoint, args.attention)
    if args.perturb is not None:
        Perturbation(target.model, args.perturb)
    with torch.no_grad(), plain_sums() if args.sequential else nullcontext():
        if "items" in case:
            taps = run_media(target, args, case, precision)
        else:
            taps = target.run(case, args.chunk, args.own_mask)
        if "draft_steps" in case:
            taps |= hf_drafter.run(target, args.drafter, case, args.attention)
    target.recorder.close()
    return taps


def run_media(target: Target, args, case: dict, precision: str) -> dict[str, np.ndarray]:
    loose = args.perturb is not None
    encoders, first = hf_media.inputs_of(target.model, case, precision, loose)
    taps = target.run(case, args.chunk, args.own_mask, first)
    if precision == "f64" and not loose:
        encoders.check_merged(taps["text.embed"], case["token_types"])
    taps["text.ids_expanded"], taps["text.mm_type"] = case["ids"], case["token_types"]
    return encoders.taps | taps


def versions(precision: str) -> dict:
    import transformers

    return {
        "name": "transformers",
        "version": transformers.__version__,
        "torch": torch.__version__.split("+")[0],
        "precision": precision,
    }


if __name__ == "__main__":
    main()
