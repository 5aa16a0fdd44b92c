#!/bin/sh
# The same as a stream; -N shows each event when it comes.
set -eu
curl -sS -N --fail-with-body "${SOTTO_URL:-http://127.0.0.1:8484}/v1/chat/completions" \
	-H "Authorization: Bearer $SOTTO_KEY" -H "Content-Type: application/json" \
	-d '{
  "model": "gpt-4",
  "stream": true,
  "messages": [{"role": "user", "content": "Write to Margaret Thornbury, m.thornbury@example.org."}]
}'
