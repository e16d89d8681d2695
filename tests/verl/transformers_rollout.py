"""A rollout of verl's that samples by `generate` of transformers, for machines where vLLM does not run.

Registered with verl under the name "transformers" by VERL_USE_EXTERNAL_MODULES; one server for each trainer's process,
which gets the weights after every update as verl's own servers do.
"""

import asyncio
import os
import re

import ray
import torch
from verl.workers.rollout.base import _ROLLOUT_REGISTRY, BaseRollout
from verl.workers.rollout.replica import RolloutReplica, RolloutReplicaRegistry, TokenOutput

GATHER = 0.2  # seconds that requests are collected before they are sampled as one batch
BATCH = 64


class Server:
    """Samples replies in batches of what was asked within GATHER seconds."""

    def __init__(self, path: str, seed: int, dtype: str, length: int):
        from transformers import AutoModelForImageTextToText, AutoProcessor

        torch.set_num_threads(1)
        self.processor = AutoProcessor.from_pretrained(path)
        self.model = AutoModelForImageTextToText.from_pretrained(path, dtype=getattr(torch, dtype)).eval()
        self.seed, self.length, self.step = seed, length, 0
        self.waiting: list[tuple[list[int], list, dict, asyncio.Future]] = []
        self.sampling = asyncio.Lock()

    async def ready(self) -> None:
        pass

    async def generate(self, prompt_ids, sampling_params, request_id, image_data=None, video_data=None) -> TokenOutput:
        future = asyncio.get_running_loop().create_future()
        self.waiting.append((list(prompt_ids), list(image_data or []), dict(sampling_params), future))
        await asyncio.sleep(GATHER)
        async with self.sampling:
            batch, self.waiting = self.waiting[:BATCH], self.waiting[BATCH:]
            if batch:
                replies = await asyncio.to_thread(self._sample, [asked[:3] for asked in batch])
                for (*_, waiting), (ids, logs) in zip(batch, replies, strict=True):
                    waiting.set_result(
                        TokenOutput(
                            token_ids=ids,
                            log_probs=logs,
                            stop_reason="completed",
                            extra_fields={"global_steps": self.step},
                        )
                    )
        return await future

    @torch.no_grad()
    def _sample(self, asked: list[tuple[list[int], list, dict]]) -> list[tuple[list[int], list[float]]]:
        longest = max(len(ids) for ids, _, _ in asked)
        pad = self.processor.tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (longest - len(prompt)) + prompt for prompt, _, _ in asked])
        mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt, _, _ in asked])
        inputs = {"input_ids": ids, "attention_mask": mask}
        pictures = [picture for _, images, _ in asked for picture in images]
        if pictures:
            inputs |= self.processor.image_processor(pictures, return_tensors="pt")
            inputs["mm_token_type_ids"] = (ids == self.model.config.image_token_id).int()
        options = asked[0][2]
        end = self.model.generation_config.eos_token_id
        out = self.model.generate(
            **inputs,
            do_sample=True,
            temperature=options["temperature"],
            top_k=0,
            top_p=1.0,
            max_new_tokens=self.length,
            output_scores=True,
            return_dict_in_generate=True,
        )
        drawn = out.sequences[:, longest:]
        logs = self.model.compute_transition_scores(out.sequences, out.scores, normalize_logits=True)
        found = []
        for tokens, values in zip(drawn.tolist(), logs.tolist(), strict=True):
            count = tokens.index(end) + 1 if end in tokens else len(tokens)
            found.append((tokens[:count], values[:count]))
        return found

    async def load(self, weights: dict[str, torch.Tensor], step: int | None) -> None:
        """Take the weights under the names of a saved checkpoint."""
        names = {saved_name(name): name for name in self.model.state_dict()}
        state = {names[saved_name(name)]: value for name, value in weights.items()}
        lost = self.model.load_state_dict(state, strict=False).missing_keys
        assert all("lm_head" in name for name in lost), lost
        self.step = step or 0
        torch.manual_seed(self.seed + 1000 * self.step)

    async def sleep(self) -> None:
        pass

    wake_up = clear_kv_cache = release_kv_cache = resume_kv_cache = resume_generation = sleep

    async def abort_all_requests(self, reject_request: bool = False) -> None:
        pass


def saved_name(name: str) -> str:
    """Return a name that a weight has in the live model and in the checkpoints of every version of transformers."""
    return re.sub(r"^(model\.)?(language_model\.)?(model\.)?", "", name)


class Replica(RolloutReplica):
    async def launch_servers(self) -> None:
        server = ray.remote(Server).options(name=server_name(self.replica_rank), max_concurrency=self.max_concurrency)
        path, config = self.model_config.path, self.config
        self._server_handle = server.remote(path, config.seed + self.replica_rank, config.dtype, config.response_length)
        self._server_address = server_name(self.replica_rank)
        self.servers = [self._server_handle]
        await self._server_handle.ready.remote()


class Adapter(BaseRollout):
    """In the trainer's process: hands the weights to the server."""

    def __init__(self, config, model_config, device_mesh, replica_rank: int = -1):
        super().__init__(config, model_config, device_mesh)
        self.name = server_name(int(os.environ["RANK"]) if replica_rank < 0 else replica_rank)

    async def update_weights(self, weights, wire_format: str = "named_tensors", *, global_steps=None, **_) -> None:
        held = {name: value.detach().cpu().clone() for name, value in weights}
        await ray.get_actor(self.name).load.remote(held, global_steps)

    async def resume(self, tags: list[str]) -> None:
        pass

    async def release(self) -> None:
        pass


def server_name(rank: int) -> str:
    return f"transformers_server_{rank}"


_ROLLOUT_REGISTRY["transformers", "async"] = f"{__name__}.Adapter"
RolloutReplicaRegistry.register("transformers", lambda: Replica)
