"""Damage, drawn from a seeded generator."""

import json
import struct
from random import Random
from typing import Any

NUMBERS = (0, -1, 1, 2, 3, 7, 255, 2**15, 10**6, 2**31, 2**63, 10**40, 0.5, -0.5, 1e30, -1e300, 1e308)
WORDS = ("", "x", "../..", "/etc/passwd", "\0", "\ud800", "a" * 5000, "NaN", "user/repo@main", "é\u202e<b>")
VALUES: tuple[Any, ...] = (
    *NUMBERS,
    *WORDS,
    None,
    True,
    False,
    [],
    {},
    [[]],
    ["a", ["b"]],
    [1, 2, 3],
    {"a": None},
    float("nan"),
    float("inf"),
    float("-inf"),
)


def damaged(data: bytes, random: Random) -> bytes:
    """Bytes flipped, overwritten, cut out, doubled or cut off, once or a few times."""
    content = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 5, 20))):
        if not content:
            break
        start = random.randrange(len(content))
        length = min(random.choice((1, 1, 4, 16, 200)), len(content) - start)
        kind = random.randrange(6)
        if kind == 0:
            content[start] ^= 1 << random.randrange(8)
        elif kind == 1:
            content[start : start + length] = random.randbytes(length)
        elif kind == 2:
            del content[start : start + length]
        elif kind == 3:
            content[start:start] = content[start : start + length]
        elif kind == 4:
            del content[start:]
        else:
            # A number as containers store it, near the beginning where the headers are.
            place = random.randrange(min(len(content), 4000))
            order = random.choice("<>")
            content[place : place + 4] = struct.pack(f"{order}I", random.choice((0, 1, 2**16, 2**31 - 1, 2**32 - 1)))
    return bytes(content)


def other_value(value: Any, random: Random) -> Any:
    """Something else in the place of a value, or somewhere within it."""
    if isinstance(value, dict) and value and random.random() < 0.7:
        name = random.choice(sorted(value))
        changed = dict(value)
        if random.random() < 0.15:
            del changed[name]
        else:
            changed[name] = other_value(value[name], random)
        return changed
    if isinstance(value, list) and value and random.random() < 0.5:
        index = random.randrange(len(value))
        return [*value[:index], other_value(value[index], random), *value[index + 1 :]]
    if type(value) in (int, float) and random.random() < 0.5:
        return random.choice((value * 2, value + 1, value - 1, -value, value * 1000, float(value)))
    return random.choice(VALUES)


def damaged_json(data: bytes, random: Random) -> bytes:
    """Another value in JSON, or other bytes."""
    kind = random.randrange(12)
    if kind == 0:
        return damaged(data, random)
    if kind == 1:
        return random.choice((b"", b"null", b"[" * 50_000, b"\xef\xbb\xbf" + data, data.decode().encode("utf-16")))
    content = json.loads(data)
    if kind == 2 and isinstance(content, dict):
        content[random.choice(("x", "_class_name", "_links", "attn_implementation", "num_labels"))] = random.choice(
            VALUES
        )
        return json.dumps(content).encode()
    if kind == 3:
        text = json.dumps(content)
        digits = [place for place, letter in enumerate(text) if letter.isdigit()]
        place = random.choice(digits) if digits else 0
        return (text[:place] + "9" * 5000 + text[place + 1 :]).encode()
    return json.dumps(other_value(content, random)).encode()


def damaged_weights(data: bytes, random: Random) -> bytes:
    """A safetensors file with another header, or with numbers that no training gives."""
    length = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + length]), bytearray(data[8 + length :])
    kind = random.randrange(8)
    if kind == 0:
        return damaged(data, random)
    if kind == 1:
        return random.choice((2**63, 2**40, 10**8, 0, length - 1)).to_bytes(8, "little") + data[8:]
    if kind == 2:
        header |= {f"extra.{n}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(60_000)}
    elif kind == 3:
        number = random.choice((float("nan"), float("inf"), -float("inf"), 1e30, 1e38, 1e-45))
        code = {"F32": "<f", "F16": "<e"}
        for entry in header.values():
            start, stop = entry.get("data_offsets", (0, 0))
            if entry.get("dtype") in code and (entry["dtype"] == "F32" or abs(number) < 6e4 or number != number):
                one = struct.pack(code[entry["dtype"]], number)
                body[start:stop] = one * ((stop - start) // len(one))
    elif kind == 4:
        name = random.choice([name for name in header if name != "__metadata__"])
        header[name]["dtype"] = random.choice(("F8_E4M3", "C64", "I64", "BF16", "BOOL", "U8", "Q", 3, None))
    elif kind == 5:
        name = random.choice([name for name in header if name != "__metadata__"])
        header[name]["shape"] = random.choice(([2**40], [-1], [2**62, 4], [], ["a"], None, [1] * 100))
    else:
        header = other_value(header, random)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(body)
