# SPDX-License-Identifier: Apache-2.0
"""No lazy xtensor expression with a name.

A lazy reduction that is broadcast (`auto mean = xt::mean(...)`, then `x / mean`) gives wrong
numbers in xtensor 0.24 and reads outside its buffer. An expression is returned, or assigned to a
Tensor, in the statement that makes it.
"""

import re

from cpp_source import code_only
from repository import Answer, Repository

# `auto` of what owns its values, or only points at them on purpose, is fine.
OWNED = r"linalg::|eval\b|adapt\b|zeros<|ones<|xtensor|xarray"
LAZY = re.compile(r"\bauto\s*&{0,2}\s*\w+\s*=\s*xt::(?!" + OWNED + r")(\w+)")


def lazy_names(text: str) -> list[tuple[int, str]]:
    code = code_only(text)
    return [(code.count("\n", 0, m.start()) + 1, m.group(1)) for m in LAZY.finditer(code)]


def check(repository: Repository) -> Answer:
    answer = Answer()
    for name in repository.cpp:
        for line, function in lazy_names(repository.text(name)):
            answer.problems.append(
                f"{name}:{line}: auto names a lazy xt::{function}; use Tensor<...>"
            )
    return answer


def self_test() -> None:
    assert lazy_names("const auto mean = xt::mean(x, {1}, xt::keep_dims);") == [(1, "mean")]
    assert lazy_names("auto y =\n    xt::exp(x);")
    assert not lazy_names("const auto y = xt::linalg::dot(a, b);")
    assert not lazy_names("Tensor<R> m = xt::mean(x, {1});  // auto m = xt::mean(x)")
