"""One command: data in, models with manifests and cards out. ``models/train`` sets up what it needs and calls it."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from recipe.errors import DataMissingError, RecipeError

_PROJECT = Path(__file__).resolve().parents[2]
_DATA_MISSING = 2


def main(arguments: list[str] | None = None) -> int:
    """Run the recipe; gives the exit status: 0, 1 for a model that breaks the contract, 2 for missing data or a wrong command line."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.teach and asked.evaluate:
        parser.error("--teach trains teachers, and --evaluate nothing: ask for one of them")
    console = Console(stderr=True)
    try:
        out = _run(asked, console)
    except DataMissingError as error:
        console.print(f"[red]{error}", soft_wrap=True, highlight=False)
        return _DATA_MISSING
    except RecipeError as error:
        console.print(f"[red]{error}", soft_wrap=True, highlight=False)
        return 1
    console.print(f"Models, manifests and cards are in {out}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="models/train", description=__doc__)
    parser.add_argument("--only", choices=("detector", "emotion"), help="one of the models; the classifier needs the detector's file in --out")
    mode = parser.add_mutually_exclusive_group()
    parser.add_argument("--teach", action="store_true", help="train the teachers instead, and write what they say of every face to --out/soft_labels.npz")
    parser.add_argument("--soft-labels", type=Path, metavar="FILE", help="what the teachers say (default: models/soft_labels.npz)")
    mode.add_argument("--quick", action="store_true", help="a tiny run that proves the pipeline, into a temporary folder unless --out is given")
    mode.add_argument("--evaluate", action="store_true", help="train nothing: measure the files in --out anew and write their manifests and cards")
    parser.add_argument("--data", type=Path, default=_PROJECT.parent / "shared" / "data", help="the data folder (default: ../shared/data)")
    parser.add_argument("--out", type=Path, help="where models, manifests and cards go (default: models)")
    parser.add_argument("--work", type=Path, help="where checkpoints are kept (default: models/.work)")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch (default: 2)")
    return parser


def _run(asked: argparse.Namespace, console: Console) -> Path:
    for part in ("emotion", "detection"):
        if not (folder := asked.data / part).is_dir():
            raise DataMissingError.of(folder)
    # Seconds to import: a wrong folder is told at once.
    from recipe.emotion import teach

    if asked.quick:
        out = asked.out or Path(tempfile.mkdtemp(prefix="moodify-models-"))
        work = asked.work or out / "work"
    else:
        out, work = asked.out or _PROJECT / "models", asked.work or _PROJECT / "models" / ".work"
    if asked.teach:
        teaching = teach.QUICK if asked.quick else teach.Plan()
        for name, accuracy in teach.teach(asked.data, work, out, teaching, asked.threads).items():
            console.print(f"{name}: accuracy on the tuning half {accuracy:.4f}")
        return Path(out)
    if asked.only != "emotion":
        manifest = _detector(asked, work, out)
        console.print(f"face detector: {manifest['bytes']} bytes, AP50 {manifest['metrics']['ap50']}")
    if asked.only != "detector":
        manifest = _emotion(asked, work, out, console)
        console.print(f"emotion classifier: {manifest['bytes']} bytes, accuracy {manifest['metrics']['accuracy']}")
    return Path(out)


def _detector(asked: argparse.Namespace, work: Path, out: Path) -> dict[str, Any]:
    from recipe.detector import build

    if asked.evaluate:
        return build.measure(asked.data, out, build.Plan())
    return build.build(asked.data, work, out, build.QUICK if asked.quick else build.Plan(), asked.threads)


def _emotion(asked: argparse.Namespace, work: Path, out: Path, console: Console) -> dict[str, Any]:
    from recipe.emotion import build, teach

    if asked.evaluate:
        return build.measure(asked.data, out, build.Plan())
    soft_labels = asked.soft_labels or _PROJECT / "models" / teach.FILE
    if not soft_labels.is_file():
        console.print(f"{soft_labels} is not there: the classifier learns from people's votes alone. models/teach makes it")
    return build.build(asked.data, work, out, soft_labels, build.QUICK if asked.quick else build.Plan(), asked.threads)


if __name__ == "__main__":
    sys.exit(main())
