# SPDX-License-Identifier: Apache-2.0
"""TAP on standard output.  A case that raises is one failed check; the others still run."""

import sys
import traceback


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, good, what, detail=None):
        self.count += 1
        what = " ".join(what.replace("#", "No. ").split())
        print(f"{'ok' if good else 'not ok'} {self.count} - {what}", flush=True)
        if not good:
            self.failed += 1
            if detail is not None:
                for line in str(detail)[:4000].splitlines():
                    print(f"#   {line}", flush=True)
        return bool(good)

    def same(self, got, want, what):
        return self.ok(got == want, what, f"got  {shorten(got)}\nwant {shorten(want)}")

    def has(self, whole, part, what):
        return self.ok(part in whole, what, f"looked for {shorten(part)}\nin {shorten(whole)}")

    def lacks(self, whole, part, what):
        return self.ok(part not in whole, what, f"found {shorten(part)}\nin {shorten(whole)}")

    def skip(self, what, why):
        self.count += 1
        print(f"ok {self.count} - {what} # SKIP {why}", flush=True)

    def case(self, run):
        """Decorator: runs the function at once; its docstring or name is the sentence."""
        what = (run.__doc__ or run.__name__.replace("_", " ")).strip()
        try:
            run()
        except Exception:  # the next case is to run all the same
            self.ok(False, what, traceback.format_exc())
        return run

    def done(self):
        print(f"1..{self.count}", flush=True)
        sys.exit(1 if self.failed else 0)


def shorten(value, limit=1500):
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def skip_all(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)
