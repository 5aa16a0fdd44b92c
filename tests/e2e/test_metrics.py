#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""The admin listener: health on a thread of its own, Prometheus metrics without content, and the trace
context that goes on to the provider."""

import re
import subprocess
import threading

from lib import packages
from lib.canary import leaks
from lib.gateway import Gateway, config
from lib.provider import Provider
from lib.tap import Tap
from lib.wire import Client, wait_until

t = Tap()
provider = Provider()
own = Provider()
CONFIG = config(provider)
CONFIG["upstreams"]["house"] = {"kind": "openai", "url": own.url + "/v1", "trusted": True}
CONFIG["models"]["own-*"] = {"upstream": "house", "input_price": 1, "output_price": 2}
gateway = Gateway(CONFIG, admin=True)

SAMPLE = re.compile(r'([a-z_:][a-z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*)\})? ([0-9.e+]+|\+Inf)', re.A)
PERSON = "Wilhelmina Ostrander"
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def admin(path, method="GET"):
    with Client(gateway.admin_port) as client:
        return client.request(method, path)


def metrics():
    """Name and labels -> value; every line has to have the form."""
    body = admin("/metrics").body.decode()
    found, families = {}, {}
    for line in body.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in families, f"{name} is declared twice"
            families[name] = kind
        elif not line.startswith("# HELP "):
            match = SAMPLE.fullmatch(line)
            assert match, f"no sample: {line!r}"
            name, labels, value = match.groups()
            family = name if name in families else re.sub(r"_(bucket|sum|count)$", "", name)
            assert family in families, f"{name} belongs to no family"
            assert (name, labels) not in found, f"{line!r} stands twice"
            found[name, labels] = float(value)
    return found


def total(samples, name, *labels):
    return sum(value for (n, text), value in samples.items() if n == name and all(label in (text or "") for label in labels))


@t.case
def counts():
    for number in range(3):
        t.same(gateway.chat(f"My name is {PERSON} and I live in Springfield.", stream=number == 2).status, 200, "a request")
    gateway.chat("Hello", model="own-small")
    gateway.chat("Hello", key="ql_" + "x" * 12 + "_" + "y" * 32)
    gateway.chat("Hello", compliance_mode="no-such-mode")
    t.ok(wait_until(lambda: total(metrics(), "sotto_requests_total") == 6), "every request is counted")
    now = metrics()
    t.same(total(now, "sotto_requests_total", 'outcome="answered"', 'status="2xx"'), 4, "by outcome")
    t.same(total(now, "sotto_requests_total", 'status="4xx"'), 2, "and by class of status")
    t.same(total(now, "sotto_refusals_total", 'code="invalid_api_key"'), 1, "refusals by code")
    t.same(total(now, "sotto_entities_replaced_total", 'label="PERSON"'), 3, "entities by label")
    t.same(total(now, "sotto_requests_in_flight"), 0, "none is in flight")
    t.same(total(now, "gen_ai_server_request_duration_seconds_count", 'gen_ai_operation_name="chat"', 'gen_ai_provider_name="openai"'), 4, "OpenTelemetry's names")
    t.same(total(now, "gen_ai_client_token_usage_sum", 'gen_ai_token_type="input"', 'sotto_upstream="scripted"'), 27, "tokens as the provider counted them")
    t.same(total(now, "gen_ai_server_time_to_first_token_seconds_count"), 1, "the time to the first token, of the stream")
    t.ok(abs(total(now, "sotto_cost_total", 'gen_ai_request_model="own-*"') - (9 * 1 + 12 * 2) / 1e6) < 1e-12, "money where there are prices")
    for stage in ("receive", "protect", "wait", "answer", "own", "total"):
        t.ok(total(now, "sotto_stage_duration_seconds_count", f'stage="{stage}"') >= 4, f"a histogram of the stage {stage}")
    t.ok(total(now, "process_resident_memory_bytes") > 1e6 and total(now, "process_cpu_seconds_total") > 0, "and what the process takes")


@t.case
def histograms_are_whole():
    now = metrics()
    series = {}
    for (name, labels), value in now.items():
        if name.endswith("_bucket"):
            key = name[:-7], re.sub(r',?le="[^"]*"', "", labels)
            bound = re.search(r'le="([^"]*)"', labels)[1]
            series.setdefault(key, []).append((float(bound.replace("+Inf", "inf")), value))
    t.ok(series, "there are histograms")
    t.ok(all(points == sorted(points) and [v for _, v in points] == sorted(v for _, v in points) for points in series.values()), "bounds and counts rise")
    t.ok(all(points[-1] == (float("inf"), now[key[0] + "_count", key[1]]) for key, points in series.items()), "the last one has all")


@t.case
def no_content():
    body = admin("/metrics").body
    t.same(leaks(body, [PERSON, "Springfield"]), [], "no value of a request is in the metrics")
    before = {key[0] + (key[1] or "") for key in metrics()}
    for number in range(20):
        gateway.chat("Hello", model=f"made-up-{number}", user=f"user-{number}")
        gateway.request("GET", f"/no/such/route/{number}")
    more = {key[0] + (key[1] or "") for key in metrics()} - before
    t.ok(not any("made-up" in key or "route" in key or "user-" in key for key in more) and len(more) < 60, "what clients say makes no labels", sorted(more))


@t.case
def promtool():
    try:
        tool = packages.promtool()
    except packages.Missing as missing:
        t.skip("promtool has nothing to say about the metrics", str(missing))
        return
    done = subprocess.run([tool, "check", "metrics"], input=admin("/metrics").body, capture_output=True, timeout=60, check=False)
    t.same((done.returncode, done.stdout + done.stderr), (0, b""), "promtool has nothing to say about the metrics")


@t.case
def health_under_load():
    """All threads of the gateway work; the admin listener answers."""
    stop = threading.Event()
    text = f"{PERSON} wrote to anna.keller@example.org about invoice 4711. " * 400

    def load():
        while not stop.is_set():
            gateway.chat(text)

    threads = [threading.Thread(target=load) for _ in range(12)]
    for thread in threads:
        thread.start()
    answers = [(admin("/livez").status, admin("/readyz").status, admin("/metrics").status) for _ in range(20)]
    stop.set()
    for thread in threads:
        thread.join()
    t.same(set(answers), {(200, 200, 200)}, "livez, readyz and metrics answer under load")
    t.same(admin("/livez", "POST").status, 405, "nothing but GET")
    t.same(admin("/nothing").status, 404, "and nothing else")


@t.case
def trace_context():
    def sent(where, headers, **more):
        gateway.chat("Hello", headers=headers, **more)
        return where.last.get("traceparent"), where.last.get("tracestate")

    both = [("traceparent", PARENT), ("tracestate", "congo=t61rcWkgMzE")]
    t.same(sent(own, both, model="own-small"), (PARENT, "congo=t61rcWkgMzE"), "an upstream of our own gets traceparent and tracestate")
    t.same(sent(provider, both), (PARENT, None), "another one the traceparent alone: the state may be anything")
    t.same(sent(provider, both, stream=True), (PARENT, None), "with streams as well")
    for wrong in ("00-" + "0" * 32 + "-00f067aa0ba902b7-01", PARENT.upper(), PARENT + "-x", f"00-{PERSON}", ""):
        t.same(sent(provider, [("traceparent", wrong)]), (None, None), f"what is no traceparent goes nowhere: {wrong[:20]}")
    t.same(sent(provider, [("tracestate", "a=b")]), (None, None), "a state alone means nothing")


own.finish(t)
provider.finish(t)
gateway.finish(t)
t.done()
