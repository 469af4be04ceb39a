#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How often `assay compare` names a mistake that was planted in Hugging Face transformers.

    python diagnosis_table.py --assay build/release/assay --golden golden
        [--sizes 31b,26b] [--bugs no_window,...] [--pairs 10 --seed 1]
        [--forms typical,blocks,logits] [--out rows.jsonl]

Runs every planted bug (`transformers_port.py --list-bugs`) on the prompt `text-long` of the five
tiny checkpoints in f32, keeps three choices of taps of each run, and has each diagnosed:

    typical   about twenty taps a layer
    blocks    the output of each layer, and the logits
    logits    the logits alone

`--pairs N` plants two of them at once instead, N times in each checkpoint, drawn by the seed.

Prints a table of outcomes by form and by size, then every run that was not named exactly. Needs
what transformers_port.py needs. Exit code 1 where a mistake got a wrong name.
"""

import argparse
import collections
import json
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from planting import SIZES

CASE = "text-long"
FORMS = {
    "typical": lambda tap: True,
    "blocks": lambda tap: tap == "text.logits" or is_block(tap),
    "logits": lambda tap: tap == "text.logits",
}
# What can become of a failing run; of several planted mistakes, of all together.
OUTCOMES = {
    "exact": "the planted mistake, alone",
    "set": "a set of mistakes that leave the same numbers there, the planted one among them",
    "with another": "the planted mistake, and another label beside it",
    "in part": "some of several planted mistakes, and no other",
    "unnamed": "no mistake",
    "wrong": "only other mistakes",
}
NAMED = ("exact", "set", "with another")


def is_block(tap):
    """text.layer.N.out"""
    words = tap.split(".")
    return len(words) == 4 and words[:2] == ["text", "layer"] and words[3] == "out"


def mistake(label):
    """M-03 of M-03:attn.q_norm."""
    return label.split(":")[0]


def outcome(planted, diagnosis):
    """Which of OUTCOMES the list `diagnosis` of a report is, for a set of planted mistakes."""
    if not diagnosis:
        return "unnamed"
    sets = [{mistake(d["label"])} | set(map(mistake, d.get("same_here", []))) for d in diagnosis]
    found = planted & set().union(*sets)
    if not found:
        return "wrong"
    if found != planted:
        return "in part" if all(names & planted for names in sets) else "wrong"
    if not all(names & planted for names in sets):
        return "with another"
    return "exact" if all(len(names) == 1 for names in sets) else "set"


@dataclass
class Run:
    """One dump and what was said of it."""

    size: str
    bug: str  # two have a plus between
    planted: str  # labels, with a blank between
    form: str
    verdict: str = ""
    outcome: str = ""  # "" where the run passes: the mistake does not show in these taps
    said: list = field(default_factory=list)


def of_report(run, report):
    """The run with the verdict and the outcome that a report.json holds."""
    result = report["cases"][0]
    diagnosis = result.get("diagnosis", [])
    run.verdict = result["verdict"]
    if run.verdict == "fail":
        run.outcome = outcome(set(run.planted.split()), diagnosis)
    run.said = [
        f"{d['label']} ({d['explains']} of {d['of']})"
        + (f" same here {' '.join(d['same_here'])}" if d.get("same_here") else "")
        for d in diagnosis
    ]
    note = result.get("profile_note", "")
    if note.startswith("this is "):
        run.said.append(note)
    return run


def table(runs):
    """Markdown: a row for each form and size, and one for each form over all sizes."""
    heads = ["form", "size", "fail", *OUTCOMES, "named"]
    lines = ["| " + " | ".join(heads) + " |", "| --- " * len(heads) + "|"]
    for form in FORMS:
        of_form = [run for run in runs if run.form == form and run.outcome]
        for size in [*SIZES, "all"]:
            some = [run for run in of_form if size in (run.size, "all")]
            if some:
                count = collections.Counter(run.outcome for run in some)
                named = sum(count[name] for name in NAMED) / len(some)
                cells = [form, size, len(some), *(count[name] for name in OUTCOMES)]
                lines.append("| " + " | ".join(map(str, cells)) + f" | {100 * named:.1f} % |")
    return "\n".join(lines)


def misses(runs):
    """A line for each failing run that was not named exactly, and for each that passes."""
    lines = []
    for run in runs:
        if run.outcome != "exact":
            what = run.outcome or run.verdict
            said = "; ".join(run.said) or "-"
            lines.append(f"{run.form} {run.size} {run.bug} {run.planted}: {what}: {said}")
    return lines


# ---- dumps --------------------------------------------------------------------------------------


def drawn(names, options):
    """What to plant in one checkpoint: each bug by itself, or pairs of them."""
    if not options.pairs:
        return [(name,) for name in names]
    draw = random.Random(options.seed)
    return [tuple(draw.sample(names, 2)) for _ in range(options.pairs)]


def shown(names, checkpoint, case_file):
    """The bugs that this checkpoint and case can show."""
    import torch

    import transformers_bugs as bugs
    import transformers_model as port

    case, loaded = port.read_case(case_file), port.load(checkpoint, torch.float32)
    some = []
    for name in names:
        try:
            bugs.find(name, loaded, case)
            some.append(name)
        except port.NotSupported:
            pass
    return some


def taps_of(checkpoint, case_file, names, scratch):
    """The typical taps of transformers with these bugs in it."""
    import torch

    import transformers_bugs as bugs
    import transformers_model as port
    import transformers_port
    from assay_dump import Dump

    case = port.read_case(case_file)
    loaded = port.load(checkpoint, torch.float32)
    first, *others = [bugs.find(name, loaded, case) for name in names]
    dump = Dump(scratch / "unused.safetensors")
    with torch.no_grad():
        undos = [other.plant(loaded) for other in reversed(others)]
        undo = transformers_port.record(loaded, dump, "typical", first)
        port.run(loaded, case, dump)
        for each in [undo, *reversed(undos)]:
            each()
    return dump.taps()


def write_forms(taps, forms, stem):
    """A dump for each form; returns their paths."""
    from assay_dump import Dump

    paths = {}
    for form in forms:
        paths[form] = Path(f"{stem}-{form}.safetensors")
        with Dump(paths[form]) as dump:
            for tap, array in taps.items():
                if FORMS[form](tap):
                    dump.add(tap, array)
    return paths


# ---- judging ------------------------------------------------------------------------------------


def judge(options, run, dump):
    """assay compare on one dump."""
    folder = dump.with_suffix(".report")
    command = [options.assay, "compare", str(case_file(options, run.size)), str(dump)]
    command += ["--precision", "f32", "--mode", "replay", "--report", str(folder)]
    command += ["--diagnosis", str(options.seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr}")
    return of_report(run, json.loads((folder / "report.json").read_text()))


def case_file(options, size):
    return Path(options.golden) / "cases" / f"{size}-tiny" / f"{CASE}.h5"


def measure(options, scratch):
    """Every run, judged; dumps are deleted as soon as they are."""
    import transformers_bugs as bugs

    names = options.bugs.split(",") if options.bugs else list(bugs.all_bugs())
    forms = options.forms.split(",")
    pending = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for size in options.sizes.split(","):
            checkpoint = Path(options.golden) / "checkpoints" / f"{size}-tiny"
            case = case_file(options, size)
            for some in drawn(shown(names, checkpoint, case), options):
                taps = taps_of(checkpoint, case, some, scratch)
                bug = "+".join(some)
                planted = " ".join(labels(bugs.all_bugs()[name]) for name in some)
                for form, dump in write_forms(taps, forms, scratch / f"{size}-{bug}").items():
                    run = Run(size, bug, planted, form)
                    pending.append(pool.submit(judge_and_delete, options, run, dump))
        return [each.result() for each in pending]


def labels(bug):
    """M-08 of a bug whose mistake is "M-08 in a single layer: its scalar is left out"."""
    return bug.mistake.split()[0].rstrip(":")


def judge_and_delete(options, run, dump):
    run = judge(options, run, dump)
    dump.unlink()
    if options.out:
        with open(options.out, "a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(run)) + "\n")
    return run


def parse(arguments):
    parser = argparse.ArgumentParser(description="confusion table of assay's diagnosis")
    parser.add_argument("--assay", default="build/release/assay")
    parser.add_argument("--golden", default="golden")
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--bugs", default="", help="names, with commas; default: all")
    parser.add_argument("--pairs", type=int, default=0, help="pairs of bugs for each checkpoint")
    parser.add_argument("--seed", type=int, default=1, help="which pairs")
    parser.add_argument("--forms", default=",".join(FORMS))
    parser.add_argument("--seconds", type=float, default=8, help="limit of each diagnosis")
    parser.add_argument("--jobs", type=int, default=2, help="dumps that are judged at a time")
    parser.add_argument("--out", help="a JSON line for each run, appended as it is judged")
    options = parser.parse_args(arguments)
    for given, known in ((options.sizes, SIZES), (options.forms, FORMS)):
        for word in given.split(","):
            if word not in known:
                parser.error(f"got {word}, expected some of {','.join(known)}")
    return options


def main(arguments=None):
    options = parse(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        runs = measure(options, Path(scratch))
    print(table(runs))
    print("\n".join(["", *misses(runs)]))
    return 1 if any(run.outcome == "wrong" for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
