"""torchvision beside a CPU build of torch: its compiled half does not load, and its import asks for two operators.

Python imports this file at its start where the folder is on PYTHONPATH.
"""

import sys

try:
    import torchvision  # noqa: F401
except ImportError:
    pass
except RuntimeError:
    import torch

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
