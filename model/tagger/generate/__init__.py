"""Writes labelled text by grammar, in five languages: generate.documents(seed, lang) never ends."""

from .grammar import documents  # noqa: F401
