# SPDX-License-Identifier: Apache-2.0
"""No lazy xtensor expression with a name: it is returned, or assigned to a Tensor, where it is made.

A lazy reduction that is broadcast (`auto mean = xt::mean(...)`, then `x / mean`) gives wrong
numbers in xtensor 0.24 and reads outside its buffer.
"""

import re

from repository import Answer, Repository, line_of

# `auto` of what owns its values, or only points at them on purpose, is fine.
OWNED = r"linalg::|eval\b|adapt\b|zeros<|ones<|xtensor|xarray"
LAZY = re.compile(r"^(?!.*//.*auto).*\bauto\s*&{0,2}\s*\w+\s*=\s*xt::(?!" + OWNED + r")(\w+)", re.M)


def lazy_names(text: str) -> list[tuple[int, str]]:
    return [(line_of(text, m.start()), m[1]) for m in LAZY.finditer(text)]


def check(repository: Repository) -> Answer:
    return Answer(
        [
            f"{name}:{line}: auto names a lazy xt::{function}, expected a Tensor<...>"
            for name in repository.cpp
            if "xt::" in repository.text(name)
            for line, function in lazy_names(repository.text(name))
        ]
    )


def self_test() -> None:
    assert lazy_names("const auto mean = xt::mean(x, {1}, xt::keep_dims);") == [(1, "mean")]
    assert lazy_names("int x;\n  auto y =\n    xt::exp(x);") == [(2, "exp")]
    assert not lazy_names("const auto y = xt::linalg::dot(a, b);")
    assert not lazy_names("Tensor<R> m = xt::mean(x, {1});  // auto m = xt::mean(x)")
