"""XNNPACK for int8 under tflite-runtime, which has it built in but leaves it off.

The wheel of tflite-runtime 2.14 for x86-64 holds XNNPACK with its int8 operations and uses it for float models only: the flag
that asks for int8 (``TFLITE_XNNPACK_DELEGATE_FLAG_QS8``, tensorflow/lite/delegates/xnnpack/xnnpack_delegate.h) was off by default until
TensorFlow 2.15, and the Python interface cannot set it. The extension exports the C functions that make such a delegate, and they are called
here. With it the outputs are LiteRT's to the bit, ten times as fast; TFLite's own kernels round otherwise, and over the forty operations of a
detector single steps become dozens. The wheel for 32-bit ARM has no XNNPACK.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

_INT8: Final = 0x1
"""``TFLITE_XNNPACK_DELEGATE_FLAG_QS8``."""


class _Options(ctypes.Structure):
    """``TfLiteXNNPackDelegateOptions``, of which only the first two fields are set here; the rest stays as the library made it."""

    _fields_ = (("num_threads", ctypes.c_int32), ("flags", ctypes.c_uint32), ("rest", ctypes.c_uint8 * 120))


class Int8Delegate:
    """What ``Interpreter(experimental_delegates=[…])`` takes. It lives as long as the interpreter holds it."""

    def __init__(self, library: ctypes.CDLL, threads: int) -> None:
        """Make the delegate.

        Args:
            library: the extension of tflite-runtime, as :func:`library_of` returns it.
            threads: how many run an operation.
        """
        self._library = library
        options = library.TfLiteXNNPackDelegateOptionsDefault()
        options.num_threads = threads
        options.flags |= _INT8
        self._pointer = library.TfLiteXNNPackDelegateCreate(ctypes.byref(options))

    def _get_native_delegate_pointer(self) -> int | None:
        pointer: int | None = self._pointer
        return pointer

    def __del__(self) -> None:
        self._library.TfLiteXNNPackDelegateDelete(self._pointer)


def library_of(extension: Any) -> ctypes.CDLL | None:
    """Return the C functions of tflite-runtime's extension module, or None where it was built without XNNPACK."""
    library = ctypes.CDLL(extension.__file__)
    try:
        library.TfLiteXNNPackDelegateOptionsDefault.restype = _Options
        library.TfLiteXNNPackDelegateCreate.argtypes = [ctypes.POINTER(_Options)]
        library.TfLiteXNNPackDelegateCreate.restype = ctypes.c_void_p
        library.TfLiteXNNPackDelegateDelete.argtypes = [ctypes.c_void_p]
        library.TfLiteXNNPackDelegateDelete.restype = None
    except AttributeError:
        return None
    return library
