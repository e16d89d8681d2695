from pathlib import Path

import pytest

from modomodo.config.recipe import Recipe, load_recipe
from modomodo.config.sections import Launcher
from modomodo.config.study import Study, load_study
from modomodo.config.table_settings import Fitting
from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.core.toml import parse, with_changes

TABLE = {"domains": ["detect", "refer", "science"]}
NANO = Path(__file__).parents[2] / "src/modomodo/models/nano/control"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stepz": 3}, "unknown key 'stepz'; did you mean steps"),
        ({"rewards": {"acuracy": 1}}, "unknown key 'rewards.acuracy'; did you mean accuracy"),
        ({"view": {"fram": "unit"}}, "unknown key 'view.fram'; did you mean frame"),
        ({"steps": "many"}, "steps: write a whole number, 0 or more .*found 'many'"),
        ({"learning_rate": 0}, "learning_rate: write a number, greater than 0 .*found 0"),
        ({"domains": ["a", "a"]}, "name each domain once in domains"),
        ({"mixture": {"detect": 0.5, "refer": 0.4}}, "weights sum to 0.9"),
        ({"mixture": "single:refers"}, "did you mean refer"),
        ({"mixture": {"detec": 1.0}}, "did you mean detect"),
        ({"completions_per_pass": 10}, "does not divide the 64 completions"),
        ({"view": {"frame": "px"}}, "view.frame: .*found 'px'"),
    ],
)
def test_a_wrong_recipe_is_refused_in_plain_words(change, message):
    with pytest.raises(ModomodoError, match=message):
        parse(Recipe, {**TABLE, **change}, where="r.toml")


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        (
            Fitting,
            "caps.spatial=0.2",
            "caps.spatial: write a table with the keys min, max, such as caps.spatial.min=0.2 or ",
        ),
        (Fitting, "direction=up", 'write "higher" or "lower", or a table with "higher" or "lower" for each name'),
        (Fitting, "direction.a=up", 'direction.a: write "higher" or "lower" (found'),
        (Fitting, "trade_off=a", "trade_off: write a list of 2, each a string (found 'a')"),
        (Fitting, "batch=0", "batch: write a whole number, 1 or more, at most 64 (found 0)"),
        (Recipe, "mixture=3", "mixture: write a string, or a table with a number for each name (found 3)"),
        (Recipe, "mixture.spatial=x", "mixture.spatial: write a number (found 'x')"),
        (Recipe, "domains=spatial", 'such as domains=["spatial"] (found'),
        (Recipe, "vllm=colocate", 'such as vllm.mode="colocate" or'),
        (Recipe, "lora=true", "lora: write a table with the keys rank, alpha, dropout (found True)"),
        (Recipe, "view=3", "view: write a table with the keys frame, "),
        (Recipe, "data.q.images=photo", 'such as data.q.images=["photo"]'),
        (Recipe, "data.q.options=3", "data.q.options: write a string, or a list, each a string (found 3)"),
        (
            Recipe,
            "data.q.where={a=3}",
            "data.q.where.a: write a list, each a string, or a whole number, or a number, or true",
        ),
        (Study, "name=a b", "name: use at most 64 letters, digits, _, . and -"),
        (Study, "extra=[3]", "extra.0: write a table with a number for each name (found 3)"),
    ],
)
def test_what_may_stand_there_is_said_once_without_the_words_of_pydantic(kind, change, message):
    base = {"name": "s", "recipe": TABLE, "benchmarks": ["charts"]} if kind is Study else {}
    table = with_changes({**TABLE} if kind is Recipe else base, [change])
    with pytest.raises(ModomodoError) as error:
        parse(kind, table, where="r.toml", sets=[change])
    said = str(error.value)
    assert message in said
    assert not any(word in said for word in ("Input should", "valid", "instance", "literal[", "dict[", "\n"))


