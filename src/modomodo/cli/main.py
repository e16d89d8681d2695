"""The command line: `modomodo VERB FILE --set key=value`. No flag mirrors a field of a recipe or a study."""

import os
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from modomodo.cli.arguments import Audit, DemoWorld, Embedded, File, Listed, Metrics, Most, Runs, Sets, StudyFile, World
from modomodo.cli.console import (
    err,
    out,
    plain_streams,
    show_crash,
    show_machine,
    show_started,
    show_warning,
    show_watched,
)
from modomodo.cli.mixture_tables import show_validation
from modomodo.cli.study_verbs import (
    fit_study,
    grade_file,
    play_rows,
    prepare_data,
    pretrain_nano,
    propose_for_study,
    recommend_for_study,
    run_audit,
    run_checks,
    run_confirmation,
    run_pilots,
    run_whole_study,
    run_worth,
    run_worth_of_data,
    show_confirmation_plan,
    show_single,
    write_report,
)
from modomodo.cli.table_verbs import (
    fit_runs,
    propose_runs,
    recommend_from_table,
    run_strategies,
    with_metrics,
    write_answer,
    write_predictions,
    write_report_of_runs,
)
from modomodo.config.open import RunsFile, is_table, open_file
from modomodo.config.recipe import Recipe
from modomodo.config.study import Study
from modomodo.core.children import SAFE_PATH
from modomodo.core.errors import ModomodoError
from modomodo.core.files import check_apart

app = typer.Typer(
    help="Post-train a multimodal model with RL on a mixture of domains, and find the mixture that generalises best.",
    epilog="`--set KEY=VALUE` changes any key of the file for one call; docs/fields.md lists them all.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
nano_app = typer.Typer(help="The embedded model.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(nano_app, name="nano")
data_app = typer.Typer(help="The rows of a recipe or a study.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")


def show_version(wanted: bool) -> None:
    if wanted:
        out.print(f"modomodo {version('modomodo')}", highlight=False)
        raise typer.Exit


@app.callback()
def verbs(
    wanted: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="print the version and exit")
    ] = False,
) -> None:
    pass


INTERRUPTED, TERMINATED = 130, 143  # what a shell expects after Ctrl-C and SIGTERM
NANO = Path(__file__).parents[1] / "models" / "nano"


