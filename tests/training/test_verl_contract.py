"""What both engines share: equal completions earn equal rewards, equal schedules give equal rows in the same order."""

import io
import json
from dataclasses import replace
from zipfile import ZipFile

import pytest
import verl_recipes as of
from PIL import Image

from modomodo.config.sections import Rewards
from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Resize, Row, Target, View
from modomodo.core.schedules import Schedule
from modomodo.data.registry import DOMAINS
from modomodo.training.rewards import RewardFunctions
from modomodo.training.row_table import RowTable
from modomodo.training.step_log import DomainStep, Step, append_step, read_steps
from modomodo.training.trackers import step_values
from modomodo.training.verl import data, reward
from modomodo.training.verl.rollouts import Reader, cut_back, dumped, read_step, take_in

WEIGHTS = Rewards(accuracy=1.5, format=0.25)
VIEWS = (View(), View(mode="standard"), View(frame="normalised1000"), View(frame="unit"))


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch):
    found = of.domains()
    for name, one in found.items():
        monkeypatch.setitem(DOMAINS, name, one)
    reward.rewards_of.cache_clear()
    yield found
    reward.rewards_of.cache_clear()


def plan_of(*names: str, per_step: int = 2) -> Schedule:
    rows = of.domains()
    return Schedule(tuple((name, row.id) for name in names for row in rows[name].load("train")), per_step)


def scores(folder, plan: Schedule, replies) -> list[dict[str, float]]:
    return [
        reward.compute_score(plan.entries[place][0], reply, of.gold_of(plan, place), {}, folder=str(folder))
        for place in range(len(plan.entries))
        for reply in replies
    ]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: f"{view.frame}-{view.mode}")
def test_equal_completions_earn_equal_rewards_under_both_engines(tmp_path, known, view: View):
    names = ["choice", "box", "own", "broken"]
    recipe = of.recipe(domains=names, rewards=WEIGHTS.model_dump(), view=view)
    plan = plan_of(*names)
    found = scores(of.run_folder(tmp_path, recipe, plan), plan, of.REPLIES)
    rewards = RewardFunctions(RowTable.load(known, view=view), generations=len(of.REPLIES), weights=WEIGHTS)
    replies = [reply for _ in plan.entries for reply in of.REPLIES]
    columns = [entry for entry in plan.entries for _ in of.REPLIES]
    domain, row_id = zip(*columns, strict=True)
    accuracy = rewards.accuracy(replies, domain=domain, row_id=row_id)
    form = rewards.format(replies, domain=domain, row_id=row_id)
    # Of a trainer of TRL: the weighted sum over the rewards that are not None.
    summed = [
        None if a is None else WEIGHTS.accuracy * a + WEIGHTS.format * f for a, f in zip(accuracy, form, strict=True)
    ]
    assert [one["score"] for one in found] == [one or 0.0 for one in summed]
    assert [one["ungradable"] for one in found] == [float(one is None) for one in summed]
    assert [one["accuracy"] for one in found] == [one or 0.0 for one in accuracy]
    seen = {item.verdict.status for item in rewards.graded}
    assert seen >= {"right", "wrong", "partial", "unparsed", "ungradable"}
    assert len({frozenset(one) for one in found}) == 1, "every domain has the same keys"


def test_ungradable_replies_are_kept_and_end_the_run_at_one_in_a_hundred(tmp_path, known):
    plan = plan_of("broken", "choice")
    folder = of.run_folder(tmp_path, of.recipe(domains=["broken", "choice"]), plan)
    with pytest.raises(ModomodoError, match="200 of the last 200 verdicts are ungradable"):
        scores(folder, plan, ["<think>x</think><answer>A</answer>"] * 60)
    kept = [json.loads(line) for line in (folder / "ungradable.jsonl").read_text().splitlines()]
    assert len(kept) == 200
    assert "verifier fell over" in kept[0]["reason"]
    assert "200 verdicts" in (folder / "verl" / reward.STOPPED).read_text()


