#!/bin/sh
# The interface with Api-token and `anonymize`.
set -eu
curl -sS --fail-with-body "${SOTTO_URL:-http://127.0.0.1:8484}/v1/ai/completions" \
	-H "Api-token: $SOTTO_KEY" -H "Content-Type: application/json" \
	-d '{
  "model": "gpt-4",
  "messages": [{"role": "user", "content": "Write to Margaret Thornbury, m.thornbury@example.org."}],
  "anonymize": true
}'
