"""Bits of the lexicon: on which lists a word stands."""

FLAGS = ("FIRST_TOP", "FIRST", "LAST_TOP", "LAST", "CITY_BIG", "CITY", "COUNTRY", "REGION", "LEGAL", "JOB", "STREET",
         "NRP", "TITLE", "COMMON", "CITY_PART", "CALENDAR")
FLAG = {name: 1 << i for i, name in enumerate(FLAGS)}
