#!/bin/sh
# The OpenAI API, with the fields `encryption` and `compliance_mode`.
# SOTTO_URL and SOTTO_KEY name the gateway and a key of it.
set -eu
curl -sS --fail-with-body "${SOTTO_URL:-http://127.0.0.1:8484}/v1/chat/completions" \
	-H "Authorization: Bearer $SOTTO_KEY" -H "Content-Type: application/json" \
	-d '{
  "model": "gpt-4",
  "messages": [{"role": "user", "content": "Write to Margaret Thornbury, m.thornbury@example.org."}],
  "encryption": "kyber512",
  "compliance_mode": "hipaa"
}'
