"""Runs the models that ship on given pixels and keeps their raw outputs: python raw_outputs.py MODELS INPUTS.npz OUTPUTS.npz own|appliance

For whichever TFLite runtime the Python that runs it has. With ``own`` TFLite's own kernels run the models, without XNNPACK.
"""

import sys
from pathlib import Path

import numpy as np

from moodify.vision import runtime
from moodify.vision.models import read_classifier, read_detector


def without_xnnpack(threads):
    make, _ = runtime_maker(threads)
    if make.__module__.startswith("ai_edge_litert"):
        from ai_edge_litert.interpreter import OpResolverType
    else:
        from tflite_runtime.interpreter import OpResolverType
    return make, {"experimental_op_resolver_type": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES}


folder, given, kept, kernels = sys.argv[1:]
runtime_maker = runtime._maker
if kernels == "own":
    runtime._maker = without_xnnpack
outputs = {"by": np.array(runtime._maker(1)[0].__module__)}
with np.load(given) as pixels:
    for name, model in (("face_detector", read_detector(Path(folder))), ("emotion", read_classifier(Path(folder)))):
        loaded = runtime.Runtime(model, threads=1)
        outputs[f"{name}.delegated"] = np.array(loaded.delegated())
        for i, picture in enumerate(pixels[name]):
            for output, values in zip(model.manifest.outputs, loaded.run(picture), strict=True):
                outputs[f"{name}/{i}/{output.name}"] = values.copy()
np.savez(kept, **outputs)
