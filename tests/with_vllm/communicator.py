"""Stands in for NCCL between TRL and a vLLM server where no GPU is: the same tensors through a TCP store.

TRL's client refuses a trainer without CUDA (trl/generation/vllm_client.py, `init_communicator`), and vLLM's engine for
NCCL needs it as well. Names, requests, the reload of the weights and all the rest is theirs. A server takes it by
`--worker-extension-cls communicator.Extension --weight-transfer-config '{"backend": "store"}'`, a trainer by `trainer`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from vllm.distributed.utils import StatelessProcessGroup
from vllm.distributed.weight_transfer.factory import WeightTransferEngineFactory
from vllm.distributed.weight_transfer.nccl_engine import NCCLWeightTransferEngine


class StoreWeightTransferEngine(NCCLWeightTransferEngine):
    """vLLM's engine for NCCL, which receives through the store."""

    def init_transfer_engine(self, init_info: Any) -> None:
        rank = self.parallel_config.rank + init_info.rank_offset
        self.group = joined(init_info.master_address, init_info.master_port, rank, init_info.world_size)

    def receive_weights(self, update_info: Any) -> None:
        for name in update_info.names:
            self.model.load_weights([(name, self.group.broadcast_obj(None, src=0))])

    def finish_weight_update(self) -> None:
        super().finish_weight_update()
        # On a CPU, a head that shares the weight of the embedding keeps the packed copy of the first one.
        head = self.model.language_model.lm_head
        head.quant_method.process_weights_after_loading(head)


WeightTransferEngineFactory.register_engine("store", StoreWeightTransferEngine)


class Extension:
    """Nothing: a worker that looks for it imports this module."""


@dataclass
class Endpoint:
    """What TRL keeps, and closes."""

    group: StatelessProcessGroup


def joined(host: str, port: int, rank: int, world: int) -> StatelessProcessGroup:
    return StatelessProcessGroup.create(host, port, rank, world)


def trainer() -> None:
    """Let TRL's client send through the store."""
    from trl.generation import vllm_client

    # "cuda" without an index is the current device, which it then leaves alone.
    connect = vllm_client.VLLMClient.init_communicator
    vllm_client.VLLMClient.init_communicator = lambda self, device=0: connect(self, device="cuda")
    vllm_client.open_trainer_endpoint = lambda info: Endpoint(
        joined(info["master_address"], info["master_port"], 0, info["world_size"])
    )
    vllm_client.packed_nccl_broadcast_producer = _send


def _send(*, iterator: Iterator[tuple[str, torch.Tensor]], group: Endpoint, **_: object) -> None:
    for _name, tensor in iterator:
        group.group.broadcast_obj(tensor.cpu().clone(), src=0)
