"""What the browser's false camera shows: short videos made from the portraits, as raw YUV4MPEG2."""
import os
import sys

import cv2
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools"))
from rig.pictures import PORTRAITS  # noqa: E402

WIDTH, HEIGHT = 640, 480
FRAMES = 6


def load(name):
    return cv2.imread(os.path.join(PORTRAITS, name + ".jpg"))


def on_canvas(picture, side=HEIGHT, left=None):
    """The portrait on a wall of its own border's grey."""
    scaled = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    wall = np.full((HEIGHT, WIDTH, 3), scaled[:20].reshape(-1, 3).mean(axis=0).astype(np.uint8), np.uint8)
    left = (WIDTH - side) // 2 if left is None else left
    top = (HEIGHT - side) // 2
    wall[top:top + side, left:left + side] = scaled
    return wall


def write(path, frames):
    with open(path, "wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode())
        for frame in frames:
            file.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes())
    return path


def moved(frame, step):
    """A person does not hold quite still."""
    return cv2.warpAffine(frame, np.float32([[1, 0, step % 3], [0, 1, step % 2]]), (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)


def person(path, name):
    return write(path, [moved(on_canvas(load(name)), i) for i in range(FRAMES)])


def far_away(path, name):
    return write(path, [on_canvas(load(name), side=140)] * FRAMES)


def in_the_dark(path, name):
    return write(path, [(on_canvas(load(name)) * 0.12).astype(np.uint8)] * FRAMES)


def two_people(path, left, right):
    frame = on_canvas(load(left), side=320, left=0)
    frame[80:400, 320:640] = cv2.resize(load(right), (320, 320), interpolation=cv2.INTER_AREA)
    return write(path, [frame] * FRAMES)


def nobody(path):
    return write(path, [np.full((HEIGHT, WIDTH, 3), 128, np.uint8)] * FRAMES)
