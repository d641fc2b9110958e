"""The card of each model, written from its manifest: every figure in it was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.detector import HEIGHT, LANDMARKS, WIDTH
from recipe.emotion import LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_USE = """## Intended use

An appliance in a home, looking at the people who live there and know of it, to choose music. All processing stays on the device.

**Not for workplaces or schools**: the EU's AI Act (Regulation 2024/1689, Article 5(1)(f)) prohibits inferring emotions there. Not for
deciding anything about a person, not for safety, not for identifying anybody: the models see faces, not identities.

## Licence

The weights were trained on pictures that were released for research or gathered from the web. The code's licence does not cover them:
see [LICENSE.md](LICENSE.md).
"""


def write_detector(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write ``face_detector.md`` into ``folder``."""
    metrics, post = manifest["metrics"], manifest["postprocess"]
    recipe, confirm = manifest["recipe"], post["confirm"]
    stages = ", ".join(f"{s['steps']} steps at {s['width']}x{s['height']}" for s in recipe["stages"])
    rows = [
        *((f"AP50, mask pictures, faces of at least {float(k):.0%} of the long side", f"{v:.3f}", _span(metrics["ap50_interval95"][k]), "") for k, v in metrics["ap50"].items()),
        *(
            _row(f"recall, mask pictures, {kind} faces of at least {float(size):.0%}", metrics[f"recall_{kind}_{size}"])
            for size in ("0.10", "0.05")
            for kind in ("unmasked", "masked")
        ),
        _row("negatives with a false positive, reporting half", metrics["negatives_with_false_positive"]),
        _row("negatives with a false positive, the half that set the threshold", metrics["negatives_with_false_positive_tuning_half"]),
        _row("recall, pictures of unseen people (largest face)", metrics["recall_people"]),
        _row("recall, frames of unseen identities (largest face)", metrics["recall_faces"]),
        *(_row(f"recall, a face pasted into a room at {float(k):.0%} of the frame's width", v) for k, v in metrics["recall_pasted"].items()),
        *(
            (f"median landmark error, {name}, in face sizes", f"{v['median']:.3f}", _span(v["interval95"]), str(v["count"]))
            for name, v in (("people", metrics["landmark_error_people"]), ("frames", metrics["landmark_error_faces"]))
        ),
    ]
    held = ", ".join(f"{count} of {source}" for source, count in metrics["held_out"].items())
    cut_out = "Between the stages the network also boxes cut-out faces of the emotion data, which are pasted too.\n" if recipe.get("crops") else ""
    text = f"""# Face detector

Version {manifest["version"]} · {manifest["bytes"]:,} bytes · {manifest["macs"] / 1e6:.1f} million multiply-accumulates · int8

Finds faces and five landmarks ({", ".join(LANDMARKS)}; right is the person's right) in a {WIDTH}x{HEIGHT} colour picture.

## How it works

A single-shot, anchor-free convolutional network: a stem of stride 2, depthwise-separable blocks up to 160 channels, a top-down neck of 64
channels, and at strides 8, 16 and 32 three tensors each: objectness (a logit), box (left, top, right, bottom distances from the cell's
centre, in strides) and landmarks (offsets from the cell's centre, in strides). Box and landmarks are separate tensors because their
ranges differ, and int8 has one scale a tensor.

What scores from {confirm["unsure_from"]:g} to {confirm["sure_from"]:g} is looked at again before it counts, {confirm["most"]} in a picture at most:
the picture about it, {confirm["window"]:g} times its side high, is enlarged to the same input, and the mean of both logits decides, of
which the second one's weighs {confirm["weight"]:.0%}. What is so near that the picture ends within that window is made smaller instead, with grey
around the picture ([what that brings](../docs/models.md#a-closer-look)).

## Data

{_sources(manifest["data"])}

Near copies (difference hash) are removed before the split. Held out before any tuning: mask pictures by file, people by picture, frames
by identity, negatives by picture: {held}.

## Recipe

Scenes are composed from the training pictures: photographs as they are, photographs moved and scaled, and people and things pasted
with the same outlines into rooms, under changing light; in three quarters of the street pictures bare faces take the place of masked ones.
{stages}, batch {recipe["batch"]}, AdamW at {recipe["peak_rate"]:g}, falling over the
last {recipe["cooldown"]} steps, averaged weights; between the stages the negatives in which the network
still sees something are sought and shown more often. Quality focal loss, distance-IoU loss, landmark distance.
{cut_out}Quantised after training on composed scenes. Seed {recipe["seed"]}. `models/train --only detector` runs the recipe anew.
{_took(recipe, "how-the-detector-came-about")}
## Figures

On held-out pictures, int8, by the recipe's own evaluation. The threshold, {post["score_threshold"]:.2f}, is the lowest, in steps of
0.01, at which at most one in a hundred of one half of the held-out negatives has a false positive. The other half, the "reporting half",
had no part in the choice and says what to expect. Intervals are at 95 % (Wilson for shares, bootstrap for the rest).
`models/train --evaluate` measures the shipped files anew and writes manifests and cards.

{_table(("what", "value", "95 %", "count"), rows)}

AP50 at 10 % by the first look alone: {metrics["ap50_first_look_0.10"]:.3f}; before quantisation {metrics["ap50_float_0.10"]:.3f}.

## Limits and biases

- Boxes and landmarks of two of the sources are a teacher's (YuNet), not people's; landmarks under masks are guesses.
- The pictures come from the web, news and television; children, older people, dark skin in low light and head coverings are fewer than in
  life, and no figures by group are available, because the data do not say who is in them.
- Blurred bystanders, people seen from the side and faces in the dark score low and are often missed, masked or not: see the mask pictures above.
- Faces below about 4 % of the frame's width, profiles beyond three quarters, and faces lying on their side are often missed.
- Pictures, dolls and screens that show a face count as faces; badges and buttons sometimes do, mostly with low scores.

{_USE}"""
    (folder / "face_detector.md").write_text(text)


