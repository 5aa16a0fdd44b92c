"""Labels and tags.  The order is part of the model file format (docs/wire/model-file.md)."""

LABELS = ("PERSON", "LOCATION", "ADDRESS", "ORG", "DATE", "AGE", "OCCUPATION", "NRP", "PHONE", "EMAIL", "URL",
          "ID", "SECRET")
LABEL_INDEX = {name: i for i, name in enumerate(LABELS)}

# Tag 0 is "outside"; label l has the four tags 1 + 4l ... 4 + 4l: begin, inside, end, single.
OUTSIDE = 0
BEGIN, INSIDE, END, SINGLE = range(4)
TAG_COUNT = 1 + 4 * len(LABELS)


def tag(label, part):
    return 1 + 4 * LABEL_INDEX[label] + part


def encode(label, length):
    """Tags of one span of `length` tokens."""
    if length == 1:
        return [tag(label, SINGLE)]
    return [tag(label, BEGIN)] + [tag(label, INSIDE)] * (length - 2) + [tag(label, END)]
