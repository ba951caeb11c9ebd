"""Turns a TFLite graph into an ONNX graph that computes the same numbers.

TFLite works in NHWC, ONNX's convolutions in NCHW. Inputs and outputs keep the TFLite layout, so that the caller sees the
documented shapes; inside, each rank-4 tensor stays NCHW for as long as its consumers allow, and a Transpose appears only
where one layout has to become the other.

The output is a pure function of the input: names come from tensor numbers, and opset and IR version are pinned, so that
the sha256 of the result can stand in the manifest.
"""
import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

from .reader import FormatError, Model, Operator, Tensor

OPSET = 13     # the newest in which ReduceMean still takes its axes as an attribute; every ORT >= 1.8 reads it
IR_VERSION = 7  # goes with opset 13; without the pin the version of python3-onnx would leak into the bytes

PLAIN, NCHW = "plain", "nchw"
TO_NCHW, TO_PLAIN = (0, 3, 1, 2), (0, 2, 3, 1)
NCHW_AXIS = (0, 2, 3, 1)  # position of each NHWC axis within NCHW

RELU, RELU6 = 1, 3  # ActivationFunctionType
SAME = 0            # Padding

BINARY = {"ADD": "Add", "SUB": "Sub", "MUL": "Mul", "DIV": "Div", "GREATER": "Greater", "PRELU": "PRelu"}
UNARY = {"LOGISTIC": "Sigmoid", "NEG": "Neg", "SQRT": "Sqrt"}


