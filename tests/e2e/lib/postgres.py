# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL of a test's own, started with tests/store/postgres."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from .wire import free_port, wait_until

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "store" / "postgres"
PATIENCE = 60


class Postgres:
    """Runs when made.  Role sotto, database postgres."""

    PASSWORD = "secret"

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sotto-pg-"))
        self.folder.chmod(0o755)
        subprocess.run([SCRIPT, "init", self.folder], check=True)
        self.port = free_port()
        self.process = None
        self.start()

    def url(self, password=PASSWORD, more=""):
        return f"postgresql://sotto:{password}@localhost:{self.port}/postgres{more}"

    def launch(self):
        self.process = subprocess.Popen([SCRIPT, "run", self.folder, str(self.port)])

    def start(self):
        """What was killed may need a moment until it can be started again."""
        self.launch()

        def up():
            if self.process.poll() is not None:
                self.launch()
            return self.sql("SELECT 1", check=False) == "1"

        if not wait_until(up, PATIENCE, 0.1):
            raise RuntimeError(f"PostgreSQL does not start: {(self.folder / 'server.log').read_text()[-2000:]}")
        return self

    def sql(self, text, check=True):
        """The one field of a result."""
        done = subprocess.run(
            ["psql", "-h", str(self.folder), "-p", str(self.port), "-U", "sotto", "-qtAX", "-c", text, "postgres"],
            env={**os.environ, "PGPASSWORD": self.PASSWORD, "PGCONNECT_TIMEOUT": "10"}, capture_output=True, check=check,
            timeout=PATIENCE,
        )
        return done.stdout.decode().strip()

    def family(self):
        """The server's processes."""
        found = [self.process.pid]
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                words = path.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(words[1]) == self.process.pid:
                found.append(int(path.parent.name))
        return found

    def signal_all(self, number):
        for pid in self.family():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def kill(self):
        self.signal_all(signal.SIGKILL)
        self.process.wait()

    def remove(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
