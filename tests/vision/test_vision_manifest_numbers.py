"""Numbers in a manifest that are none: JSON as Python and pydantic read it has NaN and Infinity."""

import json

import pytest

from moodify.errors import ModelError
from moodify.vision.manifest import parse


@pytest.mark.parametrize("number", ["Infinity", "NaN", "1e999"])
@pytest.mark.parametrize(("model", "key"), [("emotion", "temperature"), ("face_detector", "score_threshold"), ("emotion", "scale"), ("face_detector", "scale")])
def test_a_number_without_end_is_refused(project_root, model, key, number):
    text = (project_root / "models" / f"{model}.json").read_text("utf-8")
    parse(model, text)
    manifest = json.loads(text)
    (manifest["outputs"][0] if key == "scale" else manifest["postprocess"])[key] = "NUMBER"
    with pytest.raises(ModelError, match=key):
        parse(model, json.dumps(manifest).replace('"NUMBER"', number))
