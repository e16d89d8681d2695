import gc
import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = "1"  # a model that is not there is missed at once

# They take half of the time, and each goes whole to one process: begun last, one would end long after the others.
LONGEST = (
    "cli/test_main.py",
    "test_first_hour.py",
    "reports/test_first_reports.py",
    "test_examples.py",
    "runs/test_ray_cluster.py",
    "cli/test_table_verbs.py",
    "mixing/test_proposal.py",
)


# Imported modules are never garbage: no collector while they load, and frozen after.
gc.disable()


def pytest_collection_finish() -> None:
    gc.enable()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.path.as_posix().endswith(LONGEST))


@pytest.fixture(scope="session")
def random_model(tmp_path_factory) -> Path:
    """A folder with an untrained model of the nano architecture, smaller still, and its processor."""
    import torch

    from modomodo.models.nano.model import make_model, make_processor, make_tokenizer
    from modomodo.models.nano.samples import corpus

    folder = tmp_path_factory.mktemp("random-model")
    torch.manual_seed(0)
    tokenizer = make_tokenizer(corpus(0, 200), vocab_size=600)
    make_model(tokenizer, width=32, layers=1).save_pretrained(folder)
    make_processor(tokenizer).save_pretrained(folder)
    return folder
