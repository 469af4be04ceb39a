# SPDX-License-Identifier: Apache-2.0
"""Draft steps of a transformers `gemma4_assistant` after a prefill of its target (R-70 ... R-77).

The window of sliding layers is transformers' own (`hf`: the last W + 1 keys) or, with `std`, a mask
given to it: keys with s > p - W.
"""

from pathlib import Path

import numpy as np
import torch

import hf_model
import hf_taps


def standard_masks(window: int, position: int):
    """The masks of window mode `std` in place of the drafter's own."""

    def create(inputs_embeds, attention_mask, shared_kv_states):
        dtype, keys = inputs_embeds.dtype, torch.arange(position)
        local = torch.zeros(1, 1, 1, position, dtype=dtype)
        local[..., keys <= position - window] = torch.finfo(dtype).min
        return {"full_attention": torch.zeros_like(local), "sliding_attention": local}

    return create


class Drafter:
    def __init__(self, directory: Path, attention: str):
        self.model = hf_model.load(directory, attention)
        self.text = self.model.model
        self.taps: dict[str, np.ndarray] = {}

    def listen(self, step: int, sources: dict) -> hf_taps.Recorder:
        family = self.text.config.model_type.removesuffix("_text")
        namespace, dtype = hf_model.modeling(family), torch.get_default_dtype()
        recorder = hf_taps.Recorder(self.text, namespace, dtype, f"mtp.step.{step}.")
        recorder.sources = dict(sources)
        return recorder

    def vectors(self, recorder, step: int) -> list:
        """Hooks of the taps that have no token axis."""

        def out(name: str):
            def hook(_, __, output):
                recorder.put(f"mtp.step.{step}.{name}", output)

            return hook

        model = self.model
        modules = {"pre_proj": model.pre_projection, "post_proj": model.post_projection}
        modules["norm"] = self.text.norm
        if model.masked_embedding is not None:
            modules["centroid_logits"] = model.masked_embedding.centroids
        return [module.register_forward_hook(out(name)) for name, module in modules.items()]

    def step(self, step: int, token: int, hidden, target, position: int) -> tuple[int, object]:
        embedded = target.text.embed_tokens(torch.tensor([[token]]))
        concat = torch.cat([embedded, hidden], dim=-1)
        recorder = self.listen(step, target.sources)
        handles = self.vectors(recorder, step)
        output = self.model(
            inputs_embeds=concat,
            position_ids=torch.tensor([[position]]),
            attention_mask=torch.ones(1, position + 1, dtype=torch.long),
            shared_kv_states=target.shared,
        )
        at = f"mtp.step.{step}."
        given = {"token_embed": embedded, "hidden_in": hidden, "concat": concat}
        for name, value in (given | {"logits": output.logits}).items():
            recorder.put(at + name, value)
        chosen = int(output.logits[0, -1].argmax())
        taps = recorder.end_call()
        recorder.close()
        for handle in handles:
            handle.remove()
        self.keep(taps, at, chosen)
        return chosen, output.last_hidden_state

    def keep(self, taps: dict, at: str, chosen: int) -> None:
        """Vectors lose their leading axis, layers keep it; the ordered head's choices are added."""
        for name, value in taps.items():
            if name.startswith(at + "layer."):
                self.taps[name] = value
            elif name.startswith(at):
                self.taps[name] = value.reshape(-1)
        self.taps[at + "token"] = np.array([chosen], np.int32)
        head = self.model.masked_embedding
        if head is not None:
            scores = torch.from_numpy(self.taps[at + "centroid_logits"])
            index = torch.topk(scores, head.centroid_intermediate_top_k).indices
            table = head.token_ordering.view(head.num_centroids, head.vocab_size_per_centroid)
            self.taps[at + "centroid_index"] = index.numpy().astype(np.int32)
            self.taps[at + "candidate_ids"] = table[index].reshape(-1).numpy().astype(np.int32)


def run(target, directory: Path, case: dict, attention: str) -> dict[str, np.ndarray]:
    target.recorder.close()
    drafter, position = Drafter(directory, attention), len(case["ids"])
    assert drafter.model.config.backbone_hidden_size == target.config.hidden_size
    if str(case["draft_window"]) == "std":
        window = target.config.sliding_window
        drafter.model.create_attention_masks = standard_masks(window, position)
    token, hidden = int(case["draft_token"]), target.final_norm[:, -1:]
    for step in range(int(case["draft_steps"])):
        token, hidden = drafter.step(step, token, hidden, target, position)
    return drafter.taps
