"""Training of Sotto's compact tagger: see model/README.md."""
