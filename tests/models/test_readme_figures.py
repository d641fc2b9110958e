"""The README's figures of the models are those of the manifests, which the recipe writes."""

import json


def test_the_readme_says_what_the_manifests_say(project_root):
    emotion, detector = (json.loads((project_root / f"models/{name}.json").read_text())["metrics"] for name in ("emotion", "face_detector"))
    rows = {
        "8 classes, 2866 faces) |": f"{emotion['accuracy']['value']:.1%}",
        "from 70 % confidence": f"{emotion['judged_accuracy']['value']:.1%}",
        "macro-F1": f"{emotion['macro_f1']:.2f}",
        "expected calibration error": f"{emotion['ece']:.3f}",
        "identities never seen": f"{detector['recall_people']['value']:.1%} / {detector['recall_faces']['value']:.1%}",
        "of the frame's width": " / ".join(f"{each['value']:.0%}" for each in detector["recall_pasted"].values()),
        "AP50 on crowds": " / ".join(f"{each:.2f}" for each in detector["ap50"].values()),
        "in which it sees one": f"{detector['negatives_with_false_positive']['value']:.1%}",
    }
    lines = (project_root / "README.md").read_text("utf-8").splitlines()
    for row, figure in rows.items():
        (line,) = (line for line in lines if row in line)
        assert figure.replace("%", "") in line.replace(" %", ""), (row, figure, line)
