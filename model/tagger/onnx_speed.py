"""The encoder of a model file in ONNX Runtime, beside the C program, both on one core: pieces a second in turns.

The graph is the one that torch exports, its matrices quantized to eight bits by ONNX Runtime's own dynamic quantization (a
scale for each output, as in the file).
"""

import os
import re
import statistics
import subprocess
import tempfile
import time

import torch
from torch import nn

from . import encoder, export_encoder, paths

SIZES = (126, 40)  # pieces of a passage, the one before and the one behind them not counted


class _OfIds(nn.Module):
    """The encoder as a function of pieces alone, each a token of its own."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, ids):
        count = ids.shape[1]
        firsts = torch.arange(1, count - 1)
        return self.net({"ids": ids, "firsts": firsts, "shape": torch.zeros(count - 2, dtype=torch.long),
                         "flags": torch.zeros(count - 2, 16)})


def _session(net, size, folder):
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic
    whole, small = os.path.join(folder, "float.onnx"), os.path.join(folder, "int8.onnx")
    ids = torch.randint(5, 19000, (1, size + 2))
    torch.onnx.export(_OfIds(net), (ids,), whole, input_names=["ids"], opset_version=15)
    quantize_dynamic(whole, small, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(small, options, providers=["CPUExecutionProvider"]), ids.numpy()


def _native(bench):
    """{pieces: pieces a second} as bench_encoder tells it for the fastest kernels, which it names last."""
    out = subprocess.run([bench, "3"], capture_output=True, text=True, check=True).stdout
    return {int(size): float(speed) for size, speed in re.findall(r"(\d+) pieces: median (\d+)", out)}


def run(bench, rounds=5):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    encoder.Product.quant = False
    net = export_encoder.read(paths.WEIGHTS / "large.bin").eval()
    theirs, ours = {size: [] for size in SIZES}, {size: [] for size in SIZES}
    with tempfile.TemporaryDirectory() as folder:
        sessions = {size: _session(net, size, folder) for size in SIZES}
        for _ in range(rounds):
            for size, speed in _native(bench).items():
                ours[size].append(speed)
            for size, (session, ids) in sessions.items():
                began, passages = time.process_time(), 0
                while time.process_time() - began < 1:
                    session.run(None, {"ids": ids})
                    passages += 1
                theirs[size].append(passages * size / (time.process_time() - began))
    for size in SIZES:
        a, b = ours[size], theirs[size]
        print(f"{size} pieces: ours {statistics.median(a):.0f} [{min(a):.0f} .. {max(a):.0f}] a second, ONNX Runtime "
              f"{statistics.median(b):.0f} [{min(b):.0f} .. {max(b):.0f}], {statistics.median(a) / statistics.median(b):.2f} times")