def write_emotion(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write ``emotion.md`` into ``folder``."""
    metrics, post, recipe = manifest["metrics"], manifest["postprocess"], manifest["recipe"]
    main = [
        _row("accuracy, all 8 classes", metrics["accuracy"]),
        _row("accuracy before quantisation", metrics["accuracy_float"]),
        _row("accuracy without pictures that have a near copy in training", metrics["accuracy_without_near_copies"]),
        _row("accuracy, reporting half", metrics["accuracy_reporting_half"]),
        _row(f"judged (confidence at least {post['confidence_threshold']}), reporting half", metrics["judged_share"]),
        _row("accuracy of what is judged", metrics["judged_accuracy"]),
        (
            "expected calibration error, 15 bins, reporting half",
            f"{metrics['ece']:.3f}",
            "",
            str(metrics["ece_count"]),
        ),
        (f"macro-F1 over {len(metrics['macro_f1_classes'])} classes with at least 30 pictures", f"{metrics['macro_f1']:.3f}", "", ""),
    ]
    classes = [(label, f"{v['value']:.3f}", _span(v["interval95"]), f"{v['f1']:.3f}", str(v["count"])) for label, v in metrics["per_class"].items()]
    table = [(label, *(str(n) for n in row)) for label, row in zip(LABELS, metrics["confusion"], strict=True)]
    chain = [(f"{c['side']}", f"{c['found'] / max(1, c['count']):.3f}", f"{c['accuracy']:.3f}", f"{c['accuracy_alone']:.3f}", str(c["count"])) for c in metrics["chain"]]
    targets = "Targets are the votes on the eight emotions, single votes removed."
    if recipe.get("taught"):
        targets += (
            "\nMixed with them, on the voted faces, and alone on the unlabelled ones, is the mean answer of two bigger networks that learned from the votes"
            "\n(the teachers: `models/teach` trains them, `soft_labels.npz` holds what they say)."
        )
    coverage = [(f"{c['coverage']:.0%}", f"{c['accuracy']:.3f}") for c in metrics["risk_coverage"]]
    text = f"""# Emotion classifier

Version {manifest["version"]} · {manifest["bytes"]:,} bytes · {manifest["macs"] / 1e6:.1f} million multiply-accumulates · int8

Gives the chances of eight emotions ({", ".join(LABELS)}) for one aligned, grey, 48x48 face.

## How it works

A small residual convolutional network on 48x48 grey pixels, mean pooling, eight logits. Chances are `softmax(logits / {post["temperature"]})`; the
temperature was fitted after quantisation. The appliance judges a face when the top chance is at least {post["confidence_threshold"]}.

The face must lie as it does in the training pictures: a similarity transform brings the detector's five landmarks to the places in the
manifest's `framing`, which are the mean landmarks that the detector finds in {post["framing"]["measured_on"]} training pictures.

## Data

{_sources(manifest["data"])}

{targets} Validation follows FER+'s majority protocol: single votes zeroed, the top
class has more than half of all ten votes and is one of the eight emotions. Exact duplicates of evaluation pictures are not in the
training part; near copies (another cut, other light, a watermark) are in FER2013, and a row below leaves them out.

## Recipe

{recipe["epochs"]:g} epochs of soft-label cross-entropy, batch {recipe["batch"]}, AdamW at {recipe["peak_rate"]:g}, cosine, averaged weights, rare emotions drawn more
often. Augmentation: the errors of an alignment (shift, zoom, turn, stretch), flip, low light, side light, contrast, blur, coarse
resolution, noise, covered parts. Quantised after training. Seed {recipe["seed"]}. `models/train --only emotion` runs the recipe anew.
{_took(recipe, "how-the-classifier-came-about")}
## Figures

On the usage PublicTest, int8, by the recipe's own evaluation; nothing was chosen by these figures but the temperature, which was fitted on one
half (the "reporting half" is the other). Intervals are at 95 % (Wilson). The calibration error has none: chance adds to it, so that nearly
all of the bootstrap's draws lie above it, and their mirror images (the basic bootstrap) below it.

{_table(("what", "value", "95 %", "count"), main)}

Recall by class, both halves; classes with few pictures have wide intervals and say little:

{_table(("emotion", "recall", "95 %", "F1", "count"), classes)}

Confusion, true emotion by row:

{_table(("", *LABELS), table)}

Accuracy on the most confident share, reporting half:

{_table(("share", "accuracy"), coverage)}

The whole chain: faces of the reporting half pasted into rooms, found by the shipped detector, aligned and classified; "alone" is the same
faces' accuracy without detector and alignment. Size is of the crop, in pixels of the detector's input:

{_table(("size", "found", "accuracy in the chain", "alone", "count"), chain)}

## Limits and biases

- It reads expressions, not feelings: people show what they do not feel and feel what they do not show, and cultures differ in it.
- The labels are ten people's votes on web pictures, many of them posed; they carry those people's stereotypes of age, sex and skin.
- Disgust, contempt and fear are rare in the data and weak here. The appliance joins them with anger or abstains.
- Covered mouths, strong side light and faces below about 40 pixels make it worse; the appliance does not judge what is too small or dark.
- No figures by group of people are available, because the data do not say who is in them.

{_USE}"""
    (folder / "emotion.md").write_text(text)


def _took(recipe: Mapping[str, Any], where: str) -> str:
    how = f"[how it came about](../docs/models.md#{where})"
    return f"Training took {recipe['seconds'] / 3600:.1f} hours, all sittings together ({how}).\n" if "seconds" in recipe else ""


def _row(what: str, share: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return what, f"{share['value']:.3f}", _span(share["interval95"]), str(share["count"])


def _span(interval: Sequence[float]) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}"


def _sources(data: Iterable[Mapping[str, str]]) -> str:
    return "\n".join(f"- {source['name']}. Used for {source['use']}. Licence: {source['licence']}." for source in data)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)