def test_the_rewards_of_a_resumed_run_go_on_from_its_steps(tmp_path, known):
    plan = plan_of("broken")
    folder = of.run_folder(tmp_path, of.recipe(domains=["broken"]), plan)
    done = DomainStep(1, 199, 0, 0.0, 0.0, 0.0, 0.0, ungradable=199, zero_advantage=1.0)
    append_step(folder, Step(1, 1.0, {}, {"broken": done}))
    with pytest.raises(ModomodoError, match="200 of the last 200"):
        scores(folder, plan, ["x"])


def dump(folder, plan: Schedule, step: int, *, generations: int = 2, pad: int = 0) -> list[str]:
    """Write a step's dump, prompts out of order as verl sorts them by random ids; return its completions."""
    path = folder / "verl" / "rollouts" / f"{step}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    first = (step - 1) * plan.prompts_per_step
    lines, texts = [], []
    for place in reversed(range(first, first + plan.prompts_per_step)):
        for number in range(generations):
            reply = of.REPLIES[(place + number) % len(of.REPLIES)] + "\u2028"
            score = reward.compute_score(plan.entries[place][0], reply, of.gold_of(plan, place), folder=str(folder))
            gold = of.gold_of(plan, place)
            one = {"input": "?", "output": reply, "gts": gold, "score": score["score"], "step": step}
            lines.append({**one, "uid": f"u{place}_{number}_0"})
            texts.append(reply)
    lines += [{**lines[0], "output": "", "score": 0.0, "uid": f"pad1_{number}_0"} for number in range(pad)]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    return texts


def reader(folder, plan: Schedule, known) -> Reader:
    rewards = RewardFunctions(RowTable.load({name: known[name] for name in plan.counts()}), generations=2)
    return Reader(
        folder, plan, rewards, 2, lambda texts: [len(text) for text in texts], requested={"own": 0.5, "choice": 0.5}
    )


