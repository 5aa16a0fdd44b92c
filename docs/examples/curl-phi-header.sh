#!/bin/sh
# The caller brings the provider's key; the mode is hipaa.
# OPENAI_API_KEY goes to the OpenAI-compatible upstream of the gateway, and nowhere else.
set -eu
curl -sS --fail-with-body "${SOTTO_URL:-http://127.0.0.1:8484}/v1/chat/completions" \
	-H "x-compliantchatgpt-key: $SOTTO_KEY" -H "x-openai-key: $OPENAI_API_KEY" \
	-H "Content-Type: application/json" \
	-d '{
  "model": "gpt-3.5-turbo",
  "messages": [{"role": "user", "content": "Summarise: Margaret Thornbury, born 12 March 1961, has asthma."}]
}'
