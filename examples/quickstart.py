"""The whole set-up: one line before the first call.

Needs `pip install llm-observer openai` and OPENAI_API_KEY. Run it twice, then look at `llm-observer report`.
"""

import openai

import llm_observer

llm_observer.patch()

client = openai.OpenAI()
completion = client.chat.completions.create(
    model="gpt-5.6",
    messages=[
        {"role": "system", "content": "You answer in one short sentence."},
        {"role": "user", "content": "What does a prompt cache do?"},
    ],
)
print(completion.choices[0].message.content)

total = llm_observer.summary().total
print(f"{total.calls} call, {total.input_tokens} input tokens, {total.cache_read_tokens} of them from the cache")
print(f"cost ${total.cost_usd:.6f}, saved ${total.saved_usd:.6f}, lost ${total.lost_usd:.6f}")