def test_dumps_become_the_files_that_a_run_of_trl_has(tmp_path, known, capsys):
    plan = plan_of("choice", "own", "broken")
    folder = of.run_folder(tmp_path, of.recipe(domains=["choice", "own", "broken"]), plan)
    one = reader(folder, plan, known)
    texts = [dump(folder, plan, step, pad=step) for step in range(1, 7)]
    metrics = folder / "verl" / "metrics-0.jsonl"
    metrics.write_text("".join(json.dumps({"step": s, "data": {"timing_s/step": s / 2}}) + "\n" for s in range(1, 5)))
    assert take_in(one, last=False) == 4, "verl's own numbers of step 5 are not there yet"
    assert take_in(one, last=True) == 6
    lines = [json.loads(line) for line in (folder / "steps.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert [line["seconds"] for line in lines] == [0.5, 1.0, 1.5, 2.0, 0.0, 0.0]
    assert [list(line["domains"]) for line in lines] == [["choice"]] * 2 + [["own"]] * 2 + [["broken"]] * 2
    first = lines[0]["domains"]["choice"]
    assert (first["prompts"], first["completions"], first["tokens"]) == (2, 4, sum(map(len, texts[0])))
    assert lines[4]["domains"]["broken"]["ungradable"] == 4
    samples = [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]
    assert (samples[0]["row_id"], samples[0]["completion"]) == ("c0", of.REPLIES[0] + "\u2028")
    asked = known["choice"].load("train")[0]
    assert (samples[0]["question"], samples[0]["gold"]) == (asked.question, asked.target.value)
    assert len((folder / "trainer.jsonl").read_text().splitlines()) == 4
    assert "earn another reward" not in capsys.readouterr().out


def test_a_tracker_gets_the_names_that_it_gets_of_trl(tmp_path, known):
    class Kept(dict):
        def log(self, step, values):
            assert step not in self
            self[step] = values

    plan = plan_of("choice", "own")
    folder = of.run_folder(tmp_path, of.recipe(domains=["choice", "own"]), plan)
    kept = Kept()
    for step in (1, 2, 3, 4):
        dump(folder, plan, step)
    (folder / "verl" / "metrics-0.jsonl").write_text('{"step": 2, "data": {"timing_s/step": 4.0, "actor/loss": 0.5}}\n')
    take_in(replace(reader(folder, plan, known), tracker=kept), last=True)
    own = {"trainer/timing_s/step": 4.0, "trainer/actor/loss": 0.5}
    assert kept == {step.step: {**step_values(step), **(own if step.step == 2 else {})} for step in read_steps(folder)}
    assert {"reward/choice", "format/choice", "requested/own", "seconds"} <= set(kept[2])


def test_a_dump_that_a_kill_cut_is_not_read_and_the_steps_after_a_checkpoint_are_read_again(tmp_path, known):
    plan = plan_of("choice", "own")
    folder = of.run_folder(tmp_path, of.recipe(domains=["choice", "own"]), plan)
    one = reader(folder, plan, known)
    for step in (1, 2, 3):
        dump(folder, plan, step)
    cut = folder / "verl" / "rollouts" / "3.jsonl"
    cut.write_text(cut.read_text()[:-5])
    assert take_in(one, last=True) == 2
    (folder / "steps.jsonl").open("a").write('{"step": 3, "dom')
    (folder / "verl" / "metrics-0.jsonl").write_text("".join(f'{{"step": {n}, "data": {{}}}}\n' for n in (1, 2)))
    assert [step.step for step in cut_back(folder, 1)] == [1]
    assert (folder / "verl" / "metrics-0.jsonl").read_text().count("step") == 1  # those of a lost attempt are not ours
    assert sorted(path.name for path in cut.parent.iterdir()) == ["1.jsonl"]
    for step in (2, 3, 4):
        dump(folder, plan, step)
    assert take_in(one, last=True) == 4
    lines = [json.loads(line)["step"] for line in (folder / "steps.jsonl").read_text().splitlines()]
    assert lines == [1, 2, 3, 4]


def test_a_dump_cut_in_a_character_is_not_read_and_can_be_gone_on_from(tmp_path, known):
    plan = plan_of("choice", "own")
    folder = of.run_folder(tmp_path, of.recipe(domains=["choice", "own"]), plan)
    one = reader(folder, plan, known)
    for step in (1, 2):
        dump(folder, plan, step)
    path = folder / "verl" / "rollouts" / "2.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + '{"output": "中'.encode()[:-1])
    assert dumped(one) == 2
    path.write_bytes(whole.rstrip()[:-3] + "中".encode()[:1])
    assert dumped(one) == 1
    (path.parent / "notes.jsonl").write_text("of somebody")
    assert cut_back(folder, 1) == []
    assert not path.exists()


def test_a_kill_between_two_logs_leaves_no_step_twice(tmp_path, known):
    plan = plan_of("choice", "own")
    folder = of.run_folder(tmp_path, of.recipe(domains=["choice", "own"]), plan)
    one = reader(folder, plan, known)
    for step in (1, 2):
        dump(folder, plan, step)
    assert take_in(one, last=True) == 2
    path = folder / "steps.jsonl"
    path.write_text(path.read_text().splitlines(keepends=True)[0])  # samples.jsonl has step 2 already
    assert [step.step for step in cut_back(folder, 2)] == [1]
    assert take_in(one, last=True) == 2
    steps = {
        name: [json.loads(line)["step"] for line in (folder / name).read_text().splitlines()]
        for name in ("steps.jsonl", "samples.jsonl")
    }
    assert steps == {"steps.jsonl": [1, 2], "samples.jsonl": [1, 2]}


def test_a_dump_with_a_prompt_too_often_and_another_too_rarely_is_not_whole(tmp_path, known):
    plan = plan_of("choice")
    folder = of.run_folder(tmp_path, of.recipe(domains=["choice"]), plan)
    dump(folder, plan, 1)
    path = folder / "verl" / "rollouts" / "1.jsonl"
    _, *rest = path.read_text().split("\n")
    path.write_text("\n".join([rest[-2], *rest]))
    assert path.read_text().count("\n") == 4
    assert read_step(reader(folder, plan, known), 1) is None


def test_a_run_goes_on_from_a_whole_checkpoint_whose_steps_are_all_dumped(tmp_path, known):
    from modomodo.training.checkpoints import last_step_of_verl

    plan = plan_of("choice", "own")
    folder = of.run_folder(tmp_path, of.recipe(domains=["choice", "own"]), plan)
    one = reader(folder, plan, known)
    for step in (1, 2, 3):
        dump(folder, plan, step)
    assert take_in(one, last=True) == 3
    dump(folder, plan, 4)
    places = folder / "checkpoints"
    assert last_step_of_verl(places, until=dumped(one)) == 0
    for step in (2, 3, 4):
        (places / f"global_step_{step}" / "actor").mkdir(parents=True)
        with ZipFile(places / f"global_step_{step}" / "data.pt", "w") as file:
            file.writestr("data", "position")
    assert last_step_of_verl(places, until=dumped(one)) == 4
    whole = (places / "global_step_4" / "data.pt").read_bytes()
    (places / "global_step_4" / "data.pt").write_bytes(whole[:-10])
    assert last_step_of_verl(places, until=dumped(one)) == 3, "a kill while it was written"
    (places / "global_step_4" / "data.pt").write_bytes(whole)
    (folder / "verl" / "rollouts" / "4.jsonl").unlink()
    assert last_step_of_verl(places, until=dumped(one)) == 3, "a kill between the checkpoint and the dump of its step"


def test_a_dump_of_another_schedule_is_an_error(tmp_path, known):
    plan = plan_of("choice", "own")
    folder = of.run_folder(tmp_path, of.recipe(domains=["choice", "own"]), plan)
    dump(folder, plan, 2)
    (folder / "verl" / "rollouts" / "2.jsonl").rename(folder / "verl" / "rollouts" / "1.jsonl")
    with pytest.raises(ModomodoError, match="not the schedule's"):
        read_step(reader(folder, plan, known), 1)


def test_a_reward_that_is_not_the_one_trained_on_is_said(tmp_path, known, capsys):
    plan = plan_of("choice")
    folder = of.run_folder(tmp_path, of.recipe(domains=["choice"]), plan)
    dump(folder, plan, 1)
    path = folder / "verl" / "rollouts" / "1.jsonl"
    line, *rest = path.read_text().split("\n")
    path.write_text("\n".join([json.dumps({**json.loads(line), "score": 9.0}), *rest]))
    take_in(reader(folder, plan, known), last=True)
    assert "step 1: 1 completions earn another reward" in capsys.readouterr().out


def test_the_parquet_file_has_each_row_once_and_reads_as_the_rows_of_trl_in_the_same_order(tmp_path, random_model):
    pq = pytest.importorskip("pyarrow.parquet")
    datasets = pytest.importorskip("modomodo.training.trl", reason="TRL is not installed")
    from modomodo.models.load import load_processor
    from modomodo.runs.inputs import make_schedule

    recipe = of.recipe(domains=["spatial", "science"], steps=12, epochs=2, view=View(resize=Resize(28, 784, 10**6)))
    plan = make_schedule(recipe)
    plan = Schedule(plan.entries + plan.entries[:4], 2)  # a second epoch of some rows
    rows = RowTable.load({name: DOMAINS[name] for name in plan.counts()})
    data.write_rows(recipe, plan, load_processor(str(random_model)), path=tmp_path / "verl" / "rows.parquet")
    table = pq.read_table(tmp_path / "verl" / "rows.parquet").to_pydict()
    assert len(table["data_source"]) == len(set(plan.entries)) < len(plan.entries)
    places = list(data.places(table, plan))
    for place, row in zip(places, datasets.schedule_dataset(plan, rows), strict=True):
        assert (table["data_source"][place], table["extra_info"][place]["row_id"]) == (row["domain"], row["row_id"])
        assert len(table["images"][place]) == len(row["images"])
        for kept, picture in zip(table["images"][place], row["images"], strict=True):
            assert Image.open(io.BytesIO(kept["bytes"])).convert("RGB").tobytes() == picture.tobytes()


def test_prompts_are_measured_again_where_their_limit_is_another(tmp_path, random_model):
    pytest.importorskip("pyarrow.parquet")
    from modomodo.models.load import load_processor
    from modomodo.runs.inputs import make_schedule

    recipe = of.recipe(domains=["spatial"], view=View(resize=Resize(28, 784, 10**6)))
    short = recipe.model_copy(update={"verl": recipe.verl.model_copy(update={"max_prompt_length": 8})})
    processor, plan = load_processor(str(random_model)), make_schedule(recipe)
    data.write_inputs(recipe, plan, processor, folder=tmp_path)
    written = (tmp_path / "verl" / "rows.parquet").stat().st_mtime_ns
    data.write_inputs(recipe, plan, processor, folder=tmp_path)
    assert (tmp_path / "verl" / "rows.parquet").stat().st_mtime_ns == written
    for _ in range(2):
        with pytest.raises(ModomodoError, match=r"verl\.max_prompt_length is 8"):
            data.write_inputs(short, plan, processor, folder=tmp_path)


def test_a_checkpoint_of_another_number_of_gpus_is_refused(tmp_path):
    from modomodo.training.verl.run import check_size

    checkpoint = tmp_path / "checkpoints" / "global_step_2"
    (checkpoint / "actor").mkdir(parents=True)
    recipe = of.recipe()
    check_size(checkpoint, recipe)
    count = recipe.verl.nodes * recipe.verl.gpus_per_node
    (checkpoint / "actor" / f"model_world_size_{count}_rank_0.pt").touch()
    check_size(checkpoint, recipe)
    other = recipe.model_copy(update={"verl": recipe.verl.model_copy(update={"nodes": 2 * recipe.verl.nodes})})
    with pytest.raises(ModomodoError, match=f"saved by {count} GPUs, and the recipe has {2 * count}.*set them back"):
        check_size(checkpoint, other)


def test_a_marker_of_pictures_in_a_text_is_refused_where_verl_would_take_it_for_one():
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "what does <image> mean?"}]}]
    with pytest.raises(ModomodoError, match=r"toy, row r7: its text holds '<image>'"):
        data.marked(messages, pictures=1, where="toy, row r7")
    plain = [{"role": "user", "content": messages[0]["content"][1:]}]
    assert data.marked(plain, pictures=0, where="") == [{"role": "user", "content": "what does <image> mean?"}]


