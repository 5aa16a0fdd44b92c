"""LlamaIndex: the address of the gateway, and, for sealing, one argument (`http_client`)."""

import os

from llama_index.core.llms import ChatMessage
from llama_index.llms.openai import OpenAI
from openai import DefaultAsyncHttpxClient, DefaultHttpxClient

from sotto_client import httpx_async_transport, httpx_transport

chat = OpenAI(
    model="gpt-4",
    api_base=os.environ.get("SOTTO_URL", "http://127.0.0.1:8484") + "/v1",
    api_key=os.environ["SOTTO_KEY"],
    http_client=DefaultHttpxClient(transport=httpx_transport()),
    async_http_client=DefaultAsyncHttpxClient(transport=httpx_async_transport()),
)
question = [ChatMessage(role="user", content="Write to Margaret Thornbury, m.thornbury@example.org.")]

print(chat.chat(question).message.content)

for chunk in chat.stream_chat(question):
    print(chunk.delta or "", end="", flush=True)
print()
