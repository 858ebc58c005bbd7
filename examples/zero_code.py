"""An application with nothing of llm-observer in it: see zero_code.md for how it is observed all the same."""

import openai

completion = openai.OpenAI().chat.completions.create(
    model="gpt-5.6",
    messages=[{"role": "user", "content": "What does a prompt cache do?"}],
)
print(completion.choices[0].message.content)
