"""Your own GRPOTrainer script on a mixture of domains: the schedule, the rewards and the per-domain log of modomodo.

The lines marked `# +` are all that a plain TRL script needs. Run it: python examples/own_trl_script.py OUT [STEPS]
"""

import sys
from pathlib import Path

from transformers import AutoModelForImageTextToText, AutoProcessor
from trl import GRPOConfig, GRPOTrainer

from modomodo import Mixture, find_domain, schedule  # +
from modomodo.models import CHECKPOINT
from modomodo.training import RewardFunctions, RowTable, StepLog, schedule_dataset  # +

out, steps = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20
model = AutoModelForImageTextToText.from_pretrained(CHECKPOINT)
processor = AutoProcessor.from_pretrained(CHECKPOINT, padding_side="left")

mixture = Mixture.of({"spatial": 0.7, "science": 0.3})  # +
rewards = RewardFunctions(RowTable.load({name: find_domain(name) for name in mixture.domains}), generations=4)  # +
plan = schedule(mixture, rewards.table.pools, steps=steps, prompts_per_step=4, seed=0)  # +

trainer = GRPOTrainer(
    model=model,
    processing_class=processor,
    reward_funcs=rewards.functions,  # +
    train_dataset=schedule_dataset(plan, rewards.table),  # +
    callbacks=[StepLog(rewards, out, requested=mixture.as_dict())],  # +
    args=GRPOConfig(
        output_dir=str(out / "checkpoints"),
        shuffle_dataset=False,  # +
        reward_weights=rewards.weights,  # +
        loss_type="grpo",
        per_device_train_batch_size=16,
        num_generations=4,
        max_completion_length=48,
        learning_rate=1e-4,
        max_steps=steps,
        bf16=False,
        activation_checkpointing=False,
        report_to=[],
        use_cpu=True,
    ),
)
trainer.train()
print(f"what each step did to each domain: {out / 'steps.jsonl'}")
