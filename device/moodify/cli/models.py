"""``moodify models``: which models there are, whether they are whole, and how good they are."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

import typer

from moodify.config import find, load
from moodify.errors import CannotWork, ModelError
from moodify.vision.chatter import without_chatter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from moodify.config.model import VisionConfig
    from moodify.vision.evaluation.memory import Memory
    from moodify.vision.evaluation.verify import Report
    from moodify.vision.manifest import ClassifierManifest, DetectorManifest

_HASH_DIGITS: Final = 12
_COVERAGES_SHOWN: Final = {0.5, 0.7, 0.8, 0.9, 1.0}
"""Points of the curve that are printed; JSON has them all."""


def list_models(*, as_json: bool, config_file: Path | None) -> int:
    """Print the models that ship and, where there are some, the owner's; return the exit code."""
    from moodify.vision.evaluation.verify import described
    from moodify.vision.models import manifests_of, read_model

    own = load(find(config_file)).vision.models
    found: list[dict[str, Any]] = []
    exit_code = 0
    for folder in (None, own) if own else (None,):
        for file in manifests_of(folder):
            try:
                model = read_model(file)
            except ModelError as error:
                exit_code = _say(error)
                continue
            found.append(described(model.manifest) | {"macs": model.manifest.macs, "folder": str(file.parent), "used": folder == own})
    if as_json:
        typer.echo(json.dumps({"models": found}, ensure_ascii=False, indent=2))
        return exit_code
    rows = [("name", "version", "task", "bytes", "MACs", "labels", "sha256", "used", "folder")]
    for each in found:
        macs = f"{each['macs']:,}" if each["macs"] else "-"
        labels = each["labels"][0] if len(each["labels"]) == 1 else str(len(each["labels"]))
        used = "yes" if each["used"] else "no"
        rows.append((each["name"], each["version"], each["task"], f"{each['bytes']:,}", macs, labels, each["sha256"][:_HASH_DIGITS], used, each["folder"]))
    typer.echo(_table(rows, right=(3, 4, 5)))
    return exit_code


def verify(paths: Sequence[Path], *, as_json: bool, config_file: Path | None) -> int:
    """Check models against their manifests; return the exit code, 1 where something is wrong."""
    from moodify.vision.evaluation.memory import measure
    from moodify.vision.evaluation.verify import verify as verify_model
    from moodify.vision.models import manifests_of, require_models

    for named in paths:
        require_models(named, single=True)
    wanted: list[Path | None] = [*paths] or [load(find(config_file)).vision.models]
    reports: list[Report] = []
    memory: dict[str, Memory] = {}
    with without_chatter():
        for path in wanted:
            if path is not None and path.suffix in {".json", ".tflite"}:
                reports.append(verify_model(path.with_suffix(".json")))
                continue
            files = manifests_of(path)
            checked = [verify_model(file) for file in files]
            reports += checked
            if not any(report.problems for report in checked) and (measured := measure(path)) is not None:
                memory[str(files[0].parent)] = measured
    if as_json:
        typer.echo(json.dumps({"models": [each.as_json() for each in reports], "memory": {folder: each.as_json() for folder, each in memory.items()}}, indent=2))
    elif said := [*(_report(report) for report in reports if report.macs is not None), *(_memory(folder, each) for folder, each in memory.items())]:
        typer.echo("\n".join(said))
    for problem in (problem for report in reports for problem in report.problems):
        sys.stderr.write(f"moodify: {problem}\n")
    return ModelError.exit_code if any(report.problems for report in reports) else 0


def evaluate_emotion(file: Path, *, as_json: bool, plots: Path | None, models: Path | None, config_file: Path | None) -> int:
    """Measure the emotion classifier on labelled faces; return the exit code."""
    from moodify.vision.classifier import TfliteClassifier
    from moodify.vision.evaluation.emotion import evaluate, read_faces
    from moodify.vision.evaluation.plots import Plotter
    from moodify.vision.models import read_classifier, require_models

    if models is not None:
        require_models(models)
    config = load(find(config_file)).vision
    plotter = None if plots is None else Plotter(plots)
    faces = read_faces(file)
    model = read_classifier(models or config.models)
    with without_chatter():
        classifier = TfliteClassifier(model, threads=config.threads or 1)
    figures = evaluate(classifier, faces, config.confidence_threshold, _shown(faces.pixels, "faces"))
    result = {"model": _named(model.manifest), "data": str(file)} | figures.as_json()
    typer.echo(json.dumps(result, indent=2) if as_json else _emotion(result))
    if plotter is not None:
        _drawn(plotter.emotion(figures))
    return 0