def test_a_prompt_that_is_too_long_is_refused_with_its_row(random_model):
    from modomodo.models.load import load_processor

    row = Row("r7", "toy", "?", Target("count", 1))
    messages = [{"role": "user", "content": [{"type": "text", "text": "word " * 50}]}]
    recipe = of.recipe(verl={"gpus_per_node": 4, "max_prompt_length": 20})
    with pytest.raises(ModomodoError, match=r"toy, row r7: its prompt has \d+ tokens, verl.max_prompt_length is 20"):
        data.record(row, messages, recipe, load_processor(str(random_model)))


def encoded(picture: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def test_pictures_reach_verl_as_the_rgb_that_trl_gets():
    plain = encoded(Image.radial_gradient("L").convert("RGB").resize((100, 60)), "JPEG")
    assert data.picture(plain, resize=None) == (plain, (100, 60))
    deep = encoded(Image.new("I;16", (40, 30), 65535))
    content, _ = data.picture(deep, resize=None)
    assert Image.open(io.BytesIO(content)).getpixel((0, 0)) == (255, 255, 255)
    file = io.BytesIO()
    Image.new("RGB", (40, 30), (9, 9, 9)).save(file, "PNG", transparency=(9, 9, 9))
    content, _ = data.picture(file.getvalue(), resize=None)
    assert Image.open(io.BytesIO(content)).getpixel((0, 0)) == (255, 255, 255)
    content, size = data.picture(plain, resize=Resize(28, 784, 28 * 28 * 4))
    assert size == Image.open(io.BytesIO(content)).size == (56, 28)


def test_paths_are_absolute_for_processes_that_work_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = {"meters": {"path": "m.jsonl", "question": "{q}", "answer": "a", "verifier": "number"}}
    recipe = of.recipe(domains=["meters"], data=source, prepared="data", exclude="list.csv")
    found = data.reachable(recipe)
    assert (found.prepared, found.exclude) == (tmp_path / "data", tmp_path / "list.csv")
    assert found.data["meters"].path == tmp_path / "m.jsonl"
    assert type(found).model_validate_json(found.model_dump_json()) == found
