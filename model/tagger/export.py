"""Writes the model file (docs/wire/model-file.md) from a checkpoint and the lexicon."""

import hashlib
import struct
import sys

import numpy as np
import torch

from . import network, paths, text
from .labels import LABELS, TAG_COUNT
from .sections import ALIGN, HEADER, File

MAGIC, VERSION, HEAD = b"SOTTONER", 1, 64
ACT_BITS, STREAM_BITS, LOGIT_BITS = 5, 9, 8


def _rows(table):
    return np.clip(np.floor(table.detach().numpy() * network.ROW_SCALE + 0.5), -127, 127).astype(np.int8)


def _pack(weights):
    """[outputs, inputs] -> [inputs / 4][outputs][4]"""
    out, inp = weights.shape
    return weights.reshape(out, inp // 4, 4).transpose(1, 0, 2).copy()


def matrix(w, b, out_bits, outputs):
    """(packed weights, bias, shift): (sum + bias) >> shift is the product in 2^-out_bits."""
    k = network.weight_shift(w).numpy().astype(np.int64)
    scaled = np.clip(np.floor(w.detach().numpy() * 2.0 ** k[:, None] + 0.5), -network.WEIGHT_MAX, network.WEIGHT_MAX).astype(np.int8)
    shift = k + ACT_BITS - out_bits
    bias = np.floor(b.detach().numpy().astype(np.float64) * 2.0 ** (k + ACT_BITS) + 0.5).astype(np.int64) + (1 << (shift - 1))
    full = np.zeros((outputs, w.shape[1]), np.int8)
    full[:len(scaled)] = scaled
    bias = np.concatenate((bias, np.zeros(outputs - len(bias), np.int64)))
    shift = np.concatenate((shift, np.ones(outputs - len(shift), np.int64)))
    assert shift.min() >= 1 and shift.max() <= 15 and abs(bias).max() < 1 << 26
    return _pack(full), bias.astype(np.int32), shift.astype(np.int32)


def lean_offset(raw):
    """Where the leans stand in a model file."""
    layers, _, word, gram, shapes, flags, clusters, _ = struct.unpack_from("<8I", raw, 56)
    pad = lambda n: -(-n // ALIGN) * ALIGN  # noqa: E731
    at = HEADER
    for rows in (1 << word, 1 << gram, shapes, flags, clusters):
        at += pad(rows * network.WIDTH)
    at += layers * (pad(3 * network.WIDTH * network.WIDTH) + 2 * pad(4 * network.WIDTH))
    return at + pad(network.WIDTH * HEAD) + 2 * pad(4 * HEAD)


class _File(File):
    def rows(self, table, count):
        """A hashed table that has grown holds what was read over and over: an index modulo less finds the same."""
        read = torch.from_numpy(self.take(np.int8, count, network.WIDTH) / np.float32(network.ROW_SCALE))
        table.copy_(read.repeat(len(table) // count, 1))

    def matrix(self, w, b, out_bits, outputs):
        packed = self.take(np.int8, w.shape[1] // 4, outputs, 4)
        bias, shift = self.take(np.int32, outputs).astype(np.int64), self.take(np.int32, outputs).astype(np.int64)
        q = packed.transpose(1, 0, 2).reshape(outputs, w.shape[1])
        k, n = shift - ACT_BITS + out_bits, len(w)
        w.copy_(torch.from_numpy(q / 2.0 ** k[:, None])[:n])
        b.copy_(torch.from_numpy((bias - (1 << (shift - 1))) / 2.0 ** (k + ACT_BITS))[:n])


def read(path, deeper=True):
    """The network that a file holds, as rounded.  Layers that it has and the file has not add nothing, yet; rows that
    it has more of say what the file's say."""
    file = _File(path)
    layers, tags, word, gram = struct.unpack_from("<4I", file.raw, 56)
    net = network.Tagger(tuple(file.raw[88:88 + layers]))
    assert tags == TAG_COUNT and net.dilations == network.DILATIONS[:layers]
    with torch.no_grad():
        file.rows(net.word, 1 << word)
        file.rows(net.gram, 1 << gram)
        for table in (net.shape, net.flag, net.cluster):
            file.rows(table, len(table))
        for w, b in zip(net.conv, net.bias):
            file.matrix(w, b, STREAM_BITS, network.WIDTH)
        file.matrix(net.head, net.head_bias, LOGIT_BITS, HEAD)
    return net.deepened() if deeper else net


def write(net, lexicon, path, lean=None):
    sections = [_rows(net.word), _rows(net.gram), _rows(net.shape), _rows(net.flag), _rows(net.cluster)]
    for w, b in zip(net.conv, net.bias):
        sections += matrix(w, b, STREAM_BITS, network.WIDTH)
    sections += matrix(net.head, net.head_bias, LOGIT_BITS, HEAD)
    leans = np.zeros(16, np.int32)
    for i, label in enumerate(LABELS):
        leans[i] = round(256 * (lean or {}).get(label, 0.0))
    sections.append(leans)
    index = np.searchsorted(lexicon.hashes, np.arange(65536, dtype=np.uint64) << 16).astype(np.uint32)
    sections += [np.append(index, np.uint32(len(lexicon.hashes))), lexicon.hashes, lexicon.flags, lexicon.clusters]
    body = b""
    for s in sections:
        raw = s.tobytes()
        body += raw + b"\0" * (-len(raw) % ALIGN)
    dilations = bytes(net.dilations) + b"\0" * (16 - len(net.dilations))
    tail = struct.pack("<8I16s24s", len(net.dilations), TAG_COUNT, text.WORD_BITS, text.GRAM_BITS, text.SHAPE_ROWS,
                       text.FLAG_ROWS, text.CLUSTER_ROWS, len(lexicon.hashes), dilations, b"")
    size = HEADER + len(body)
    head = struct.pack("<8sIIQ32s", MAGIC, VERSION, network.WIDTH, size, hashlib.sha256(tail + body).digest())
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(head + tail + body)
    print(f"{path}: {size} bytes", file=sys.stderr)
