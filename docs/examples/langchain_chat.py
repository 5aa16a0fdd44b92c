"""LangChain: the address of the gateway, and, for sealing, one argument (`http_client`)."""

import os

from langchain_openai import ChatOpenAI
from openai import DefaultAsyncHttpxClient, DefaultHttpxClient

from sotto_client import httpx_async_transport, httpx_transport

chat = ChatOpenAI(
    model="gpt-4",
    base_url=os.environ.get("SOTTO_URL", "http://127.0.0.1:8484") + "/v1",
    api_key=os.environ["SOTTO_KEY"],
    http_client=DefaultHttpxClient(transport=httpx_transport()),
    http_async_client=DefaultAsyncHttpxClient(transport=httpx_async_transport()),
)
question = "Write to Margaret Thornbury, m.thornbury@example.org."

print(chat.invoke(question).content)

for chunk in chat.stream(question):
    print(chunk.content, end="", flush=True)
print()
