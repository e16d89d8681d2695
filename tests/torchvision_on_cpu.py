"""Lets PyPI's torchvision, built for CUDA, be imported beside a torch for CPUs.

Its compiled half does not load there, and its import asks for two operators of that half. They are declared, so that
it comes up; whoever calls one is told that it has no implementation. Python reads this file at its start by the .pth
file that `make vllm-env` and `make verl-env` copy, and nothing happens until torchvision is imported.
"""

import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path


class Torchvision:
    """Finds torchvision, once, and declares what its import lacks."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != "torchvision":
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name)
        if spec is not None and spec.origin is not None:
            _declare(Path(spec.origin).parent)
        return spec


def _declare(folder: Path) -> None:
    import torch

    try:
        for library in folder.glob("_C*.so"):
            torch.ops.load_library(library)
    except OSError:
        Torchvision.library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            Torchvision.library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


sys.meta_path.insert(0, Torchvision())
