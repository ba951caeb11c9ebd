"""A second, slow reading of the TFLite operators, to check the converter against.

Written from the operators' documentation, NHWC throughout, float32, nothing shared with tools/tflite/convert.py: windows
are cut out one by one and padding is found from TFLite's own output shapes, so that a mistake in either side shows.
"""
import numpy as np


def windows(x, kernel, out_shape, options, fill):
    """(N, OH, OW, KH, KW, C): the input under each position of the kernel."""
    steps, dilations = (options["stride_h"], options["stride_w"]), \
        (options.get("dilation_h", 1), options.get("dilation_w", 1))
    before = []
    for axis in (0, 1):
        need = (out_shape[1 + axis] - 1) * steps[axis] + (kernel[axis] - 1) * dilations[axis] + 1 - x.shape[1 + axis]
        assert options["padding"] == 0 or need <= 0, "VALID never reads outside the image"
        before.append(max(need, 0) // 2)
    result = np.full((x.shape[0], *out_shape[1:3], *kernel, x.shape[3]), fill, np.float32)
    for oy in range(out_shape[1]):
        for ox in range(out_shape[2]):
            for ky in range(kernel[0]):
                for kx in range(kernel[1]):
                    y = oy * steps[0] - before[0] + ky * dilations[0]
                    z = ox * steps[1] - before[1] + kx * dilations[1]
                    if 0 <= y < x.shape[1] and 0 <= z < x.shape[2]:
                        result[:, oy, ox, ky, kx] = x[:, y, z]
    return result


def conv(op, args, shape):
    x, w, *bias = args
    if w.shape[1:3] == (1, 1) and op.options["stride_h"] == op.options["stride_w"] == 1:
        out = x @ w[:, 0, 0].T
    else:
        out = np.tensordot(windows(x, w.shape[1:3], shape, op.options, 0), w, axes=([3, 4, 5], [1, 2, 3]))
    return out + bias[0] if bias else out


def depthwise(op, args, shape):
    x, w, *bias = args
    assert op.options["depth_multiplier"] == 1
    out = (windows(x, w.shape[1:3], shape, op.options, 0) * w[0]).sum(axis=(3, 4))
    return out + bias[0] if bias else out


def max_pool(op, args, shape):
    kernel = (op.options["filter_h"], op.options["filter_w"])
    return windows(args[0], kernel, shape, op.options, -np.inf).max(axis=(3, 4))


def strided_slice(op, args, shape):
    x, begin, end, step = args
    index = []
    for axis in range(len(begin)):
        bit = 1 << axis
        first = None if op.options["begin_mask"] & bit else int(begin[axis])
        if op.options["shrink_axis_mask"] & bit:
            index.append(first or 0)
        else:
            last = None if op.options["end_mask"] & bit else int(end[axis])
            index.append(slice(first, last, int(step[axis])))
    return x[tuple(index)]


def reduce(function):
    return lambda op, a, shape: function(a[0], axis=tuple(np.ravel(a[1])), keepdims=op.options["keep_dims"])


OPERATORS = {
    "CONV_2D": conv, "DEPTHWISE_CONV_2D": depthwise, "MAX_POOL_2D": max_pool, "STRIDED_SLICE": strided_slice,
    "MEAN": reduce(np.mean), "SUM": reduce(np.sum),
    "ADD": lambda op, a, s: a[0] + a[1], "SUB": lambda op, a, s: a[0] - a[1],
    "MUL": lambda op, a, s: a[0] * a[1], "DIV": lambda op, a, s: a[0] / a[1],
    "SQUARED_DIFFERENCE": lambda op, a, s: (a[0] - a[1]) ** 2,
    "GREATER": lambda op, a, s: a[0] > a[1], "SELECT": lambda op, a, s: np.where(a[0], a[1], a[2]),
    "PRELU": lambda op, a, s: np.maximum(a[0], 0) + a[1] * np.minimum(a[0], 0),
    "NEG": lambda op, a, s: -a[0], "SQRT": lambda op, a, s: np.sqrt(a[0]), "RSQRT": lambda op, a, s: a[0] ** -0.5,
    "LOGISTIC": lambda op, a, s: 1 / (1 + np.exp(-a[0])),
    "DEQUANTIZE": lambda op, a, s: a[0].astype(np.float32),
    "PAD": lambda op, a, s: np.pad(a[0], a[1].tolist()),
    "RESHAPE": lambda op, a, s: a[0].reshape(a[1].tolist()),
    "TRANSPOSE": lambda op, a, s: a[0].transpose(a[1]),
    "CONCATENATION": lambda op, a, s: np.concatenate(a, axis=op.options["axis"]),
    "FULLY_CONNECTED": lambda op, a, s: a[0] @ a[1].T + (a[2] if len(a) > 2 else 0),
}


def run(model, *inputs):
    """The model's outputs for these inputs."""
    values = {i: t.data for i, t in enumerate(model.tensors) if t.data is not None}
    values.update(zip(model.inputs, inputs))
    for op in model.operators:
        shape = model.tensors[op.outputs[0]].shape
        out = OPERATORS[op.kind](op, [values[i] for i in op.inputs if i >= 0], shape)
        assert out.shape == shape, f"{op.kind}: {out.shape} instead of {shape}"
        activation = op.options.get("activation", 0)
        assert activation in (0, 1), "NONE and RELU are all that the models use"
        values[op.outputs[0]] = np.maximum(out, 0) if activation else out
    return [values[i] for i in model.outputs]