def test_the_error_names_the_file_and_all_problems():
    with pytest.raises(ModomodoError) as error:
        parse(Recipe, {"stepz": 1}, where="r.toml")
    assert str(error.value).startswith("r.toml: ")
    assert "'domains' is missing" in str(error.value)
    assert "stepz" in str(error.value)


# A value of each field other than its default, at which the recipe stays a whole one.
OTHER = {
    "model": "nano-2",
    "revision": "main",
    "family": "qwen2_5_vl",
    "engine": "verl",
    "mixture": "single:refer",
    "seed": 1,
    "steps": 61,
    "prompts_per_step": 9,
    "num_generations": 9,
    "order": "iid",
    "epochs": 2,
    "learning_rate": 2e-6,
    "warmup": 0.1,
    "decay": "cosine",
    "kl": 0.04,
    "max_grad_norm": 0.5,
    "temperature": 0.9,
    "max_completion_length": 128,
    "completions_per_pass": 8,
    "rewards": {"accuracy": 3.0},
    "freeze_vision": False,
    "freeze_projector": True,
    "lora": {"rank": 8},
    "min_pixels": 3136,
    "max_pixels": 12544,
    "vllm": {"mode": "colocate"},
    "precision": "bfloat16",
    "gradient_checkpointing": True,
    "view": {"frame": "unit"},
    "evaluation": {"items": 7},
}
# How a run is carried out, and where its rows lie: their digests are in the key as well.
EFFORT = {
    "image_cache": False,
    "save_every": 7,
    "tracker": "wandb",
    "verl": {"nodes": 2},
    "data": {"mine": {"path": "mine.jsonl", "verifier": "choice"}},
    "prepared": "sets",
    "exclude": "excluded.jsonl",
}
OF_QWEN = ("min_pixels", "max_pixels")  # refused for other families


@pytest.mark.parametrize("name", Recipe.model_fields)
def test_identity_changes_with_everything_that_determines_the_run_and_with_nothing_else(name):
    if name == "domains":  # the mixture names them, in any order
        changed = {"domains": TABLE["domains"][::-1]}
        assert parse(Recipe, {**TABLE, **changed}, where="").identity() == parse(Recipe, TABLE, where="").identity()
        return
    table = {**TABLE, "family": "qwen2_5_vl"} if name in OF_QWEN else TABLE
    recipe = parse(Recipe, table, where="")
    changed = parse(Recipe, {**table, name: {**EFFORT, **OTHER}[name]}, where="")
    assert getattr(changed, name) != getattr(recipe, name)
    assert (changed.identity() == recipe.identity()) == (name in EFFORT)


def test_runs_that_vllm_does_not_score_keep_the_keys_that_they_had():
    plain = parse(Recipe, TABLE, where="").identity()
    by_vllm = parse(Recipe, {**TABLE, "evaluation": {"engine": "vllm"}}, where="").identity()
    assert "engine" not in plain["evaluation"]
    assert by_vllm["evaluation"] == {**plain["evaluation"], "engine": "vllm"}


def test_identity_knows_a_mixture_whatever_it_is_written_as():
    written = {**TABLE, "mixture": dict.fromkeys(TABLE["domains"], 1 / 3)}
    assert parse(Recipe, written, where="").identity() == parse(Recipe, TABLE, where="").identity()


