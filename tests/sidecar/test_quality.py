"""POST /v1/quality and `visaged quality`."""
import json
import os
import struct
import subprocess

from fixture import CHANNEL, PERSON, STRANGER, HttpTest
from rig import bank, pictures
from rig.cluster import BASE
from rig.daemon import PROGRAM


class Quality(HttpTest):
    def ask(self, **parts):
        from rig.client import multipart
        body, kind = multipart(parts)
        return self.client.request("POST", "/v1/quality", body, {"Content-Type": kind})

    def check(self, reply, measure):
        self.assertEqual(200, reply.status, reply.body)
        return next(c for c in reply.json["checks"] if c["measure"] == measure)

    def test_each_check_has_value_limit_status_and_advice(self):
        """[6.1.3a] [6.1.3c] [7.4a] [7.4b] The portraits are 512 px wide, which is less than 7.4a asks for."""
        reply = self.ask(image=self.portrait(PERSON))
        width = self.check(reply, "ImageWidth")
        self.assertEqual(("fail", 512, "7.4a", "larger-picture"),
                         (width["status"], width["native"], width["clause"], width["advice"]))
        self.assertEqual(("iifaa", "fail"), (reply.json["profile"], reply.json["status"]))
        for measure in ("InterEyeDistance", "Sharpness", "FaceCompleteness", "FaceOcclusionPrevention",
                        "ExpressionNeutrality", "HeadPoseYaw", "HeadPosePitch", "HeadPoseRoll", "EyesOpen", "MouthClosed",
                        "GreyRange", "LightColour", "GeometricDistortion", "EyeGlare"):
            check = self.check(reply, measure)
            self.assertEqual("ok", check["status"], check)
            self.assertIsNotNone(check["native"])
            self.assertIsNone(check["advice"])
        face = reply.json["face"]
        self.assertTrue(0 < face["x"] < face["x"] + face["width"] < 512, face)

    def test_no_depth_map_is_undetermined_and_not_good(self):
        """[6.1.3d]"""
        check = self.check(self.ask(image=self.portrait(PERSON)), "DepthRelief")
        self.assertEqual(("undetermined", None), (check["status"], check["native"]))

    def test_a_flat_depth_map_fails(self):
        """[6.1.3d] [7.5h] As PNG and as raw rows: a wall, and a hole where the face is."""
        wall = pictures.depth_png(640, 400, lambda x, y: 700)
        reply = self.ask(image=self.portrait(PERSON), depth=wall, depth_frame=json.dumps({"unit_mm": 1, "skew_ms": 12}))
        self.assertEqual(("fail", 0), (self.check(reply, "DepthRelief")["status"], self.check(reply, "DepthRelief")["native"]))
        self.assertEqual("ok", self.check(reply, "DepthWidth")["status"])
        self.assertEqual(12, self.check(reply, "DepthSkew")["native"])
        raw = struct.pack("<H", 700) * (640 * 100) + struct.pack("<H", 0) * (640 * 300)
        reply = self.ask(image=self.portrait(PERSON), depth=raw, depth_frame=json.dumps({"width": 640, "height": 400}))
        self.assertEqual((0.25, "fail"), (self.check(reply, "DepthCompleteness")["native"],
                                          self.check(reply, "DepthCompleteness")["status"]))
        self.assertEqual("fail", self.check(reply, "DepthFeatureCompleteness")["status"])

    def test_profiles(self):
        reply = self.ask(image=self.portrait(PERSON), profile="photo-import")
        self.assertEqual((200, "ok"), (reply.status, reply.json["status"]), reply.body)
        self.assert_problem(self.ask(image=self.portrait(PERSON), profile="beauty"), 400, "INVALID_VALUE", "photo-import")

    def test_json_bodies(self):
        reply = self.client.post_json("/v1/quality", {"image": self.portrait(PERSON), "profile": "iifaa"})
        self.assertEqual(512, self.check(reply, "ImageWidth")["native"])

    def test_what_is_no_picture_is_a_problem(self):
        """[6.1.3b] And it says which part."""
        self.assert_problem(self.ask(image=pictures.faceless()), 422, "NO_FACE", '"image"')
        self.assert_problem(self.ask(profile="iifaa"), 400, "MISSING_PART", "image")
        image = self.portrait(PERSON)
        whole = pictures.depth_png(64, 64, lambda x, y: 500)
        for depth, frame, code in [(whole[:60], None, "UNREADABLE_IMAGE"), (b"\0" * 100, None, "UNSUPPORTED_IMAGE"),
                                   (b"\0" * 100, {"width": 64, "height": 64}, "UNREADABLE_IMAGE"),
                                   (pictures.faceless(), None, "UNSUPPORTED_IMAGE"),
                                   (b"\0" * 100, {"width": 30000, "height": 30000}, "IMAGE_TOO_LARGE")]:
            with self.subTest(code=code, frame=frame):
                parts = {"image": image, "depth": depth}
                if frame:
                    parts["depth_frame"] = json.dumps(frame)
                self.assert_problem(self.ask(**parts), 422, code, '"depth"')
        for frame in ({"unit_mm": 0}, {"unit_mm": "1"}, {"width": 1.5}, {"fx": 500}, {"colour": 1}, {"skew_ms": 1e300},
                      {"width": -1}):
            with self.subTest(frame=frame):
                reply = self.ask(image=image, depth=whole, depth_frame=json.dumps(frame))
                self.assert_problem(reply, 400, "INVALID_VALUE", "depth_frame")
        self.assert_problem(self.ask(image=image, depth_frame="{}"), 400, "MISSING_PART", "depth")

    def test_needs_its_own_right(self):
        """[8.1.4b]"""
        parts = {"image": self.portrait(PERSON)}
        from rig.client import multipart
        body, kind = multipart(parts)
        reply = self.connect(token="wrong").request("POST", "/v1/quality", body, {"Content-Type": kind})
        self.assert_problem(reply, 401, "UNAUTHENTICATED")

    def test_nothing_is_recorded(self):
        """[8.2.2h] A check is no capture: no event, no probe."""
        before = self.cluster.value("SELECT count(*) FROM visage.history")
        self.ask(image=self.portrait(STRANGER))
        self.assertEqual(before, self.cluster.value("SELECT count(*) FROM visage.history"))

    def test_channels_can_put_floors_under_the_measures(self):
        """[6.1.3c] [6.1.3b] The database refuses what the new measures say is too poor."""
        bank.make_channel(self.cluster, "sharp")
        floor = "INSERT INTO visage.channel_floor (institution, channel, measure, minimum) VALUES (1, 'sharp', 'Sharpness', {})"
        self.cluster.value(floor.format(0.1))
        reply = self.client.verify("nobody", self.portrait(PERSON), channel="sharp")
        self.assertEqual("UNKNOWN_SUBJECT", reply.code, reply.body)
        self.cluster.value("UPDATE visage.channel_floor SET minimum = 0.99 WHERE channel = 'sharp' AND measure = 'Sharpness'")
        reply = self.client.verify("nobody", self.portrait(PERSON), channel="sharp")
        self.assertEqual("QUALITY", reply.code, reply.body)
        self.assertEqual("UNKNOWN_SUBJECT", self.client.verify("nobody", self.portrait(PERSON), channel=CHANNEL).code)


