#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A wall clock that jumps, and the minute of which requests without a key are one entry."""

import json
import shutil
import tempfile
import time

from lib.canary import ALL
from lib.faults import Faults, FaultyGateway
from lib.gateway import config
from lib.provider import Provider
from lib.tap import Tap
from lib.wire import wait_until

DAY = 86400
ENTRY = 57  # bytes of an entry in a bundle, with its length

t = Tap()
folder = tempfile.mkdtemp(prefix="sotto-clock-")
faults = Faults(folder)
provider = Provider()
gateway = FaultyGateway(faults, config(provider), admin=True)


def audit(*words):
    return gateway.command_line("audit", *words, "--state", str(gateway.state))


def ids():
    """Of all entries under the checkpoint, in their order."""
    found = []
    tiles = sorted((gateway.state / "audit/log/tile/entries").rglob("*"), key=lambda p: (p.parent.suffix, p.name))
    for path in tiles:
        if path.is_file():
            data = path.read_bytes()
            names = [data[at + 3 : at + 25].decode() for at in range(0, len(data), ENTRY)]
            found = names if len(names) > len(found) else found
    return found


def records(kind):
    shown = [json.loads(audit("show", "audit_" + name).stdout) for name in ids()]
    return [record for record in shown if record["kind"] == kind]


def entered(answer):
    """Whether the entry of an answer comes under a checkpoint."""
    name = answer.get("x-sotto-audit-id")
    return wait_until(lambda: gateway.request("GET", f"/v1/audit/{name}", gateway.headers()).status == 200, 60, 0.05)


def refuse(count):
    for _ in range(count):
        gateway.chat("Hello", key="ql_" + "x" * 12 + "_" + "y" * 32)


@t.case
def one_entry_a_minute():
    refuse(7)
    t.ok(entered(gateway.chat("Hello")), "an entry of a request")
    t.same(records("unauthenticated"), [], "requests without a key have no entries of their own")
    faults.set(steady_s=61)
    t.ok(wait_until(lambda: records("unauthenticated"), 60, 0.2), "a minute later there is one about them")
    t.same([r["count"] for r in records("unauthenticated")], [7], "which says how many there were")
    record = records("unauthenticated")[0]
    t.same((record["subject"], "key" in record), ("-", False), "and is about nobody")
    refuse(2)
    t.ok(entered(gateway.chat("Hello")), "more entries come")
    t.same(len(records("unauthenticated")), 1, "in the minute that runs there is no second one")
    faults.set(steady_s=200)
    t.ok(wait_until(lambda: len(records("unauthenticated")) == 2, 60, 0.2), "at its end there is")
    t.same(records("unauthenticated")[1]["count"], 2, "about those that came since")
    faults.set(steady_s=400)
    t.ok(entered(gateway.chat("Hello")), "and where none came")
    t.same(len(records("unauthenticated")), 2, "there is none")


def used(key, month):
    """Requests of a key in a month, as the command line says."""
    done = gateway.keys("usage", "--json", "--month", month)
    return next(row["requests"] for row in json.loads(done.stdout)["data"] if row["key"] == key[3:15])


def month_of(shift_s):
    return time.strftime("%Y-%m", time.gmtime(time.time() + shift_s))


@t.case
def months():
    """Requests are booked once, whatever the clock does between them."""
    key = gateway.make_key("--monthly-requests", "4")
    shifts = (0, 40 * DAY, 80 * DAY)
    months_ = [month_of(shift) for shift in shifts]
    for shift in shifts:  # faster than use is saved
        faults.set(wall_s=shift)
        t.same([gateway.chat("Hello", key=key).status for _ in range(2)], [200, 200], f"two requests {shift // DAY} days ahead")
    t.same([gateway.chat("Hello", key=key).status for _ in range(3)], [200, 200, 429], "each month has its own quota")
    faults.set(wall_s=0)
    t.same([gateway.chat("Hello", key=key).status for _ in range(3)], [200, 200, 429], "a clock that is set back finds the month as it was left")

    def booked():
        return [used(key, month) for month in months_]

    t.ok(wait_until(lambda: booked() == [4, 2, 4], 60, 0.5), "each request is booked once, in the month that the clock said", booked())
    t.same(gateway.stop(), 0, "the gateway stops")
    gateway.start()
    t.same(gateway.chat("Hello", key=key).status, 429, "when it starts, the month is spent still")

    other = gateway.make_key()
    faults.set(wall_s=shifts[2])
    for count in (1, 2):  # use of this month is saved twice: before the second time the month was read
        t.same(gateway.chat("Hello", key=other).status, 200, "the clock is set to a month of which this process knows nothing")
        t.ok(wait_until(lambda: used(other, months_[2]) == count, 60, 0.2), "which it reads when it saves")
    t.same(gateway.chat("Hello", key=key).status, 429, "that month is spent, too")
    faults.set(wall_s=0)
    t.same(gateway.chat("Hello", key=key).status, 429, "as is the one before")
    t.same(booked(), [4, 2, 4], "nothing was booked twice")


@t.case
def jumps():
    """The wall clock is set forward and back."""
    key = gateway.make_key("--requests-per-minute", "3")
    short = gateway.make_key("--expires", "1h")
    faults.set(wall_s=400 * DAY)
    t.same([gateway.chat("Hello", key=key).status for _ in range(4)], [200, 200, 200, 429], "400 days ahead requests are served, and limits hold")
    t.same(gateway.chat("Hello", key=short).status, 401, "a key that expires has expired by this clock")
    t.ok(entered(gateway.chat("Hello")), "entries are published")
    for back in (0, -400 * DAY):
        faults.set(wall_s=back)
        late = gateway.chat("Hello", key=key)
        t.same(late.status, 429, "a clock that is set back forgives nothing")
        t.ok(1 <= int(late.get("retry-after")) <= 61, "and nobody has to wait until it is there again", late.headers)
        t.same(gateway.chat("Hello", key=short).status, 200, "a key works before it expires")
        t.ok(entered(gateway.chat("Hello")), "entries are published at once")
    faults.set(wall_s=0)
    t.same(gateway.request("GET", "/v1/models", gateway.headers()).status, 200, "the gateway serves")
    vkey = audit("vkey").stdout.decode().strip()
    done = gateway.command_line("audit", "verify", str(gateway.state / "audit"), "--vkey", vkey)
    t.same(done.returncode, 0, "and the log is whole: its order is not that of the clock")


provider.finish(t)
gateway.finish(t, ALL)
shutil.rmtree(folder, ignore_errors=True)
t.done()
