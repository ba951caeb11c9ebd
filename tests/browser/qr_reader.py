"""Reads a QR code out of a screenshot, by ISO/IEC 18004 and apart from src/web/qr.js: it finds the code, reads level and
mask from the format, checks every block's error correction and takes the text. What is damaged is refused, not mended."""
import cv2
import numpy as np

# (codewords of correction in a block, blocks) for levels M, L, H, Q by version are the standard's table 9; here level L.
LEVEL_L = {version: (ecc, blocks) for version, ecc, blocks in zip(
    range(1, 41),
    (7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
     28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30),
    (1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8,
     8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25))}
MASKS = (lambda y, x: (y + x) % 2, lambda y, x: y % 2, lambda y, x: x % 3, lambda y, x: (y + x) % 3,
         lambda y, x: (y // 2 + x // 3) % 2, lambda y, x: y * x % 2 + y * x % 3,
         lambda y, x: (y * x % 2 + y * x % 3) % 2, lambda y, x: ((y + x) % 2 + y * x % 3) % 2)
POWERS = [1]
for _ in range(254):
    POWERS.append(POWERS[-1] << 1 ^ (0x11d if POWERS[-1] & 128 else 0))


def times(a, power):
    return 0 if a == 0 else POWERS[(POWERS.index(a) + power) % 255]


def find_modules(path, box):
    """Rows of 0 and 1. `box` is where the picture with its quiet zone of four lies, in pixels."""
    grey = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    x, y, width, height = (round(v) for v in box)
    dark = grey[y:y + height, x:x + width] < 128
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    code = dark[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
    finder = int(np.flatnonzero(~code[0])[0])  # seven modules of the upper left finder
    side = round(code.shape[1] / (finder / 7))
    side = 17 + 4 * round((side - 17) / 4)
    centres = ((np.arange(side) + 0.5) * code.shape[1] / side).astype(int)
    return code[np.ix_(centres, centres)].astype(int)


def is_function(version, side):
    taken = np.zeros((side, side), bool)
    taken[:9, :9] = taken[:9, -8:] = taken[-8:, :9] = True
    taken[6, :] = taken[:, 6] = True
    if version >= 7:
        taken[:6, -11:-8] = taken[-11:-8, :6] = True
    if version > 1:
        count = version // 7 + 2
        step = 26 if version == 32 else -(-(version * 4 + 4) // (count * 2 - 2)) * 2
        places = [6] + [side - 7 - step * i for i in range(count - 1)][::-1]
        for row in places:
            for column in places:
                if (row, column) not in ((6, 6), (6, side - 7), (side - 7, 6)):
                    taken[row - 2:row + 3, column - 2:column + 3] = True
    return taken


def read(path, box):
    modules = find_modules(path, box)
    side = len(modules)
    version = (side - 17) // 4
    bits = [modules[8][x] for x in (0, 1, 2, 3, 4, 5, 7, 8)] + [modules[y][8] for y in (7, 5, 4, 3, 2, 1, 0)]
    form = int("".join(map(str, bits)), 2) ^ 0x5412
    assert form >> 13 == 1, "not of level L"
    mask = MASKS[form >> 10 & 7]
    taken = is_function(version, side)
    stream, upward = [], True
    columns = [c for c in range(side - 1, 6, -2)] + [5, 3, 1]
    for right in columns:
        for row in range(side - 1, -1, -1) if upward else range(side):
            for column in (right, right - 1):
                if not taken[row][column]:
                    stream.append(modules[row][column] ^ (mask(row, column) == 0))
        upward = not upward
    codewords = [int("".join(str(int(b)) for b in stream[i:i + 8]), 2) for i in range(0, len(stream) - 7, 8)]
    ecc, count = LEVEL_L[version]
    short, longer = divmod(len(codewords) - ecc * count, count)
    blocks = [[] for _ in range(count)]
    at = 0
    for i in range(short + 1):
        for number, block in enumerate(blocks):
            if i < short or number >= count - longer:
                block.append(codewords[at])
                at += 1
    data = [byte for block in blocks for byte in block]
    for _ in range(ecc):
        for block in blocks:
            block.append(codewords[at])
            at += 1
    for block in blocks:
        for power in range(ecc):
            syndrome = 0
            for byte in block:
                syndrome = times(syndrome, power) ^ byte
            assert syndrome == 0, "a block is damaged"
    text = "".join(f"{byte:08b}" for byte in data)
    assert text[:4] == "0100", "not bytes"
    head = 12 if version < 10 else 20
    length = int(text[4:head], 2)
    return bytes(int(text[head + 8 * i:head + 8 * i + 8], 2) for i in range(length)).decode()
