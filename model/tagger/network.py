"""The tagger's network, in floating point but shaped like the integer program that runs in C.

  e    = word rows + word rows 2 + n-gram rows / sqrt(n) + shape row + flag rows + cluster row      (width 128)
  h0   = e
  h'   = h + conv3(act(h), dilation d) + b      for d in DILATIONS
  tags = head(act(h))

act() is the integer one from the first step on: round to 1/32, clip to 0 ... 127/32.  Rows are kept in multiples of
1/64 within one byte, weights in one byte with a power-of-two scale per output; both are rounded in the later part of
training only (`quant`).  docs/wire/model-file.md has the integer arithmetic.
"""

import torch
import torch.nn.functional as F
from torch import nn

from . import text
from .labels import TAG_COUNT

WIDTH = 128
DILATIONS = (1, 1, 2, 4, 6, 2, 1, 4, 1)
REACH = max(DILATIONS)  # padding between pieces
ACT_SCALE = 32.0
ROW_SCALE = 64.0
ROW_LIMIT = 127 / ROW_SCALE
MIN_SHIFT, MAX_SHIFT = 5, 12  # weights are multiples of 2^-5 ... 2^-12
WEIGHT_MAX = 63  # four products with activations fit 16 bits
WEIGHT_LIMIT = WEIGHT_MAX / 2 ** MIN_SHIFT


class _Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return torch.floor(x + 0.5)  # as (x + half) >> n rounds

    @staticmethod
    def backward(ctx, g):
        return g


def act(x):
    return _Round.apply(torch.clamp(x, 0, 127 / ACT_SCALE) * ACT_SCALE) / ACT_SCALE


def weight_shift(w):
    """Power of two k per output row so that w * 2^k fits WEIGHT_MAX."""
    top = w.detach().abs().amax(1).clamp_min(1e-8)
    return torch.floor(torch.log2(WEIGHT_MAX / top)).clamp(MIN_SHIFT, MAX_SHIFT)


def quantize_weight(w):
    k = torch.pow(2.0, weight_shift(w))[:, None]
    return _Round.apply(w * k) / k


class Tagger(nn.Module):
    def __init__(self, dilations=DILATIONS):
        super().__init__()
        self.dilations = dilations
        self.word = nn.Parameter(torch.randn(1 << text.WORD_BITS, WIDTH) * 0.12)
        self.gram = nn.Parameter(torch.randn(1 << text.GRAM_BITS, WIDTH) * 0.15)
        self.shape = nn.Parameter(torch.randn(text.SHAPE_ROWS, WIDTH) * 0.2)
        self.flag = nn.Parameter(torch.randn(text.FLAG_ROWS, WIDTH) * 0.15)
        self.cluster = nn.Parameter(torch.randn(text.CLUSTER_ROWS, WIDTH) * 0.15)
        self.conv = nn.ParameterList([nn.Parameter(torch.randn(WIDTH, 3 * WIDTH) * (0.9 / (3 * WIDTH) ** 0.5))
                                      for _ in dilations])
        self.bias = nn.ParameterList([nn.Parameter(torch.zeros(WIDTH)) for _ in dilations])
        self.head = nn.Parameter(torch.randn(TAG_COUNT, WIDTH) * 0.05)
        self.head_bias = nn.Parameter(torch.zeros(TAG_COUNT))
        self.quant = False

    def deepened(self):
        """The same with all of DILATIONS; a layer that is new adds nothing."""
        net = Tagger()
        with torch.no_grad():
            for w in net.conv[len(self.dilations):]:
                w.zero_()
        net.load_state_dict({**net.state_dict(), **self.state_dict()})
        return net

    def _rows(self, table):
        return _Round.apply(table * ROW_SCALE) / ROW_SCALE if self.quant else table

    def clamp(self):
        with torch.no_grad():
            for table in (self.word, self.gram, self.shape, self.flag, self.cluster):
                table.clamp_(-ROW_LIMIT, ROW_LIMIT)
            for w in list(self.conv) + [self.head]:
                w.clamp_(-WEIGHT_LIMIT, WEIGHT_LIMIT)

    def embed(self, batch, drop):
        word, gram = self._rows(self.word), self._rows(self.gram)
        w = F.embedding(batch["rows"][:, 0], word) + F.embedding(batch["rows"][:, 1], word)
        g = F.embedding_bag(batch["grams"], gram, batch["offsets"], mode="sum")
        scale = torch.rsqrt(batch["counts"].clamp_min(1).float())
        flags = batch["flags"]
        cluster_on = (batch["cluster"] > 0).float()
        if drop:
            n = len(w)
            w = w * (torch.rand(n, 1) > 0.12)
            scale = scale * (torch.rand(n) > 0.05)
            flags = flags * (torch.rand(n, 1) > 0.15)
            cluster_on = cluster_on * (torch.rand(n) > 0.12)
        e = w + g * scale[:, None] + F.embedding(batch["shape"], self._rows(self.shape))
        e = e + flags @ self._rows(self.flag)
        return e + F.embedding(batch["cluster"], self._rows(self.cluster)) * cluster_on[:, None]

    def forward(self, batch, drop=0.0):
        """`batch["mask"]` is 0 on padding rows: REACH of them stand between pieces."""
        mask = batch["mask"][:, None]
        h = self.embed(batch, drop > 0)
        for w, b, d in zip(self.conv, self.bias, self.dilations):
            a = act(h) * mask
            if drop:
                a = F.dropout(a, drop)
            pad = F.pad(a, (0, 0, d, d))
            n = len(a)
            window = torch.cat((pad[:n], pad[d:d + n], pad[2 * d:]), 1)
            h = h + F.linear(window, quantize_weight(w) if self.quant else w, b)
        a = act(h)
        if drop:
            a = F.dropout(a, drop)
        return F.linear(a, quantize_weight(self.head) if self.quant else self.head, self.head_bias)
