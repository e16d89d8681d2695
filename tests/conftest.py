import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = "1"  # a model that is not there is missed at once


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
