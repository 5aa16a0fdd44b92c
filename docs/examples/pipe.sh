#!/bin/sh
# A text goes through a tool that must not see who it is about: standard input, the tool, standard
# output. Here the tool is `tr`, as an example of something that knows nothing of Sotto.
# The map is complete when `redact` has ended, so `restore` begins behind it. SOTTO names the program.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${SOTTO:-sotto}" redact --map "$folder/map" | tr 'a-z' 'A-Z' >"$folder/answer"
"${SOTTO:-sotto}" restore --map "$folder/map" <"$folder/answer"
