"""Writes src/detect/ner/fold_table.c, the letters' folding of text.py as C tables."""

from . import paths, text

NAMES = ("latin", "greek", "extended")


def run():
    out = ["/* SPDX-License-Identifier: Apache-2.0 */", "", "/* Written by `python -m tagger fold` in model/; do not edit. */",
           "", '#include "detect/ner/fold.h"', "", "/* clang-format off */"]
    for name, (low, high) in zip(NAMES, text.FOLD_RANGES):
        out.append(f"const uint16_t sotto_ner_fold_{name}[0x{high + 1:x} - 0x{low:x}] = {{")
        cells = []
        for cp in range(low, high + 1):
            folded, upper = text.fold(cp)
            assert folded < 0x8000
            cells.append(f"0x{folded | (0x8000 if upper else 0):04x},")
        for i in range(0, len(cells), 12):
            out.append("    " + " ".join(cells[i:i + 12]))
        out += ["};", ""]
    out[-1] = "/* clang-format on */"
    path = paths.MODEL.parent / "src" / "detect" / "ner" / "fold_table.c"
    path.write_text("\n".join(out) + "\n")
