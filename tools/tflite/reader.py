"""Reads a TFLite model with nothing but struct and numpy.

A .tflite file is a FlatBuffer (https://flatbuffers.dev/internals). The field numbers below are the order of declaration
in tensorflow/lite/schema/schema.fbs, which upstream keeps stable for ever: fields are only ever appended.
The file is already authenticated by its sha256 when it gets here, so a malformed one raises rather than being repaired.
"""
import struct
from dataclasses import dataclass, field

import numpy as np

DTYPES = {0: np.float32, 1: np.float16, 2: np.int32, 3: np.uint8, 4: np.int64, 6: np.bool_, 9: np.int8}

# BuiltinOperator: only what the models of the manifest contain; anything else is refused by name of its number.
OPERATORS = {
    0: "ADD", 2: "CONCATENATION", 3: "CONV_2D", 4: "DEPTHWISE_CONV_2D", 6: "DEQUANTIZE", 9: "FULLY_CONNECTED",
    14: "LOGISTIC", 17: "MAX_POOL_2D", 18: "MUL", 22: "RESHAPE", 25: "SOFTMAX", 34: "PAD", 39: "TRANSPOSE",
    40: "MEAN", 41: "SUB", 42: "DIV", 45: "STRIDED_SLICE", 54: "PRELU", 59: "NEG", 61: "GREATER", 64: "SELECT",
    74: "SUM", 75: "SQRT", 76: "RSQRT", 99: "SQUARED_DIFFERENCE", 109: "WHERE", 123: "SELECT_V2",
}

# Options table of each operator: name -> (field number, struct code, default).
_CONV = {"padding": (0, "b", 0), "stride_w": (1, "i", 0), "stride_h": (2, "i", 0), "activation": (3, "b", 0),
         "dilation_w": (4, "i", 1), "dilation_h": (5, "i", 1)}
_ACTIVATION = {"activation": (0, "b", 0)}
_REDUCER = {"keep_dims": (0, "?", False)}
OPTIONS = {
    "CONV_2D": _CONV,
    "DEPTHWISE_CONV_2D": {**_CONV, "depth_multiplier": (3, "i", 0), "activation": (4, "b", 0),
                          "dilation_w": (5, "i", 1), "dilation_h": (6, "i", 1)},
    "MAX_POOL_2D": {"padding": (0, "b", 0), "stride_w": (1, "i", 0), "stride_h": (2, "i", 0),
                    "filter_w": (3, "i", 0), "filter_h": (4, "i", 0), "activation": (5, "b", 0)},
    "FULLY_CONNECTED": {"activation": (0, "b", 0), "weights_format": (1, "b", 0), "keep_num_dims": (2, "?", False)},
    "SOFTMAX": {"beta": (0, "f", 0.0)},
    "CONCATENATION": {"axis": (0, "i", 0), "activation": (1, "b", 0)},
    "STRIDED_SLICE": {"begin_mask": (0, "i", 0), "end_mask": (1, "i", 0), "ellipsis_mask": (2, "i", 0),
                      "new_axis_mask": (3, "i", 0), "shrink_axis_mask": (4, "i", 0)},
    "ADD": _ACTIVATION, "SUB": _ACTIVATION, "MUL": _ACTIVATION, "DIV": _ACTIVATION,
    "MEAN": _REDUCER, "SUM": _REDUCER,
}


class FormatError(ValueError):
    """The file is not a TFLite model this reader understands."""


class _Table:
    """One FlatBuffer table: a position, and through its vtable the position of each field that is present."""

    def __init__(self, buf, pos):
        self.buf, self.pos = buf, pos
        vtable = pos - struct.unpack_from("<i", buf, pos)[0]
        size = struct.unpack_from("<H", buf, vtable)[0]
        self.offsets = struct.unpack_from(f"<{size // 2 - 2}H", buf, vtable + 4)

    def _at(self, index):
        offset = self.offsets[index] if index < len(self.offsets) else 0
        return self.pos + offset if offset else None

    def scalar(self, index, code, default):
        at = self._at(index)
        return default if at is None else struct.unpack_from("<" + code, self.buf, at)[0]

    def _follow(self, at):
        return at + struct.unpack_from("<I", self.buf, at)[0]

    def table(self, index):
        at = self._at(index)
        return None if at is None else _Table(self.buf, self._follow(at))

    def vector(self, index, code):
        """A vector of scalars as a numpy array that borrows the file's bytes."""
        at = self._at(index)
        dtype = np.dtype(code).newbyteorder("<")
        if at is None:
            return np.zeros(0, dtype)
        start = self._follow(at)
        return np.frombuffer(self.buf, dtype, struct.unpack_from("<I", self.buf, start)[0], start + 4)

    def tables(self, index):
        at = self._at(index)
        if at is None:
            return []
        start = self._follow(at)
        count = struct.unpack_from("<I", self.buf, start)[0]
        return [_Table(self.buf, self._follow(start + 4 + 4 * i)) for i in range(count)]

    def text(self, index):
        return self.vector(index, np.uint8).tobytes().decode()


@dataclass
class Tensor:
    name: str
    shape: tuple
    dtype: type
    data: np.ndarray | None = None  # None: computed at run time


@dataclass
class Operator:
    kind: str
    inputs: list  # indices into Model.tensors; -1 is an optional input left out
    outputs: list
    options: dict = field(default_factory=dict)


@dataclass
class Model:
    tensors: list
    operators: list
    inputs: list
    outputs: list


def read(data: bytes) -> Model:
    if data[4:8] != b"TFL3":
        raise FormatError("not a TFLite model: the file identifier is %r, not b'TFL3'" % data[4:8])
    root = _Table(data, struct.unpack_from("<I", data, 0)[0])
    subgraphs = root.tables(2)
    if len(subgraphs) != 1:
        raise FormatError(f"{len(subgraphs)} subgraphs; only models with one are supported")
    graph = subgraphs[0]
    # Codes over 127 do not fit the old byte field; the larger of the two is the true one (schema.fbs).
    codes = [max(c.scalar(0, "b", 0), c.scalar(3, "i", 0)) for c in root.tables(1)]
    buffers = [b.vector(0, np.uint8) for b in root.tables(4)]
    return Model(tensors=[_tensor(t, buffers) for t in graph.tables(0)],
                 operators=[_operator(o, codes) for o in graph.tables(3)],
                 inputs=graph.vector(1, np.int32).tolist(), outputs=graph.vector(2, np.int32).tolist())


def _tensor(table, buffers):
    code = table.scalar(1, "b", 0)
    name = table.text(3)
    if code not in DTYPES:
        raise FormatError(f"tensor {name}: type {code} is not supported")
    shape = tuple(table.vector(0, np.int32).tolist())
    raw = buffers[table.scalar(2, "I", 0)]
    data = np.frombuffer(raw.tobytes(), DTYPES[code]).reshape(shape) if raw.size else None
    return Tensor(name, shape, DTYPES[code], data)


def _operator(table, codes):
    code = codes[table.scalar(0, "I", 0)]
    if code not in OPERATORS:
        raise FormatError(f"operator number {code} is not supported; add it to the reader and to the converter")
    kind = OPERATORS[code]
    options = table.table(4)
    values = {name: options.scalar(*spec) if options else spec[2] for name, spec in OPTIONS.get(kind, {}).items()}
    return Operator(kind, table.vector(1, np.int32).tolist(), table.vector(2, np.int32).tolist(), values)
