"""LiteLLM as a library: the address of the gateway, and, for sealing, a client of one's own."""

import os

import litellm
import openai

from sotto_client import httpx_transport

client = openai.OpenAI(
    base_url=os.environ.get("SOTTO_URL", "http://127.0.0.1:8484") + "/v1",
    api_key=os.environ["SOTTO_KEY"],
    http_client=openai.DefaultHttpxClient(transport=httpx_transport()),
)
question = [{"role": "user", "content": "Write to Margaret Thornbury, m.thornbury@example.org."}]

print(litellm.completion(model="openai/gpt-4", messages=question, client=client).choices[0].message.content)

for chunk in litellm.completion(model="openai/gpt-4", messages=question, client=client, stream=True):
    print(chunk.choices[0].delta.content or "", end="", flush=True)
print()