class Command(HttpTest):
    def run_command(self, *arguments):
        return subprocess.run([PROGRAM, "quality", "--models", os.path.join(BASE, "models"), *arguments], text=True,
                              capture_output=True, timeout=120)

    def path(self, name):
        return os.path.join(pictures.PORTRAITS, name + ".jpg")

    def test_prints_a_table(self):
        """[6.1.3a]"""
        done = self.run_command(self.path(PERSON), self.path(STRANGER))
        self.assertEqual(1, done.returncode, done.stderr)  # 512 px are too few
        self.assertEqual(2, done.stdout.count("ImageWidth"))
        self.assertRegex(done.stdout, r"InterEyeDistance +7\.4f +[0-9.]+ px +[0-9]+ +>= 60 +ok")
        self.assertEqual(0, self.run_command("--profile", "photo-import", self.path(PERSON)).returncode)

    def test_json_is_the_apis(self):
        done = self.run_command("--json", self.path(PERSON))
        document = json.loads(done.stdout)
        import openapi
        openapi.validate(document, openapi.DOCUMENT["components"]["schemas"]["QualityReport"])

    def test_drawing_is_for_its_owner(self):
        """A picture of a person is readable by nobody else, whatever the umask says."""
        out = os.path.join(self.cluster.stage, "drawings")
        os.makedirs(out, exist_ok=True)
        before = os.umask(0)
        try:
            done = self.run_command("--draw", out, self.path(PERSON))
        finally:
            os.umask(before)
        self.assertEqual(1, done.returncode, done.stderr)
        drawing = os.path.join(out, os.path.basename(PERSON) + ".quality.png")
        self.assertEqual(0o600, os.stat(drawing).st_mode & 0o777)
        with open(drawing, "rb") as file:
            data = file.read()
        self.assertEqual((b"\x89PNG", 960), (data[:4], struct.unpack(">I", data[20:24])[0]))

    def test_misuse_and_bad_files(self):
        self.assertEqual(2, self.run_command().returncode)
        self.assertEqual(2, self.run_command("--profile", "beauty", self.path(PERSON)).returncode)
        self.assertEqual(2, self.run_command("--depth", "/dev/null", self.path(PERSON)).returncode)
        done = self.run_command("/no/such/file", self.path(PERSON))
        self.assertEqual(1, done.returncode)
        self.assertIn("/no/such/file", done.stderr)
        self.assertIn("ImageWidth", done.stdout)  # one bad file does not stop the others
