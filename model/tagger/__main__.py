"""One command a stage; see model/README.md."""

import argparse
import os
import pathlib
import sys

from . import paths


TAGGERS = ("small", "cascade", "large")  # enum sotto_tagger_kind


def _lexicon(a):
    from . import lexicon
    lexicon.build(a.vectors)


def _shard(a):
    from . import shards, teach
    for seed in a.seeds:
        shards.build(seed, teach.apply(), a.only, a.share)


def _taught(a):
    from . import shards, taught, teach
    for seed in a.seeds:
        shards.build(seed, teach.apply(), a.only, a.share, taught.Encoder)


def _passages(a):
    from . import passages, shards, teach
    for seed in a.seeds:
        shards.build(seed, teach.apply(), a.only, a.share, passages.Encoder)


def _train_encoder(a):
    # Without it MKL takes its slowest kernels on processors that are not Intel's: four times slower.
    os.environ.setdefault("MKL_DEBUG_CPU_TYPE", "5")
    from . import train_encoder
    train_encoder.run(a.name, a.steps, a.minutes, seed=a.seed, threads=a.threads, start=a.start)


def _train(a):
    from . import train
    train.run(a.name, a.steps, a.top, seed=a.seed, threads=a.threads, start=a.start, minutes=a.minutes)


def _average(a):
    from . import average
    average.run(a.out, a.names)


def _teach(_):
    from . import teach
    teach.run()


def _tune(a):
    from . import tune
    tune.run(a.name)


def _export(a):
    from . import evaluate, export, golden, tune
    from .lexicon import Lexicon
    net, lean = evaluate.load(str(paths.WORK / f"{a.name}.pt")), tune.load()
    export.write(net, Lexicon.load(), paths.WEIGHTS / "small.bin", lean)
    golden.write(net, lean)


def _export_encoder(a):
    from . import export_encoder
    export_encoder.write(export_encoder.load(a.name), paths.WEIGHTS / "large.bin", unsure=(a.unsure_from, a.unsure_to))


def _evaluate(a):
    from . import evaluate, native
    reader = native.Native(paths.WEIGHTS / "small.bin", a.kernels, large=paths.WEIGHTS / "large.bin",
                           kind=TAGGERS.index(a.tagger))
    evaluate.run(reader, a.split, a.only, a.limit, a.markdown)


def _program(a):
    from . import program
    program.run(a.sotto, a.split, a.tagger)


def _compare(a):
    from . import compare
    compare.run(a.tagger)


def _onnx_speed(a):
    from . import onnx_speed
    onnx_speed.run(a.bench)


def _fold(_):
    from . import gen_fold
    gen_fold.run()


def main():
    parser = argparse.ArgumentParser(prog="python -m tagger")
    sub = parser.add_subparsers(required=True)

    def stage(name, run, needs_data=True):
        p = sub.add_parser(name)
        p.set_defaults(run=run, needs_data=needs_data)
        return p

    stage("lexicon", _lexicon).add_argument("--vectors", required=True)
    for name, run in (("shard", _shard), ("taught", _taught), ("passages", _passages)):
        p = stage(name, run)
        p.add_argument("seeds", type=int, nargs="+")
        p.add_argument("--only", action="append", help="name of a source; may be repeated")
        p.add_argument("--share", type=float, default=1.0, help="of the usual amount of generated text")
    p = stage("train-encoder", _train_encoder)
    p.add_argument("--steps", type=int, default=3500)
    p.add_argument("--minutes", type=float, help="end by the clock instead of after --steps")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--start", type=pathlib.Path, help="go on from this file, such as weights/large.bin")
    p.add_argument("--name", default="large")
    p = stage("train", _train)
    p.add_argument("--steps", type=int, default=7000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--minutes", type=float, help="end by the clock instead of after --steps")
    p.add_argument("--name", default="small")
    p.add_argument("--start", type=pathlib.Path, help="go on from this file, such as weights/small.bin, and learn from it too")
    p.add_argument("--top", type=float, default=2.5e-3, help="highest rate")
    p = stage("average", _average)
    p.add_argument("out")
    p.add_argument("names", nargs="+", metavar="NAME[:WEIGHT]")
    stage("teach", _teach)
    stage("tune", _tune).add_argument("--name", default="small")
    stage("export", _export).add_argument("--name", default="small")
    p = stage("export-encoder", _export_encoder)
    p.add_argument("--name", default="large")
    p.add_argument("--unsure-from", type=int, default=60, help="per mille: where small is unsure, for cascade")
    p.add_argument("--unsure-to", type=int, default=900)
    p = stage("evaluate", _evaluate)
    p.add_argument("--tagger", choices=TAGGERS, default="small")
    p.add_argument("split", nargs="?", default="tune", choices=("tune", "held"))
    p.add_argument("--only")
    p.add_argument("--limit", type=int)
    p.add_argument("--kernels")
    p.add_argument("--markdown", action="store_true", help="the tables of docs/model-card.md")
    p = stage("program", _program)
    p.add_argument("sotto", help="the program that was built")
    p.add_argument("split", nargs="?", default="tune", choices=("tune", "held"))
    p.add_argument("--tagger", choices=(*TAGGERS, "none"), default="small")
    stage("compare", _compare).add_argument("--tagger", choices=("small", "large"), default="small")
    stage("onnx-speed", _onnx_speed, needs_data=False).add_argument("bench", help="bench_encoder that was built")
    stage("fold", _fold, needs_data=False)
    a = parser.parse_args()
    if a.needs_data and paths.data() is None:
        print("skipped: SOTTO_DATA does not name a folder that holds data/", file=sys.stderr)
        return 0
    a.run(a)
    return 0


if __name__ == "__main__":
    sys.exit(main())
