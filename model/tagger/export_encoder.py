"""Writes the encoder's file (docs/wire/encoder-file.md) from a checkpoint."""

import hashlib
import json
import math
import struct
import sys

import numpy as np
import torch

from . import encoder, paths, text
from .labels import LABEL_INDEX, TAG_COUNT
from .sections import ALIGN, HEADER, File

MAGIC, VERSION, PANEL = b"SOTTOENC", 1, 64
CONTINUES = 0x23230000


def load(name):
    net = encoder.Encoder(encoder.vocabulary().size)
    net.load_state_dict(torch.load(paths.WORK / f"{name}.pt")["net"])
    encoder.Product.quant = True
    return net.eval()


class _File(File):
    def floats(self, *shape):
        return torch.from_numpy(self.take(np.float32, *shape).copy())

    def matrix(self, linear, outputs, inputs, by=None):
        packed = self.take(np.int8, outputs // PANEL, inputs // 4, PANEL, 4)
        q = torch.from_numpy(packed.transpose(0, 2, 1, 3).reshape(outputs, inputs).astype(np.float32))
        scale, bias, _ = self.floats(outputs), self.floats(outputs), self.take(np.int32, outputs)
        by = torch.ones(outputs) if by is None else by
        n = len(linear.weight)
        linear.weight.copy_((q * (scale * by)[:, None])[:n])
        linear.bias.copy_((bias * by)[:n])

    def norm(self, layer):
        layer.weight.copy_(self.floats(encoder.WIDTH))
        layer.bias.copy_(self.floats(encoder.WIDTH))


def read(path):
    """The encoder that a file holds, its weights as rounded, without its leans."""
    file, width = _File(path), encoder.WIDTH
    rows, pieces = struct.unpack_from("<2I", file.raw, 76)
    net = encoder.Encoder(rows)
    queries = torch.ones(3 * width)
    queries[:width] = math.sqrt(width // encoder.HEADS)
    with torch.no_grad():
        file.take(np.uint32, 65537), file.take(np.uint32, pieces), file.take(np.uint16, pieces)
        table = file.take(np.int8, rows, width).astype(np.float32)
        net.rows.weight.copy_(torch.from_numpy(table) * file.floats(rows)[:, None])
        for part, count in ((net.positions, encoder.POSITIONS), (net.shapes, text.SHAPE_ROWS), (net.flags, text.FLAG_ROWS)):
            part.copy_(file.floats(count, width))
        file.norm(net.norm)
        for layer in net.layers:
            file.matrix(layer.qkv, 3 * width, width, queries)
            file.matrix(layer.out, width, width)
            file.norm(layer.norm1)
            file.matrix(layer.inner, encoder.INNER, width)
            file.matrix(layer.outer, width, encoder.INNER)
            file.norm(layer.norm2)
        file.matrix(net.head, PANEL, width)
        net.head.bias -= lean()
    assert file.at == len(file.raw)
    return net


def _vocabulary(words):
    entries = {}
    for seed, table in ((0, words.whole), (CONTINUES, words.part)):
        for points, row in table.items():
            h = text.hash_points(seed, points)
            assert entries.setdefault(h, row) == row, "two pieces share a hash"
    hashes = np.array(sorted(entries), np.uint32)
    index = np.searchsorted(hashes, np.arange(65536, dtype=np.uint64) << 16).astype(np.uint32)
    return (np.append(index, np.uint32(len(hashes))), hashes,
            np.array([entries[int(h)] for h in hashes], np.uint16))


def _rows(table):
    scale = np.maximum(np.abs(table).max(1), 1e-8) / 127
    return np.rint(table / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def _matrix(weight, bias, outputs=None):
    """Weights in panels, then scales, bias and sums of each output."""
    w, b = weight.detach().numpy().astype(np.float64), bias.detach().numpy().astype(np.float64)
    outputs = outputs or len(w)
    full, more = np.zeros((outputs, w.shape[1])), np.zeros(outputs)
    full[:len(w)], more[:len(w)] = w, b
    scale = np.maximum(np.abs(full).max(1), 1e-8) / encoder.WEIGHT_MAX
    q = np.rint(full / scale[:, None]).astype(np.int8)
    packed = q.reshape(outputs // PANEL, PANEL, -1, 4).transpose(0, 2, 1, 3).copy()
    return packed, scale.astype(np.float32), more.astype(np.float32), q.sum(1, dtype=np.int32)


def _norm(layer):
    return layer.weight.detach().numpy(), layer.bias.detach().numpy()


def _qkv(linear):
    """The queries divided by the root of a head's size, which the softmax asks for."""
    n = encoder.WIDTH
    by = torch.ones(3 * n)
    by[:n] = 1 / math.sqrt(n // encoder.HEADS)
    return linear.weight * by[:, None], linear.bias * by


def lean():
    """Per label the natural logarithm of odds that the encoder's tags get in favour of finding."""
    out = torch.zeros(TAG_COUNT)
    for label, value in json.loads((paths.WEIGHTS / "lean-large.json").read_text("utf-8")).items():
        at = 1 + 4 * LABEL_INDEX[label]
        out[at:at + 4] = value
    return out


def write(net, path, unsure=(60, 900)):
    """`unsure`: per mille; the probabilities of anything between which cascade has the encoder read."""
    words = encoder.vocabulary()
    index, hashes, ids = _vocabulary(words)
    rows, scales = _rows(net.rows.weight.detach().numpy())
    sections = [index, hashes, ids, rows, scales, net.positions.detach().numpy(), net.shapes.detach().numpy(),
                net.flags.detach().numpy(), *_norm(net.norm)]
    for layer in net.layers:
        sections += [*_matrix(*_qkv(layer.qkv)), *_matrix(layer.out.weight, layer.out.bias), *_norm(layer.norm1),
                     *_matrix(layer.inner.weight, layer.inner.bias), *_matrix(layer.outer.weight, layer.outer.bias),
                     *_norm(layer.norm2)]
    sections += _matrix(net.head.weight, net.head.bias + lean(), PANEL)
    body = b"".join(s.tobytes() + b"\0" * (-s.nbytes % ALIGN) for s in map(np.ascontiguousarray, sections))
    tail = struct.pack("<9I36s", encoder.LAYERS, TAG_COUNT, encoder.HEADS, encoder.INNER, encoder.POSITIONS, len(rows),
                       len(hashes), *unsure, b"")
    size = HEADER + len(body)
    head = struct.pack("<8sIIQ32s", MAGIC, VERSION, encoder.WIDTH, size, hashlib.sha256(tail + body).digest())
    path.write_bytes(head + tail + body)
    print(f"{path}: {size} bytes", file=sys.stderr)
