#!/usr/bin/python3
"""Converts a TFLite model to ONNX: tflite_to_onnx.py IN.tflite OUT.onnx --inputs image --outputs landmarks,presence

ONNX Runtime cannot read TFLite, and the runtime that can is not packaged for Debian. Names are given in the order of
the TFLite model, which is the order the models' documentation uses.
"""
import argparse
import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # no root-owned __pycache__ in the tree after sudo
sys.path.insert(0, str(Path(__file__).resolve().parent))
from tflite.convert import convert  # noqa: E402
from tflite.reader import FormatError, read  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--inputs", required=True, help="comma-separated names for the inputs")
    parser.add_argument("--outputs", required=True, help="comma-separated names for the outputs")
    args = parser.parse_args()
    try:
        data = convert(read(args.source.read_bytes()), args.target.stem, args.inputs.split(","), args.outputs.split(","))
    except (OSError, FormatError) as error:
        sys.exit(f"tflite_to_onnx: {args.source}: {error}")
    part = args.target.with_name(args.target.name + ".part")
    part.write_bytes(data)
    os.replace(part, args.target)


if __name__ == "__main__":
    main()
