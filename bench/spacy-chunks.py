"""spaCy's noun chunks of captions, as spans of code points; those of a pronoun alone are left out.

    python bench/spacy-chunks.py MODEL < captions.json > spans.json

MODEL is a package or a folder with an English pipeline that parses (en_core_web_sm), captions.json a list of texts.
"""

import importlib
import json
import sys

import spacy

name = sys.argv[1]
try:
    pipeline = spacy.load(name)
except OSError:
    # Builds on PyPI keep their own package name, which spaCy's registry of models does not know.
    pipeline = importlib.import_module(name).load()

spans = []
for doc in pipeline.pipe(json.load(sys.stdin)):
    chunks = [chunk for chunk in doc.noun_chunks if not (len(chunk) == 1 and chunk[0].pos_ == "PRON")]
    spans.append([{"start": chunk.start_char, "end": chunk.end_char} for chunk in chunks])
json.dump({"version": spacy.__version__, "model": pipeline.meta["version"], "spans": spans}, sys.stdout)
