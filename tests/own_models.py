"""Folders with models of one's own, made from those that ship: copies to spoil, and a detector with a larger input."""

import hashlib
import json
import shutil
from pathlib import Path

from moodify.vision.models import manifests_of


class ModelFolder:
    """Copies of the models that ship."""

    def __init__(self, path):
        self.path = path
        path.mkdir(exist_ok=True)
        for manifest in manifests_of():
            for file in (manifest, manifest.with_suffix(".tflite")):
                shutil.copy(file, path / file.name)

    def manifest(self, name):
        return json.loads((self.path / f"{name}.json").read_text("utf-8"))

    def change(self, name, path, value):
        """Set one value of a manifest."""
        place = whole = self.manifest(name)
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        (self.path / f"{name}.json").write_text(json.dumps(whole), "utf-8")

    def put(self, name, content):
        """Put another model file in place, with its size and hash in the manifest."""
        (self.path / f"{name}.tflite").write_bytes(content)
        self.change(name, ["bytes"], len(content))
        self.change(name, ["sha256"], hashlib.sha256(content).hexdigest())

    def enlarge_detector(self):
        """Make the detector take twice as many pixels each way; it is convolutional, so its weights stay."""
        self.put("face_detector", _doubled(self.path / "face_detector.tflite"))
        manifest = self.manifest("face_detector")
        for tensor in (manifest["input"], *manifest["outputs"]):
            one, rows, columns, channels = tensor["shape"]
            tensor["shape"] = [one, 2 * rows, 2 * columns, channels]
        manifest |= {"name": "larger", "macs": 4 * manifest["macs"]}
        (self.path / "face_detector.json").write_text(json.dumps(manifest), "utf-8")


def _doubled(file: Path) -> bytes:
    import flatbuffers
    import numpy as np
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(file.read_bytes(), 0)
    (graph,) = model.subgraphs
    resize = [i for i, code in enumerate(model.operatorCodes) if code.builtinCode == schema.BuiltinOperator.RESIZE_BILINEAR]
    sizes = {graph.tensors[each.inputs[1]].buffer for each in graph.operators if each.opcodeIndex in resize}
    for tensor in graph.tensors:
        if model.buffers[tensor.buffer].data is None and len(tensor.shape) == 4:
            tensor.shape = [tensor.shape[0], 2 * tensor.shape[1], 2 * tensor.shape[2], tensor.shape[3]]
    for buffer in sizes:
        model.buffers[buffer].data = (2 * np.frombuffer(bytes(model.buffers[buffer].data), np.int32)).view(np.uint8)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