def evaluate_detector(
    folder: Path,
    annotations: Path | None,
    *,
    negatives: Path | None,
    threshold: float | None,
    per_100: float | None,
    as_json: bool,
    plots: Path | None,
    models: Path | None,
    config_file: Path | None,
) -> int:
    """Measure the face detector on pictures whose faces are known; return the exit code."""
    from moodify.vision.evaluation.detector import DetectorFigures, Finder, threshold_for
    from moodify.vision.evaluation.pictures import read_pictures
    from moodify.vision.evaluation.plots import Plotter
    from moodify.vision.models import read_detector, require_models

    if models is not None:
        require_models(models)
    if threshold is not None and per_100 is not None:
        raise CannotWork("--threshold and --fp-per-100 both choose the threshold; give one of them")
    config = load(find(config_file)).vision
    plotter = None if plots is None else Plotter(plots)
    pictures = read_pictures(folder, annotations)
    pictures += [] if negatives is None else read_pictures(negatives)
    model = read_detector(models or config.models)
    with without_chatter():
        finder = Finder(model, config.threads)
    found = finder.find(_shown(pictures, "pictures"))
    if per_100 is not None:
        chosen, how = threshold_for([each for each in found if each.picture.negative], per_100), "fp_per_100"
    else:
        chosen, how = _threshold(threshold, config, finder.threshold)
    figures = DetectorFigures(found, chosen, finder.max_faces, how)
    result = {"model": _named(model.manifest), "data": str(annotations or folder)} | figures.as_json()
    typer.echo(json.dumps(result, indent=2) if as_json else _detector(result))
    if plotter is not None:
        _drawn(plotter.detector(figures))
    return 0


def _threshold(given: float | None, config: VisionConfig, models_own: float) -> tuple[float, str]:
    if given is not None:
        return given, "given"
    return (models_own, "manifest") if config.detection_threshold is None else (config.detection_threshold, "configuration")


def _shown(things: Iterable[Any], what: str) -> Iterable[Any]:
    """Go through ``things``, with a bar on a terminal."""
    from rich.console import Console
    from rich.progress import track

    return track(list(things), what, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())


def _named(manifest: DetectorManifest | ClassifierManifest) -> dict[str, str]:
    return {"name": manifest.name, "version": manifest.version, "sha256": manifest.sha256}


def _say(error: ModelError) -> int:
    sys.stderr.write(f"moodify: {error}\n")
    return error.exit_code


def _drawn(files: Sequence[Path]) -> None:
    sys.stderr.write("".join(f"drawn: {file}\n" for file in files) or "nothing to draw: no picture has boxes that people drew\n")


def _report(report: Report) -> str:
    manifest = report.manifest
    if manifest is None:
        return ""
    given = manifest.input
    lines = [
        f"{manifest.name} {manifest.version}: {'ok' if not report.problems else 'not ok'} ({report.manifest_file})",
        f"  file      {manifest.size:,} bytes, sha256 {manifest.sha256}",
        f"  input     {_shape(given.shape)} {given.dtype} {given.colour} {given.layout}, scale {given.scale:g}, zero point {given.zero_point}",
        *(
            f"  output    {_shape(out.shape)} {out.dtype} {out.role}{'' if out.stride is None else f' of stride {out.stride}'}, scale {out.scale:.6g}, zero point {out.zero_point}"
            for out in manifest.outputs
        ),
        f"  labels    {', '.join(manifest.labels)}",
        f"  after it  {_settings(manifest)}",
        f"  MACs      {report.macs:,} multiply-accumulates, counted from the file",
        f"  XNNPACK   runs {report.convolutions - len(report.undelegated)} of {report.convolutions} convolutions"
        + (f", not: {', '.join(report.undelegated)}" if report.undelegated else ""),
        *(f"  warning   {warning}" for warning in report.warnings),
    ]
    return "\n".join(lines)


def _settings(manifest: DetectorManifest | ClassifierManifest) -> str:
    values = manifest.postprocess.model_dump(mode="json")
    framing = values.pop("framing", None)
    said = [f"{key.replace('_', ' ')} {value}" for key, value in values.items()]
    return ", ".join([*said, *([] if framing is None else [f"landmarks at {framing['landmarks']}"])])