def test_set_changes_dotted_keys_and_reads_toml_values(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text('domains = ["detect", "refer"]\n')
    recipe = load_recipe(path, ["steps=3", "rewards.format=0.5", "mixture=single:refer", 'view.frame="unit"'])
    assert (recipe.steps, recipe.rewards.format, recipe.view.frame) == (3, 0.5, "unit")
    assert recipe.mixture == Mixture.single("refer", ["detect", "refer"])
    for wrong in ("steps", "=3", "steps.more=1"):
        with pytest.raises(ModomodoError, match=r"--set|table"):
            load_recipe(path, ["steps=3", wrong])


def test_paths_of_data_are_short_unless_a_link_leads_elsewhere(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "away" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "away" / "deep")
    for folder, expected in (("out", tmp_path / "rows.jsonl"), ("link", tmp_path / "link" / ".." / "rows.jsonl")):
        file = tmp_path / folder / "r.toml"
        file.write_text('domains = ["mine"]\n[data.mine]\npath = "../rows.jsonl"\nverifier = "text"\n')
        assert load_recipe(file).data["mine"].path == expected


def test_a_missing_or_broken_file_says_so(tmp_path):
    (tmp_path / "study.toml").write_text("name = ")
    with pytest.raises(ModomodoError, match=r"did you mean study\.toml"):
        load_recipe(tmp_path / "studdy.toml")
    with pytest.raises(ModomodoError, match="cannot be read as TOML"):
        load_study(tmp_path / "study.toml")


def test_the_embedded_study_loads_with_its_recipe():
    study = load_study(NANO / "study.toml", ["recipe.steps=2"])
    assert study.recipe.steps == 2
    assert study.recipe.model == "nano"


def test_a_study_refuses_what_it_decides_for_each_run_and_its_recipe_serves_alone():
    for change in ("recipe.seed=3", "recipe.mixture=equal", "recipe.evaluation.items=5"):
        with pytest.raises(ModomodoError, match=r"gives each of its runs its own .*: leave it out"):
            load_study(NANO / "study.toml", [change])
    alone = load_recipe(NANO / "study.toml", ["seed=3"])
    assert alone.seed == 3
    assert alone == load_recipe(NANO / "recipe.toml", ["seed=3"])


def test_pilots_are_paired_and_confirmation_uses_other_seeds():
    study = load_study(NANO / "study.toml")
    mixtures = [Mixture.single(name, study.recipe.domains) for name in study.recipe.domains]
    assert len({study.pilot_recipe(mixture).seed for mixture in mixtures}) == 1
    seeds = {study.pilot_recipe(mixtures[0], replicate=index).seed for index in range(4)}
    fresh = {study.confirming_recipe(mixtures[0], index=index).seed for index in range(4)}
    assert len(seeds | fresh) == 8


def test_a_held_out_benchmark_cannot_also_choose():
    table = {"name": "s", "recipe": TABLE, "benchmarks": ["charts"], "held_out": ["charts"]}
    with pytest.raises(ModomodoError, match="charts is held out"):
        parse(Study, table, where="s.toml")


@pytest.mark.parametrize(
    ("launcher", "message"),
    [
        ({"kind": "slurm"}, '"local" or "ray"'),
        ({"concurrent": 2}, 'concurrent belongs to the launcher "ray"'),
        ({"kind": "ray", "cpus": 0}, "greater than 0"),
        ({"kind": "ray", "storage": "s3:/bucket/study"}, "write a folder, or a URL"),
    ],
)
def test_a_launcher_says_what_it_takes(launcher, message):
    with pytest.raises(ModomodoError, match=message):
        parse(Launcher, launcher, where="test")
    assert parse(Launcher, Launcher().model_dump(), where="test") == Launcher()


def test_a_run_of_verl_takes_its_cluster_alone():
    table = {"name": "s", "benchmarks": ["charts"], "recipe": {"domains": ["spatial"], "engine": "verl"}}
    with pytest.raises(ModomodoError, match="takes its whole Ray cluster"):
        parse(Study, {**table, "launcher": {"kind": "ray"}}, where="test")
    with pytest.raises(ModomodoError, match="takes its whole Ray cluster"):
        parse(Study, {**table, "processes": 2}, where="test")
    trl = {**table, "recipe": {"domains": ["spatial"]}}
    with pytest.raises(ModomodoError, match=r"launcher\.concurrent says how many"):
        parse(Study, {**trl, "processes": 2, "launcher": {"kind": "ray"}}, where="test")


def test_a_file_nested_too_deep_is_a_message(tmp_path):
    (tmp_path / "r.toml").write_text(f"domains = {'[' * 5000}{']' * 5000}")
    with pytest.raises(ModomodoError, match="nested too deep"):
        load_recipe(tmp_path / "r.toml")
