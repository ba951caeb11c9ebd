#!/usr/bin/python3
"""Mean face of the portraits: build/bench/quality --meshes models | bench/quality_mean_face.py [--all]

Generalised Procrustes analysis (Gower 1975) of the meshes' points, made symmetric. Prints the points that
src/sidecar/quality/pose.cpp compares with; --all prints all 478 for tests/unit/sidecar/mean_mesh.inc. The unit is the
distance of the outer eye corners; pitch 0 is the median of the pictures, whose people look into the camera.
"""
import sys

import numpy as np

MIDDLE = [1, 4, 6, 168, 9, 197, 10, 151, 8, 5]
PAIRS = [(33, 263), (133, 362), (54, 284), (67, 297), (117, 346), (121, 350), (127, 356), (129, 358), (132, 361), (143, 372),
         (147, 376), (198, 420), (205, 425), (234, 454)]
POINTS = MIDDLE + [i for pair in PAIRS for i in pair]
MIRROR = list(range(len(MIDDLE))) + [len(MIDDLE) + (k ^ 1) for k in range(2 * len(PAIRS))]
LEFT, RIGHT = POINTS.index(33), POINTS.index(263)


def similarity(source, target):
    """Scale, rotation, shift with least squares (Umeyama 1991)."""
    a, b = source - source.mean(0), target - target.mean(0)
    u, s, v = np.linalg.svd(b.T @ a)
    sign = np.diag([1, 1, np.linalg.det(u @ v)])
    rotation = u @ sign @ v
    scale = (s * np.diag(sign)).sum() / (a ** 2).sum()
    return scale, rotation, target.mean(0) - scale * rotation @ source.mean(0)


def unit(mean):
    mean = mean - mean.mean(0)
    return mean / np.linalg.norm(mean[LEFT] - mean[RIGHT])


def level(mean, faces):
    """Turns the mean so that the median face has no pitch."""
    forward = [similarity(mean, face)[1] @ [0, 0, -1] for face in faces]
    angle = np.median([np.arcsin(f[1]) for f in forward])
    c, s = np.cos(angle), np.sin(angle)
    return mean @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]).T


def main():
    rows = [line.split() for line in sys.stdin]
    meshes = np.array([[float(v) for v in row[1:]] for row in rows]).reshape(len(rows), -1, 3)
    faces = meshes[:, POINTS, :]
    mean = unit(faces[0])
    for _ in range(30):
        moved = []
        for face in faces:
            scale, rotation, shift = similarity(face, mean)
            moved.append(scale * face @ rotation.T + shift)
        mean = np.mean(moved, 0)
        mean = level(unit((mean + mean[MIRROR] * [-1, 1, 1]) / 2), faces)
    if "--all" not in sys.argv:
        for index, (x, y, z) in zip(POINTS, mean):
            print(f"    {{{index}, {x:.4f}f, {y:.4f}f, {z:.4f}f}},")
        return
    moved = []
    for mesh, face in zip(meshes, faces):
        scale, rotation, shift = similarity(face, mean)
        moved.append(scale * mesh @ rotation.T + shift)
    for x, y, z in np.mean(moved, 0):
        print(f"{{{x:.3f}f, {y:.3f}f, {z:.3f}f}},")


main()