def _memory(folder: str, memory: Memory) -> str:
    parts = (("face detector", memory.detector), ("emotion classifier", memory.classifier), ("gate and crops", memory.rest))
    return (
        f"memory of {folder}: {', '.join(f'{name} {value / 1024:,.0f} kB' for name, value in parts)}, together {memory.total / 2**20:.1f} MB\n"
        "  tensor arenas, packed weights and buffers: by how much the RssAnon of a process of its own grows"
    )


def _shape(shape: Sequence[int]) -> str:
    return "x".join(str(side) for side in shape)


def _emotion(result: dict[str, Any]) -> str:
    judged = result["judged"]
    low, high = result["accuracy_interval95"]
    macro = "-" if result["macro_f1"] is None else f"{result['macro_f1']:.3f}"
    figures = [
        ("what", "figure", "95 %", "faces"),
        ("accuracy, 8 emotions", f"{result['accuracy']:.1%}", f"{low:.1%} to {high:.1%}", str(result["faces"])),
        (f"macro-F1, {len(result['macro_f1_classes'])} emotions with at least 30 faces", macro, "", ""),
        ("expected calibration error, 15 bins", f"{result['ece']:.3f}", "", ""),
        _share(f"judged, from {judged['threshold']:.0%} confidence", judged["share"]),
        _share("accuracy of what is judged", judged["accuracy"]),
        _share("accuracy of the most confident 70 %", result["most_confident_70"]),
    ]
    classes = [("emotion", "recall", "95 %", "precision", "F1", "faces")]
    for name, each in result["per_class"].items():
        _, recall, span, count = _share(name, each)
        classes.append((name, recall, span, f"{each['precision']:.1%}", f"{each['f1']:.3f}", count))
    curve = [("coverage", "accuracy"), *((f"{each['coverage']:.0%}", f"{each['accuracy']:.1%}") for each in result["risk_coverage"] if each["coverage"] in _COVERAGES_SHOWN)]
    labels = result["confusion"]["labels"]
    confusion = [("labelled, read as", *labels), *((label, *map(str, row)) for label, row in zip(labels, result["confusion"]["counts"], strict=True))]
    head = (
        f"{result['model']['name']} {result['model']['version']} on {result['data']}: {result['faces']} faces; {result['left_out']} without a majority for one emotion are left out"
    )
    return "\n\n".join([head, *(_table(rows, right=range(1, 9)) for rows in (figures, classes, curve, confusion))])


def _detector(result: dict[str, Any]) -> str:
    rows = [("what", "figure", "95 %", "count")]
    for size, value in result["ap50"].items():
        if value is not None:
            low, high = result["ap50_interval95"][size]
            rows.append((f"AP50, faces of at least {float(size):.0%} of the long side", f"{value:.3f}", f"{low:.3f} to {high:.3f}", ""))
    for name, share in result["recall"].items():
        if share is not None:
            kind, _, size = name.partition("_")
            rows.append(_share(f"recall, {kind} faces of at least {float(size):.0%}" if size else "recall, a picture's largest face by the teacher", share))
    if (error := result["landmark_error"]) is not None:
        low, high = error["interval95"]
        rows.append(("median landmark error, of the face's size", f"{error['median']:.1%}", f"{low:.1%} to {high:.1%}", str(error["count"])))
    if (positives := result["false_positives"]) is not None:
        rows.append(_share("pictures without a face in which it sees one", positives))
    chosen = {"manifest": "the model's own", "given": "as given", "configuration": "as configured", "fp_per_100": "chosen by the pictures without a face"}[result["threshold_from"]]
    head = f"{_head(result)}: {result['pictures']} pictures; threshold {result['threshold']:.2f}, {chosen}"
    return f"{head}\n\n{_table(rows, right=(1, 2, 3))}"


def _head(result: dict[str, Any]) -> str:
    return f"{result['model']['name']} {result['model']['version']} on {result['data']}"


def _share(what: str, share: dict[str, Any]) -> tuple[str, str, str, str]:
    low, high = share["interval95"]
    return what, f"{share['value']:.1%}", f"{low:.1%} to {high:.1%}", str(share["count"])


def _table(rows: Sequence[Sequence[str]], right: Iterable[int]) -> str:
    """Return rows as aligned columns, those whose numbers are in ``right`` to the right."""
    numbers = set(right)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ("  ".join(cell.rjust(width) if i in numbers else cell.ljust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True))) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
