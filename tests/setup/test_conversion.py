"""The ONNX models compute what their TFLite sources compute: ONNX Runtime against a numpy interpreter of TFLite."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
MODELS = ROOT / "models"
RUNTIME = MODELS / "runtime"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pg_visage"
CONVERTED = [a for a in json.loads((ROOT / "tools/models.json").read_text())["artifacts"] if "convert" in a]
INPUTS = [(RUNTIME / "lib/libonnxruntime.so.1"), (RUNTIME / "include/onnxruntime_c_api.h"),
          *(MODELS / a["file"] for a in CONVERTED), *(CACHE / a["convert"]["sha256"] for a in CONVERTED)]
MISSING = [str(path) for path in INPUTS if not path.exists()]


@unittest.skipIf(MISSING, f"not there yet, run tools/setup: {', '.join(MISSING)}")
class Conversion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.runner = Path(cls.folder.name) / "run_onnx"
        subprocess.run(["cc", "-O1", "-I", RUNTIME / "include", Path(__file__).with_name("run_onnx.c"),
                        "-o", cls.runner, "-ldl"], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def onnx(self, entry, x):
        import numpy as np
        base = Path(self.folder.name) / entry["role"]
        x.astype("<f4").tofile(f"{base}.f32")
        done = subprocess.run([self.runner, RUNTIME / "lib/libonnxruntime.so.1", MODELS / entry["file"], f"{base}.f32",
                               base], check=True, capture_output=True, text=True)
        names = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("output ")]
        self.assertEqual(names, entry["convert"]["outputs"])
        return [np.fromfile(f"{base}.{i}.f32", "<f4") for i in range(len(names))]

    def check(self, role, scale, offset):
        import numpy as np
        import reference_tflite
        from tflite.reader import read
        entry = next(a for a in CONVERTED if a["role"] == role)
        model = read((CACHE / entry["convert"]["sha256"]).read_bytes())
        shape = model.tensors[model.inputs[0]].shape
        for seed in (1, 2):
            # White noise alone averages out in the first layers; blocks of it keep the deep ones busy.
            noise = np.random.default_rng(seed)
            x = noise.random(shape)
            if len(shape) == 4:
                x = (x + noise.random((1, 8, 8, shape[3])).repeat(shape[1] // 8, 1).repeat(shape[2] // 8, 2)) / 2
            x = (x * scale + offset).astype(np.float32)
            for name, ours, theirs in zip(entry["convert"]["outputs"], self.onnx(entry, x), reference_tflite.run(model, x)):
                theirs = theirs.ravel()
                self.assertTrue(np.isfinite(theirs).all(), name)
                # Relative to the output's own size: landmarks are pixels up to 256, scores stay below 1.
                error = np.abs(ours - theirs).max() / max(1, np.abs(theirs).max())
                self.assertLess(error, 1e-3, f"{role}.{name}")

    def test_mesh_equals_its_tflite_source(self):
        self.check("mesh", 1, 0)

    def test_expression_equals_its_tflite_source(self):
        self.check("expression", 200, 30)

    def test_liveness_equals_its_tflite_source(self):
        self.check("liveness", 255, 0)

    def test_conversion_is_reproducible(self):
        import hashlib
        for entry in CONVERTED:
            target = Path(self.folder.name) / entry["file"]
            subprocess.run([ROOT / "tools/tflite_to_onnx.py", CACHE / entry["convert"]["sha256"], target,
                            "--inputs", ",".join(entry["convert"]["inputs"]),
                            "--outputs", ",".join(entry["convert"]["outputs"])], check=True)
            self.assertEqual(hashlib.sha256(target.read_bytes()).hexdigest(), entry["sha256"], entry["role"])


class Refusals(unittest.TestCase):
    def convert(self, data):
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "x.tflite"
            source.write_bytes(data)
            done = subprocess.run([ROOT / "tools/tflite_to_onnx.py", source, f"{folder}/x.onnx", "--inputs", "a",
                                   "--outputs", "b"], capture_output=True, text=True)
            self.assertEqual(sorted(os.listdir(folder)), ["x.tflite"])
            return done

    def test_what_is_not_tflite_is_refused_by_name(self):
        done = self.convert(b"<html>404 Not Found</html>")
        self.assertEqual(done.returncode, 1)
        self.assertIn("x.tflite: not a TFLite model", done.stderr)


if __name__ == "__main__":
    unittest.main()