def main() -> None:
    """Run the command line. A user's mistake gives one message on standard error, and exit code 2."""
    warnings.showwarning, sys.excepthook = show_warning, show_crash
    os.environ.update(SAFE_PATH)
    try:
        with plain_streams():
            app()
    except ModomodoError as error:
        err.print(f"[red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(2)
    except OSError as error:
        # What reads our output has gone, as `head` does, or its disk is full; Python must not try to flush the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if not isinstance(error, BrokenPipeError):
            err.print(f"[red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(1)
    except SystemExit as stop:
        if stop.code in (INTERRUPTED, TERMINATED):
            err.print("interrupted: run the same command to continue")
        raise


@app.command()
def demo(
    sets: Sets = None,
    world: DemoWorld = World.uneven,
) -> None:
    """Run a whole study here, in minutes: pilots, recommendation, confirmation and report on the embedded model."""
    path = NANO / world / "study.toml"
    study = open_file(path, sets or [], kinds=(Study,))
    out.print(f"The study is {escape(str(path))}; its runs go to {escape(str(study.folder))}/", highlight=False)
    run_whole_study(study)


@app.command()
def init(
    data: Annotated[
        Path, typer.Argument(help="a JSONL, JSON, Parquet or CSV file, or a folder of images", show_default=False)
    ],
    folder: Annotated[Path, typer.Option("--out", help="where recipe.toml and study.toml go")] = Path(),
) -> None:
    """Write a first recipe and study for your own data.

    Looks at the data, explains every line it writes, and overwrites nothing. Exits with 1 if no verifier fits the
    answers, which leaves one line to you.
    """
    from modomodo.cli.init.start import start

    with err.status("reading"):
        started = start(data, folder)
    show_started(started)
    if started.missing is not None:
        raise typer.Exit(1)


@app.command()
def check(
    file: File,
    sets: Sets = None,
    contamination: Listed = None,
    audit: Audit = False,
) -> None:
    """Find what would fail, before a run starts.

    Exits with 1 if there's an error.
    """
    if audit and (is_table(file) or file.is_dir()):
        raise typer.Exit(min(1, run_worth_of_data(file)))
    loaded = open_file(file, sets or [], kinds=(Recipe, Study))
    errors = run_checks(loaded, file)
    if contamination is not None:
        run_audit(loaded, contamination, recipe_file=file)
    if audit:
        errors += run_worth(loaded)
    if errors:
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Say what this machine and environment can do.

    Extras, cores, GPUs, memory and disks. Exits with 1 if there's an error.
    """
    from modomodo.cli.doctor import examine

    if show_machine(examine(Path())):
        raise typer.Exit(1)


@app.command()
def play(file: File, sets: Sets = None) -> None:
    """Answer rows as the model would, and see the verdicts.

    Shows the rows of a recipe or a study one by one, and gives a reason for each verdict.
    """
    play_rows(open_file(file, sets or [], kinds=(Recipe,)))


@app.command()
def grade(
    file: Annotated[Path, typer.Argument(help="a JSONL file of completions, or - for standard input")],
    sets: Sets = None,
) -> None:
    """Grade a file of completions.

    Prints the same lines in the same order, with status, reward, answer and reason.
    """
    if grade_file(file, sets or []):
        raise typer.Exit(1)


@app.command()
def train(
    file: File,
    sets: Sets = None,
    folder: Annotated[
        Path | None,
        typer.Option("--out", help="folder for runs/KEY; default: the study's folder, or this one for a recipe"),
    ] = None,
) -> None:
    """Train one run of a recipe, or of a study's recipe.

    With a study, `--set mixture=recommended` trains at its recommendation.
    """
    from modomodo.study.single import read_single

    show_single(read_single(file, sets or [], out=folder))


@app.command(name="eval")
def evaluate(
    file: File,
    sets: Sets = None,
    folder: Annotated[Path, typer.Option("--out", help="folder for runs/KEY")] = Path(),
) -> None:
    """Score a recipe's model as it is on its benchmarks.

    `--set model=FOLDER` scores a checkpoint.
    """
    from modomodo.study.single import read_single

    show_single(read_single(file, sets or [], out=folder).untrained())


@app.command()
def pilot(file: StudyFile, sets: Sets = None, most: Most = None) -> None:
    """Run the pilots that a study still lacks.

    If it's killed, run it again: it resumes.
    """
    run_pilots(open_file(file, sets or [], kinds=(Study,)), most=most)


@app.command()
def watch(
    file: StudyFile,
    sets: Sets = None,
    once: Annotated[bool, typer.Option("--once", help="print it once and exit")] = False,
) -> None:
    """Show the progress of a study's runs, live.

    From another terminal: states, steps, rewards, time left, and what failed.
    """
    show_watched(open_file(file, sets or [], kinds=(Study,)).folder, once=once)


@app.command()
def fit(
    file: Runs,
    metrics: Metrics = None,
    sets: Sets = None,
    predict: Annotated[Path | None, typer.Option(help="a CSV of mixtures, columns w.<domain>")] = None,
    predictions: Annotated[Path | None, typer.Option("--out", help="where to write predictions, as CSV")] = None,
) -> None:
    """Fit surrogates to a study or to any table of runs.

    Says how well they predict runs they haven't seen.
    """
    if (predict is None) != (predictions is None):
        raise ModomodoError("--predict GRID.csv and --out PREDICTIONS.csv go together")
    check_apart(predictions, file, metrics, predict)
    loaded = open_file(file, with_metrics(file, sets, metrics), kinds=(Study, RunsFile))
    fitted = fit_study(loaded)[1] if isinstance(loaded, Study) else fit_runs(loaded)
    show_validation(fitted)
    if predict is not None and predictions is not None:
        write_predictions(fitted, predict, predictions)


@app.command()
def recommend(
    file: Runs,
    metrics: Metrics = None,
    sets: Sets = None,
    path: Annotated[Path | None, typer.Option("--out", help="also write the recommendation here, as JSON")] = None,
) -> None:
    """Recommend a mixture from a study or any table of runs.

    Gives intervals, and says whether it can be told from equal shares.
    """
    check_apart(path, file, metrics)
    loaded = open_file(file, with_metrics(file, sets, metrics), kinds=(Study, RunsFile))
    answer = recommend_for_study(loaded).as_dict() if isinstance(loaded, Study) else recommend_from_table(loaded)
    if path is not None:
        write_answer(path, answer)


@app.command(name="next")
def propose(
    file: Runs,
    metrics: Metrics = None,
    sets: Sets = None,
    path: Annotated[Path | None, typer.Option("--out", help="also write the proposals here, as JSON")] = None,
) -> None:
    """Propose which pilots to run now.

    New mixtures that may be the best, and replicates where noise decides.
    """
    from modomodo.mixing.improvement import need_botorch

    check_apart(path, file, metrics)
    with err.status("loading BoTorch"):
        need_botorch()
    loaded = open_file(file, with_metrics(file, sets, metrics), kinds=(Study, RunsFile))
    proposals = propose_for_study(loaded, file=file) if isinstance(loaded, Study) else propose_runs(loaded)
    if path is not None:
        write_answer(path, proposals.as_dict())


@app.command()
def confirm(
    file: StudyFile,
    sets: Sets = None,
    plan: Annotated[bool, typer.Option("--plan", help="say what it can find, and run nothing")] = False,
) -> None:
    """Test the recommended mixture against equal shares.

    Uses fresh matched seeds, and items that no pilot was scored on.
    """
    study = open_file(file, sets or [], kinds=(Study,))
    if plan:
        show_confirmation_plan(study)
    else:
        run_confirmation(study)


@app.command()
def report(
    file: Runs,
    metrics: Metrics = None,
    sets: Sets = None,
    path: Annotated[Path | None, typer.Option("--out", metavar="FILE.html", help="where to write the page")] = None,
) -> None:
    """Write the report of a study or of a table of runs.

    One HTML file: report.html in the study's folder, or next to the table under its name, unless you set --out.
    """
    check_apart(path, file, metrics)
    if path is not None and path.suffix != ".html":
        raise ModomodoError(f"--out {path}: the page is HTML, so its name ends with .html")
    loaded = open_file(file, with_metrics(file, sets, metrics), kinds=(Study, RunsFile))
    if isinstance(loaded, Study):
        write_report(loaded, path)
    else:
        write_report_of_runs(loaded, with_metrics(file, sets, metrics), path)


@app.command()
def strategies(
    file: Annotated[Path | None, typer.Argument(help="a CSV of runs", show_default=False)] = None,
    metrics: Metrics = None,
    world: Annotated[World | None, typer.Option(help="the grid of this embedded world", show_default=False)] = None,
    sets: Sets = None,
    folder: Annotated[Path | None, typer.Option("--out", help="also write a table and a figure to this folder")] = None,
) -> None:
    """Compare mixture strategies on a table of runs, or on the grid of an embedded world (`--world uneven`).

    Each chooses from a few runs, and the other runs judge it.
    """
    run_strategies(file, None if world is None else world.value, sets or [], metrics=metrics, folder=folder)


@data_app.command("prepare")
def data_prepare(file: File, sets: Sets = None) -> None:
    """Write all rows to the recipe's folder `prepared`.

    Every domain and benchmark, so that runs read them offline.
    """
    prepare_data(open_file(file, sets or [], kinds=(Recipe, Study)))


@nano_app.command("pretrain")
def nano_pretrain(
    folder: Annotated[Path, typer.Argument(help="where to write the phases and the checkpoint")],
    model: Annotated[Embedded, typer.Option(help="nano from scratch, or nano-2 (for the uneven world) from nano")] = (
        Embedded.nano
    ),
    seed: Annotated[int, typer.Option(help="decides everything random")] = 0,
) -> None:
    """Make an embedded checkpoint, the way ours was made.

    If it's killed, run it again: it resumes.
    """
    pretrain_nano(folder, model=model, seed=seed)
