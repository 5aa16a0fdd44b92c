#!/bin/sh
# The interface with sealed `messages`: one string goes, and `choices` comes back as one.
# curl has no keys of its own, so sealed_messages.py seals and opens; PYTHON names a Python with sotto-client.
set -eu
here=$(dirname "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tool() { "${PYTHON:-python3}" "$here/sealed_messages.py" "$1" "$folder/secret"; }
tool begin
messages=$(echo '[{"role": "user", "content": "Write to Margaret Thornbury, m.thornbury@example.org."}]' | tool seal)
curl -sS --fail-with-body "${SOTTO_URL:-http://127.0.0.1:8484}/v1/chat/completions" \
	-H "Authorization: Bearer $SOTTO_KEY" -H "Content-Type: application/json" \
	-d "{\"model\": \"gpt-4\", \"messages\": \"$messages\"}" >"$folder/answer"
tool open <"$folder/answer"
