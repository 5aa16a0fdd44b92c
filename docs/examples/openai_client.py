"""The official Python client: only base URL and key are other ones."""

import os

from openai import OpenAI

client = OpenAI(base_url=os.environ.get("SOTTO_URL", "http://127.0.0.1:8484") + "/v1", api_key=os.environ["SOTTO_KEY"])
question = [{"role": "user", "content": "Write to Margaret Thornbury, m.thornbury@example.org."}]

answer = client.chat.completions.create(model="gpt-4", messages=question, extra_body={"compliance_mode": "hipaa"})
print(answer.choices[0].message.content)

for chunk in client.chat.completions.create(model="gpt-4", messages=question, stream=True):
    if chunk.choices and chunk.choices[0].delta.content:
        print(chunk.choices[0].delta.content, end="", flush=True)
print()
