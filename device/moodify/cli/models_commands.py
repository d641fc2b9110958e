"""The commands of ``moodify models``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moodify.cli.commands import Commands
from moodify.cli.options import ConfigOption, JsonFlag  # noqa: TC001 - Typer reads the annotations

models = Commands(help="The models: which there are, whether they are whole, how good they are.", no_args_is_help=True)
evaluate = Commands(help="Measure a model on pictures whose faces are known.", no_args_is_help=True)
models.add_typer(evaluate, name="eval")

PlotsOption = Annotated[Path | None, typer.Option("--plots", metavar="FOLDER", help="Draw the figures as PNG files into a folder; needs matplotlib.")]
ModelsOption = Annotated[Path | None, typer.Option("--models", metavar="FOLDER", help="Models to measure; default: as configured, or those that ship.")]


@models.command("list")
def list_models(as_json: JsonFlag = False, config: ConfigOption = None) -> None:  # noqa: FBT002 - a flag of the command line
    """List the models that ship and your own."""
    from moodify.cli.models import list_models as list_all

    raise typer.Exit(list_all(as_json=as_json, config_file=config))


@models.command()
def verify(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[FOLDER|FILE]…", help="Folders with models, or single models; default: those in use.")] = None,
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Check models against their manifests, count their work, and measure their memory."""
    from moodify.cli.models import verify as verify_models

    raise typer.Exit(verify_models(paths or [], as_json=as_json, config_file=config))


@evaluate.command()
def emotion(
    file: Annotated[Path, typer.Argument(metavar="FILE.npz", help="Faces with FER+ votes: arrays pixels, ferplus_votes, vote_columns.")],
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
    plots: PlotsOption = None,
    folder: ModelsOption = None,
    config: ConfigOption = None,
) -> None:
    """Measure the emotion classifier on labelled faces."""
    from moodify.cli.models import evaluate_emotion

    raise typer.Exit(evaluate_emotion(file, as_json=as_json, plots=plots, models=folder, config_file=config))


@evaluate.command()
def detector(
    pictures: Annotated[Path, typer.Argument(metavar="FOLDER", help="Pictures.")],
    annotations: Annotated[
        Path | None, typer.Argument(metavar="[ANNOTATIONS.jsonl]", help="What is in them, a JSON object a line; default: no picture has a face.", show_default=False)
    ] = None,
    negatives: Annotated[Path | None, typer.Option(metavar="FOLDER", help="More pictures, without a face.")] = None,
    threshold: Annotated[
        float | None, typer.Option(metavar="X", min=0.02, max=0.99, help="Confidence from which a face counts; default: as configured, or the model's own.")
    ] = None,
    per_100: Annotated[
        float | None, typer.Option("--fp-per-100", metavar="N", min=0, help="Take the lowest threshold at which at most N in 100 pictures without a face show one.")
    ] = None,
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
    plots: PlotsOption = None,
    folder: ModelsOption = None,
    config: ConfigOption = None,
) -> None:
    """Measure the face detector on pictures whose faces are known."""
    from moodify.cli.models import evaluate_detector

    raise typer.Exit(
        evaluate_detector(pictures, annotations, negatives=negatives, threshold=threshold, per_100=per_100, as_json=as_json, plots=plots, models=folder, config_file=config)
    )
