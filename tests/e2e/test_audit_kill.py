#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A gateway that is killed under load loses no entry of a request that it answered."""

from lib.audit_kills import kills
from lib.tap import Tap

t = Tap()
kills(t, 6)
t.done()
