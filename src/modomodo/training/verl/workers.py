"""Classes that verl builds in its own processes, by the names in options.py. The one module here that imports verl."""

import json
from pathlib import Path
from typing import Any

from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer  # pyright: ignore[reportMissingImports]
from verl.utils.dataset.rl_dataset import RLHFDataset  # pyright: ignore[reportMissingImports]

from modomodo.core.errors import ModomodoError
from modomodo.core.schedules import read_schedule
from modomodo.training.verl.data import places
from modomodo.training.verl.reward import STOPPED


class PlannedRows(RLHFDataset):
    """The prompts of a schedule in order: item k is the row of the schedule's entry k."""

    def _read_files_and_tokenize(self) -> None:
        super()._read_files_and_tokenize()
        self._plan = read_schedule(Path(self.config.schedule))
        columns = {name: self.dataframe[name] for name in ("data_source", "extra_info")}
        self._places = list(places(columns, self._plan))

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, item: int) -> dict[str, Any]:
        row = super().__getitem__(self._places[item])
        domain, row_id = self._plan.entries[item]
        key = {"domain": domain, "row_id": row_id, "position": item}
        row["reward_model"] = {**row["reward_model"], "ground_truth": json.dumps(key)}
        row["extra_info"] = {**row["extra_info"], "index": item, "position": item}
        row["index"] = item
        for message in row["raw_prompt"]:
            if not isinstance(message["content"], str):
                message["content"] = [_decoded(part) for part in message["content"]]
        return row

    @classmethod
    def _process_multi_modal_info(cls, messages: list[dict], image_patch_size: int, config: Any) -> tuple:
        # As they are: the model's own processor resizes them, once, as it does for TRL.
        parts = [part for message in messages if isinstance(message["content"], list) for part in message["content"]]
        return [part["image"] for part in parts if part["type"] == "image"] or None, None, None


class WholeSteps(ReplayBuffer):
    """Ends the run where a step lacks a completion: verl alone would put padding in its place and go on."""

    def sample(self, global_steps: int, partition_id: str, batch_size: int) -> tuple[Any, dict]:
        expected = batch_size * self.sampler_kwargs["generations"]
        try:
            batch, metrics = super().sample(global_steps, partition_id, batch_size)
        except RuntimeError as error:
            raise self._why(global_steps, expected) from error
        if len(batch.keys) != expected:
            raise self._why(global_steps, expected - len(batch.keys))
        return batch, metrics

    def _why(self, step: int, lost: int) -> ModomodoError:
        said = Path(self.sampler_kwargs["folder"]) / "verl" / STOPPED
        why = said.read_text() if said.exists() else "the logs of Ray's agent loop workers say why"
        return ModomodoError(f"step {step}: {lost} completions were lost; {why}")


def _decoded(part: dict[str, Any]) -> dict[str, Any]:
    return {"type": "image", "image": part["image"].convert("RGB")} if part["type"] == "image" else part
