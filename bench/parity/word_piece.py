"""Writes test/model/fixtures/word-piece.json: a small vocabulary, texts of every kind of trouble, and the tokens and
code-point spans that Hugging Face's tokenizers gives for them as the uncased BERT is set up.

    python bench/parity/word_piece.py        needs tokenizers
"""

import json
import random
from pathlib import Path

from tokenizers import BertWordPieceTokenizer

characters = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'\"-$+<>|~`^_ßøłαβд中文字あ한🦓👩々豈"
# A text that names a special token is not among the texts: here it is a text like others, there the token.
words = "red car cafe zebra naive istanbul dog the ² ½ ™ i å".split()
tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
tokens += [*dict.fromkeys(characters), *("##" + c for c in dict.fromkeys(characters) if c.isalnum()), *words, "##s", "##bra", "##ing"]
tokens = list(dict.fromkeys(token for token in tokens if token.strip()))
vocabulary = {token: index for index, token in enumerate(tokens)}
tokenizer = BertWordPieceTokenizer(vocabulary)

texts = [
    "",
    " ",
    "A red car.",
    "Café NAÏVE Ångström İstanbul ıi ẞ ß straße",
    "cafe\u0301s cafe\u0301 \u0301cafe e\u0301\u0302x",
    "中文字car中 あ한국 \u3000red",
    "🦓 zebra🦓zebra 👩\u200d🚀 👩🏽 ❤\ufe0f",
    "don't \"quote\" a-b a_b $5+$6 <red> |~` ^",
    "“curly” ‘quotes’ – — … « » ¿ ¡ § ° © ™ ² ½ № ％",
    "a" * 100,
    "a" * 101,
    "é" * 100,
    "é" * 101,
    "red\u00a0car\u2009dog\u2028the\tcar\ncar\r\ncar\x0bred\x0cred\x85red\x1cred",
    "red\u200bcar \u200d\ufeffred re\u00add \x00red \x07car \ufffdred \ue000red",
    "ﬁne ﬀ Ⅷ ㎏ ｒｅｄ ǆ Ω K Å",
    "ΑΣ ΣΑΣ ς σ Δ",
    "𠀀𠀀 \U0002f800 豈 \U00020000car 々 〇 ㍿",
    "\u1fef \u2260 a\u2260b a\u226ered \ufa6e\ufada",
    "##s red##s zebras zebraing",
    "й ё ў Ї ґ дд",
    "एक लाल गाड़ी รถสีแดง سيارة שָׁלוֹם",
    "e\u0323\u0301 o\u031b\u0323 \u1ed9 \u1e9b\u0323",
    "한국 \u1112\u1161\u11ab 각",
    "\u0130 \u0149 \u01f0 \u1e96 \u0390",
]
draw = random.Random(7)
alphabet = list("abcdezr éÀßŁ,.!?-_'\"$+\t12") + ["\u0301", "\u200b", "中", "文", "🦓", "\ufe0f", "İ", "zebra", "car ", " red", "Å", "ﬁ", "°", "²", "한", "\u00ad", "々"]
texts += ["".join(draw.choices(alphabet, k=draw.randint(1, 24))) for _ in range(300)]


def encode(text):
    encoded = tokenizer.encode(text)
    return {"text": text, "ids": encoded.ids, "spans": [list(span) for span in encoded.offsets]}


path = Path(__file__).parents[2] / "test/model/fixtures/word-piece.json"
path.write_text(json.dumps({"vocabulary": tokens, "texts": [encode(text) for text in texts]}, ensure_ascii=True, separators=(",", ":")) + "\n")
print(path, path.stat().st_size)
