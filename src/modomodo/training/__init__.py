"""Training: by TRL on one machine, or by verl on a Ray cluster; and what a script of one's own takes from it."""

from typing import TYPE_CHECKING

from modomodo.core.later import later

if TYPE_CHECKING:
    from modomodo.training.rewards import RewardFunctions as RewardFunctions
    from modomodo.training.row_table import RowTable as RowTable
    from modomodo.training.step_log import DomainStep as DomainStep
    from modomodo.training.step_log import Step as Step
    from modomodo.training.step_log import read_steps as read_steps
    from modomodo.training.trl import StepLog as StepLog
    from modomodo.training.trl import schedule_dataset as schedule_dataset
    from modomodo.training.trl import train as train

__getattr__ = later(
    __name__,
    {
        "rewards": "RewardFunctions",
        "row_table": "RowTable",
        "step_log": "DomainStep Step read_steps",
        "trl": "StepLog schedule_dataset train",
    },
)