def same_padding(size, kernel, stride, dilation):
    """TFLite's SAME: the output is ceil(size / stride); an odd rest goes to the end, so stride 2 pads asymmetrically."""
    reach = (kernel - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


def fold_dequantize(model: Model):
    """fp16 weights become fp32 constants; the DEQUANTIZE operators go."""
    kept = []
    for op in model.operators:
        source = model.tensors[op.inputs[0]]
        if op.kind != "DEQUANTIZE":
            kept.append(op)
        elif source.data is None or source.dtype != np.float16:
            raise FormatError(f"DEQUANTIZE of {source.name}: only fp16 constants are supported")
        else:
            model.tensors[op.outputs[0]].data = source.data.astype(np.float32)
    model.operators = kept


def fuse_prelu(model: Model):
    """SELECT(x > 0, x, x * slope) is how some exporters spell PRELU, with the slope repeated for every pixel."""
    maker = {op.outputs[0]: op for op in model.operators}
    uses = [i for op in model.operators for i in op.inputs]
    gone = []
    for op in model.operators:
        if op.kind not in ("SELECT", "SELECT_V2"):
            continue
        x = op.inputs[1]
        test, product = maker.get(op.inputs[0]), maker.get(op.inputs[2])
        if not (test and product and test.kind == "GREATER" and product.kind == "MUL" and product.inputs[0] == x
                and test.inputs[0] == x and uses.count(op.inputs[0]) == uses.count(op.inputs[2]) == 1):
            continue
        zero, slope = model.tensors[test.inputs[1]].data, model.tensors[product.inputs[1]].data
        if zero is None or slope is None or zero.any() or product.options["activation"]:
            continue
        if slope.ndim == 4 and np.array_equal(slope, np.broadcast_to(slope[:, :1, :1], slope.shape)):
            slope = slope[:, :1, :1]
        model.tensors.append(Tensor("slope", slope.shape, slope.dtype.type, slope))
        op.kind, op.inputs, op.options = "PRELU", [x, len(model.tensors) - 1], {}
        gone += [test, product]
    model.operators = [op for op in model.operators if not any(op is g for g in gone)]


class Converter:
    def __init__(self, model: Model):
        self.model = model
        self.nodes, self.initializers = [], []
        self.names = {}  # (tensor, layout) -> name in the ONNX graph

    # --- values ---

    def shape(self, i):
        return self.model.tensors[i].shape

    def const(self, i):
        data = self.model.tensors[i].data
        if data is None:
            raise FormatError(f"{self.model.tensors[i].name}: only a constant is supported here")
        return data

    def initializer(self, name, array):
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], name=f"{kind}_{len(self.nodes)}", **attributes))
        return output

    def value(self, i, layout):
        """The ONNX name of tensor i in this layout; adds the constant or the Transpose it takes."""
        if (i, layout) in self.names:
            return self.names[i, layout]
        name, data = f"t{i}_{layout}", self.model.tensors[i].data
        if data is not None:
            if layout == NCHW:  # rank < 4 broadcasts over trailing axes, which are not NCHW's: make the rank explicit
                data = data.reshape((1,) * (4 - data.ndim) + data.shape).transpose(TO_NCHW)
            self.initializer(name, data)
        elif layout == NCHW:
            self.node("Transpose", [self.names[i, PLAIN]], name, perm=TO_NCHW)
        else:
            self.node("Transpose", [self.names[i, NCHW]], name, perm=TO_PLAIN)
        self.names[i, layout] = name
        return name

    def define(self, i, layout):
        self.names[i, layout] = f"t{i}_{layout}"
        return self.names[i, layout]

    def layout_of(self, op: Operator):
        """NCHW if the operator can stay in it: an input is there already and no computed operand has another rank."""
        computed = [i for i in op.inputs if i >= 0 and self.model.tensors[i].data is None]
        stays = all(len(self.shape(i)) == 4 for i in computed + op.outputs)
        return NCHW if stays and any((i, NCHW) in self.names for i in computed) else PLAIN

    def finish(self, op, layout, result=None):
        """Returns the name the operator's main node should write, and a function that adds the fused activation."""
        out, activation = self.define(op.outputs[0], layout), op.options.get("activation", 0)
        if not activation:
            return out, lambda: None
        raw = out + "_raw"
        if activation == RELU:
            return raw, lambda: self.node("Relu", [raw], out)
        if activation == RELU6:
            bounds = [self.initializer(out + "_low", np.float32(0)), self.initializer(out + "_high", np.float32(6))]
            return raw, lambda: self.node("Clip", [raw, *bounds], out)
        raise FormatError(f"{op.kind}: fused activation {activation} is not supported")

    # --- operators ---

    def windowed(self, op, kernel):
        """The attributes that convolution and pooling share."""
        o, (_, height, width, _) = op.options, self.shape(op.inputs[0])
        dilations = [o.get("dilation_h", 1), o.get("dilation_w", 1)]
        strides = [o["stride_h"], o["stride_w"]]
        top = left = bottom = right = 0
        if o["padding"] == SAME:
            top, bottom = same_padding(height, kernel[0], strides[0], dilations[0])
            left, right = same_padding(width, kernel[1], strides[1], dilations[1])
        shared = {"kernel_shape": list(kernel), "strides": strides, "pads": [top, left, bottom, right]}
        return shared if op.kind == "MAX_POOL_2D" else {**shared, "dilations": dilations}

    def convolution(self, op):
        x, weights, *bias = op.inputs
        w, channels = self.const(weights), self.shape(x)[3]
        depthwise = op.kind == "DEPTHWISE_CONV_2D"
        # TFLite: OHWI, and 1HW(C*m) for depthwise; ONNX: OIHW, one input channel a group for depthwise.
        w = w.transpose(3, 0, 1, 2) if depthwise else w.transpose(0, 3, 1, 2)
        if not depthwise and w.shape[1] != channels:
            raise FormatError(f"CONV_2D with {channels // w.shape[1]} groups is not supported")
        name, activate = self.finish(op, NCHW)
        inputs = [self.value(x, NCHW), self.initializer(name + "_w", w)]
        inputs += [self.value(b, PLAIN) for b in bias if b >= 0]
        self.node("Conv", inputs, name, group=channels if depthwise else 1, **self.windowed(op, w.shape[2:]))
        activate()

    def max_pool(self, op):
        kernel = (op.options["filter_h"], op.options["filter_w"])
        x = self.value(op.inputs[0], NCHW)
        name, activate = self.finish(op, NCHW)
        self.node("MaxPool", [x], name, **self.windowed(op, kernel))
        activate()

    def fully_connected(self, op):
        x, weights, *bias = op.inputs
        if len(self.shape(x)) != 2 or op.options["weights_format"]:
            raise FormatError("FULLY_CONNECTED: only rank-2 input and plain weights are supported")
        inputs = [self.value(i, PLAIN) for i in (x, weights, *bias) if i >= 0]
        name, activate = self.finish(op, PLAIN)
        self.node("Gemm", inputs, name, transB=1)
        activate()

    def pointwise(self, op):
        layout = self.layout_of(op)
        inputs = [self.value(i, layout) for i in op.inputs]
        name, activate = self.finish(op, layout)
        if op.kind == "RSQRT":
            self.node("Reciprocal", [self.node("Sqrt", inputs, name + "_sqrt")], name)
        elif op.kind == "SQUARED_DIFFERENCE":
            difference = self.node("Sub", inputs, name + "_sub")
            self.node("Mul", [difference, difference], name)
        elif op.kind in ("SELECT", "SELECT_V2"):
            self.node("Where", inputs, name)
        else:
            self.node({**BINARY, **UNARY}[op.kind], inputs, name)
        activate()

    def reduce(self, op):
        layout = self.layout_of(op) if op.options["keep_dims"] else PLAIN
        rank = len(self.shape(op.inputs[0]))
        axes = sorted(int(a) % rank for a in self.const(op.inputs[1]).ravel())
        if layout == NCHW:
            axes = sorted(NCHW_AXIS[a] for a in axes)
        x, name, keep = self.value(op.inputs[0], layout), self.define(op.outputs[0], layout), int(op.options["keep_dims"])
        if op.kind == "SUM":  # from opset 13 on ReduceSum alone takes its axes as an input
            self.node("ReduceSum", [x, self.initializer(name + "_axes", np.array(axes, np.int64))], name, keepdims=keep)
        else:
            self.node("ReduceMean", [x], name, axes=axes, keepdims=keep)

    def pad(self, op):
        layout, pads = self.layout_of(op), self.const(op.inputs[1]).astype(np.int64)
        if layout == NCHW:
            pads = pads[list(TO_NCHW)]
        x, name = self.value(op.inputs[0], layout), self.define(op.outputs[0], layout)
        self.node("Pad", [x, self.initializer(name + "_pads", pads.T.ravel())], name)

    def reshape(self, op):
        x, name = self.value(op.inputs[0], PLAIN), self.define(op.outputs[0], PLAIN)
        self.node("Reshape", [x, self.initializer(name + "_shape", np.array(self.shape(op.outputs[0]), np.int64))], name)

    def transpose(self, op):
        x, name = self.value(op.inputs[0], PLAIN), self.define(op.outputs[0], PLAIN)
        self.node("Transpose", [x], name, perm=self.const(op.inputs[1]).tolist())

    def concatenation(self, op):
        inputs = [self.value(i, PLAIN) for i in op.inputs]
        name, activate = self.finish(op, PLAIN)
        self.node("Concat", inputs, name, axis=op.options["axis"])
        activate()

    def softmax(self, op):
        if op.options["beta"] != 1:
            raise FormatError("SOFTMAX: only beta 1 is supported")
        x = self.value(op.inputs[0], PLAIN)
        self.node("Softmax", [x], self.define(op.outputs[0], PLAIN), axis=-1)

    def strided_slice(self, op):
        o, (source, *bounds) = op.options, op.inputs
        if o["ellipsis_mask"] or o["new_axis_mask"]:
            raise FormatError("STRIDED_SLICE: ellipsis and new axes are not supported")
        begin, end, step = (self.const(b).astype(np.int64).copy() for b in bounds)
        if (step < 1).any():
            raise FormatError("STRIDED_SLICE: only positive steps are supported")
        dropped = []
        for axis, size in enumerate(self.shape(source)):
            if o["begin_mask"] >> axis & 1:  # a set bit means: ignore the bound, take all
                begin[axis] = 0
            if o["shrink_axis_mask"] >> axis & 1:  # x[b]: one element, and the axis goes; the end does not count
                end[axis] = begin[axis] % size + 1
                dropped.append(axis)
            elif o["end_mask"] >> axis & 1:
                end[axis] = size
        x, name = self.value(source, PLAIN), self.define(op.outputs[0], PLAIN)
        sliced = name + "_sliced" if dropped else name
        parts = (begin, end, np.arange(len(begin)), step)
        inputs = [self.initializer(f"{name}_{k}", p) for k, p in zip(("begin", "end", "axes", "step"), parts)]
        self.node("Slice", [x, *inputs], sliced)
        if dropped:
            self.node("Squeeze", [sliced, self.initializer(name + "_dropped", np.array(dropped, np.int64))], name)

    HANDLERS = {
        "CONV_2D": convolution, "DEPTHWISE_CONV_2D": convolution, "MAX_POOL_2D": max_pool,
        "FULLY_CONNECTED": fully_connected, "MEAN": reduce, "SUM": reduce, "PAD": pad, "RESHAPE": reshape,
        "TRANSPOSE": transpose, "CONCATENATION": concatenation, "SOFTMAX": softmax, "STRIDED_SLICE": strided_slice,
        **dict.fromkeys([*BINARY, *UNARY, "RSQRT", "SQUARED_DIFFERENCE", "SELECT", "SELECT_V2"], pointwise),
    }

    def convert(self, name, input_names, output_names):
        model = self.model
        if len(input_names) != len(model.inputs) or len(output_names) != len(model.outputs):
            raise FormatError(f"the model has {len(model.inputs)} inputs and {len(model.outputs)} outputs; "
                              f"{len(input_names)} and {len(output_names)} names were given")
        self.names = {(i, PLAIN): given for i, given in zip(model.inputs, input_names)}
        for op in model.operators:
            if op.kind not in self.HANDLERS:
                raise FormatError(f"operator {op.kind} is not supported; add it to tools/tflite/convert.py")
            self.HANDLERS[op.kind](self, op)
        for i, given in zip(model.outputs, output_names):
            self.node("Identity", [self.value(i, PLAIN)], given)
        ports = [[helper.make_tensor_value_info(given, TensorProto.FLOAT, self.shape(i)) for i, given in zip(ids, names)]
                 for ids, names in ((model.inputs, input_names), (model.outputs, output_names))]
        graph = helper.make_graph(self.nodes, name, *ports, self.initializers)
        onnx_model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="pg_visage")
        onnx_model.ir_version = IR_VERSION
        checker.check_model(onnx_model, full_check=True)
        return onnx_model.SerializeToString(deterministic=True)


def convert(model: Model, name, input_names, output_names) -> bytes:
    fold_dequantize(model)
    fuse_prelu(model)
    return Converter(model).convert(name, input_names, output_names)
