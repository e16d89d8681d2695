"""torchvision beside a CPU build of torch, in every process of a Ray cluster: its import asks for two operators.

Python imports this file at its start where the folder is on PYTHONPATH; torch waits until torchvision is wanted.
"""

import sys


class _BeforeTorchvision:
    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            sys.meta_path.remove(self)
            import torch

            if not torch.cuda.is_available():
                sys.torchvision_operators = library = torch.library.Library("torchvision", "DEF")
                for operator in ("nms", "qnms"):
                    library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


sys.meta_path.insert(0, _BeforeTorchvision())
