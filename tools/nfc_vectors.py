#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes spec/vectors/tokenizers/nfc.txt: texts and their normalisation form C, by Python's own tables.

Run it with Debian 12's python3, whose unicodedata module holds Unicode 14.0. A line is a text and its form C, in
hexadecimal UTF-8: every code point that form C changes, by itself and taken apart; then texts of letters, Hangul and marks
at random.
"""
import random
import sys
import unicodedata

VERSION = "14.0.0"
TEXTS = 1500


def lines():
    changing = []
    for code_point in range(0x110000):
        if 0xD800 <= code_point < 0xE000:
            continue
        char = chr(code_point)
        apart = unicodedata.normalize("NFD", char)
        # Hangul syllables follow a formula; one of 97 is enough.
        if apart != char and (not 0xAC00 <= code_point < 0xD7A4 or code_point % 97 == 0):
            changing.append(char)
            yield char
            yield apart
    marks = [chr(c) for c in range(0x110000) if unicodedata.combining(chr(c))]
    parts = sorted({c for char in changing for c in unicodedata.normalize("NFD", char)})
    jamo = [chr(c) for c in [*range(0x1100, 0x1113), *range(0x1161, 0x1176), *range(0x11A7, 0x11C3)]]
    unassigned = ["\u0378", "\u0bff", "\U0001e6ff", "\U000e0fff"]
    rng = random.Random(14)
    for _ in range(TEXTS):
        text = ""
        for _ in range(rng.randint(2, 12)):
            text += rng.choice(rng.choice([marks, marks, changing, parts, jamo, unassigned, ["a", "E", "o", " "]]))
        yield text


def main():
    if unicodedata.unidata_version != VERSION:
        sys.exit(f"needs Unicode {VERSION}, this python has {unicodedata.unidata_version}")
    with open("spec/vectors/tokenizers/nfc.txt", "w", encoding="ascii") as out:
        for text in lines():
            out.write(f"{text.encode().hex()} {unicodedata.normalize('NFC', text).encode().hex()}\n")


if __name__ == "__main__":
    main()
