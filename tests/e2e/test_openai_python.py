#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""The official OpenAI client for Python, as an application uses it."""

import asyncio
import json

from lib import packages
from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, config, need_binary
from lib.provider import Provider
from lib.scenarios import ASK, WANT, Scenarios
from lib.tap import Tap, skip_all
from lib.wire import wait_until

need_binary()
try:
    packages.under(packages.venv(*packages.OPENAI_TESTED))
    import openai
    from pydantic import BaseModel
except packages.Missing as missing:
    skip_all(str(missing))

t = Tap()
scenarios = Scenarios()
provider = Provider(scenarios)
gateway = Gateway(config(provider, models={"plain": "scripted", "gpt-4": "scripted", "*": "scripted"}))
BASE = f"http://127.0.0.1:{gateway.port}/v1"
client = openai.OpenAI(base_url=BASE, api_key=gateway.key, timeout=60)
MESSAGES = [{"role": "user", "content": ASK}]
TOOLS = [{"type": "function", "function": {"name": "mail", "parameters": {"type": "object", "properties": {"to": {"type": "string"}, "name": {"type": "string"}},
                                                                              "required": ["to", "name"], "additionalProperties": False}, "strict": True}}]


@t.case
def whole():
    answer = client.chat.completions.create(model="plain", messages=MESSAGES)
    t.same(answer.choices[0].message.content, WANT, "an answer is restored")
    t.ok(answer.id.startswith("qmchatcmpl-") and answer.model == "plain" and answer.usage.total_tokens == 21, "with id, model and usage", answer)
    t.ok(answer._request_id and answer._request_id.startswith("req_"), "and a request id", answer._request_id)
    answer = client.chat.completions.create(model="plain", messages=MESSAGES, n=2)
    t.same([c.message.content for c in answer.choices], [WANT, WANT], "n=2")
    answer = client.chat.completions.create(model="plain", messages=MESSAGES, extra_body={"compliance_mode": "hipaa", "encryption": "auto"})
    t.same(answer.choices[0].message.content, WANT, "with the gateway's own fields")


@t.case
def streamed():
    stream = client.chat.completions.create(model="plain", messages=MESSAGES, stream=True, stream_options={"include_usage": True})
    events = list(stream)
    t.same("".join(e.choices[0].delta.content or "" for e in events if e.choices), WANT, "a stream is restored")
    t.ok(events[-1].usage.total_tokens == 21 and not any(e.usage for e in events[:-1]), "usage comes last")
    with client.chat.completions.stream(model="plain", messages=MESSAGES, n=2, stream_options={"include_usage": True}) as stream:
        deltas = "".join(event.delta for event in stream if event.type == "content.delta")
        final = stream.get_final_completion()
    t.same([c.message.content for c in final.choices], [WANT, WANT], "the stream helper puts both choices together")
    t.ok(final.usage and final.usage.total_tokens == 21, "and keeps usage", final.usage)
    t.same(len(deltas), 2 * len(WANT), "its deltas are complete")


@t.case
def tools():
    want = {"to": EMAIL, "name": PERSON}
    call = client.chat.completions.create(model="tools", messages=MESSAGES, tools=TOOLS).choices[0].message.tool_calls[0]
    t.same((call.id, call.function.name, json.loads(call.function.arguments)), ("call_1", "mail", want), "a tool call is restored")
    with client.chat.completions.stream(model="tools", messages=MESSAGES, tools=TOOLS) as stream:
        final = stream.get_final_completion()
    call = final.choices[0].message.tool_calls[0]
    t.same((call.id, call.function.name, json.loads(call.function.arguments), call.function.parsed_arguments), ("call_1", "mail", want, want), "streamed, the helper parses it")
    history = [*MESSAGES, {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "mail", "arguments": json.dumps(want)}}]},
               {"role": "tool", "tool_call_id": "call_1", "content": json.dumps({"sent": EMAIL})}]
    t.same(client.chat.completions.create(model="plain", messages=history).choices[0].message.content, WANT, "and its result goes back")


class Letter(BaseModel):
    name: str
    mail: str


@t.case
def structured():
    answer = client.chat.completions.parse(model="structured", messages=MESSAGES, response_format=Letter)
    t.same(answer.choices[0].message.parsed, Letter(name=PERSON, mail=EMAIL), "structured output is parsed")
    with client.chat.completions.stream(model="structured", messages=MESSAGES, response_format=Letter) as stream:
        final = stream.get_final_completion()
    t.same(final.choices[0].message.parsed, Letter(name=PERSON, mail=EMAIL), "streamed as well")


@t.case
def retries():
    before = scenarios.tries.get("busy", 0)
    t.same(client.chat.completions.create(model="busy", messages=MESSAGES).choices[0].message.content, WANT, "429 is tried again by the client")
    t.same(scenarios.tries["busy"] - before, 3, "which asked three times")

    def raises(kind, what, **more):
        options = {"model": "plain", "messages": MESSAGES, **more}
        try:
            client.with_options(max_retries=options.pop("retries", 0)).chat.completions.create(**options)
        except kind as error:
            t.ok(True, what)
            return error
        except openai.OpenAIError as error:
            t.ok(False, what, repr(error))
            return error
        t.ok(False, what, "no exception")
        return None

    error = raises(openai.BadRequestError, "400 is BadRequestError", model="refused")
    t.same((error.code, error.param, error.body["message"]), ("odd", "messages", f"I do not know {PERSON}"), "with the provider's words, restored")
    raises(openai.InternalServerError, "500 is InternalServerError", model="failing")
    raises(openai.BadRequestError, "a mode that does not exist is BadRequestError", extra_body={"compliance_mode": "x"})
    limited = gateway.make_key("--monthly-requests", "1")
    poor = client.with_options(api_key=limited, max_retries=2)
    poor.chat.completions.create(model="plain", messages=MESSAGES)
    before = len(provider.seen)
    try:
        poor.chat.completions.create(model="plain", messages=MESSAGES)
        t.ok(False, "a spent quota is RateLimitError")
    except openai.RateLimitError as error:
        t.same((error.code, error.response.headers.get("x-should-retry")), ("insufficient_quota", "false"), "a spent quota is RateLimitError, not to be tried again")
    def spent():
        return [line for line in gateway.log_lines() if "insufficient_quota" in line]

    lines = wait_until(spent, 60)  # written behind the answer
    t.ok(len(lines) == 1 and len(provider.seen) == before, "and the client asked once", lines)
    try:
        client.with_options(api_key="ql_" + "0" * 12 + "_" + "0" * 32).models.list()
        t.ok(False, "a wrong key is AuthenticationError")
    except openai.AuthenticationError as error:
        t.same(error.code, "invalid_api_key", "a wrong key is AuthenticationError")


@t.case
def broken_streams():
    got = ""
    try:
        for event in client.chat.completions.create(model="broken", messages=MESSAGES, stream=True):
            got += event.choices[0].delta.content or ""
        t.ok(False, "a stream that breaks off raises", got)
    except openai.APIError as error:
        t.ok(got.startswith(f"Dear {PERSON}, we write to "), "a stream that breaks off raises, after what had come", f"{got!r} {error!r}")
    scenarios.gone.clear()
    stream = client.chat.completions.create(model="endless", messages=MESSAGES, stream=True)
    for event in stream:
        if event.choices[0].delta.content:
            break
    stream.close()
    t.ok(scenarios.gone.wait(20), "a stream that the client closes is closed at the provider")


@t.case
def others():
    t.ok([m.id for m in client.models.list()] == ["plain", "gpt-4"] or {m.id for m in client.models.list()} >= {"plain", "gpt-4"}, "models.list")
    t.same(client.models.retrieve("gpt-4").id, "gpt-4", "models.retrieve")
    try:
        openai.OpenAI(base_url=BASE, api_key=gateway.make_key("--scopes", "model:plain")).models.retrieve("gpt-4")
        t.ok(False, "a model out of scope is NotFoundError")
    except openai.NotFoundError:
        t.ok(True, "a model out of scope is NotFoundError")
    answer = client.embeddings.create(model="embed", input=[ASK, "plain"])
    t.same([len(answer.data), answer.data[0].embedding], [2, [0.25, -0.5]], "embeddings.create")
    raw = client.chat.completions.with_raw_response.create(model="plain", messages=MESSAGES)
    t.ok(raw.headers["x-sotto-entities"] == "2" and raw.parse().choices[0].message.content == WANT, "with_raw_response shows the headers")


@t.case
def asynchronous():
    async def work():
        async with openai.AsyncOpenAI(base_url=BASE, api_key=gateway.key, timeout=60) as many:
            async def one(stream):
                answer = await many.chat.completions.create(model="plain", messages=MESSAGES, stream=stream)
                if not stream:
                    return answer.choices[0].message.content
                return "".join([event.choices[0].delta.content or "" async for event in answer if event.choices])

            return await asyncio.gather(*(one(bool(i % 2)) for i in range(40)))

    t.same(set(asyncio.run(work())), {WANT}, "forty at once with the asynchronous client")


provider.finish(t)
gateway.finish(t)
t.done()
