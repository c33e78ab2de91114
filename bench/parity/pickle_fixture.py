"""Writes test/weights/fixtures/pickles.json: plain data in the protocols of pickle, as base64.

    python bench/parity/pickle_fixture.py        needs nothing else
"""

import base64
import json
import pickle
from pathlib import Path

VALUE = {
    **{"none": None, "true": True, "false": False, "small": 5, "negative": -5, "two bytes": 300, "four bytes": 70000},
    **{"long": -(2**40), "float": 1.5, "text": "a'b\n\\", "unicode": "caf\u00e9 \u20ac", "list": [1, [2]], "empty": []},
    **{"tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)], "dict": {"a": {}}},
}
SAME = ["again"]
VALUE["twice"] = [SAME, SAME]


class Evil:
    def __reduce__(self):
        return print, ("run",)


path = Path(__file__).parents[2] / "test/weights/fixtures/pickles.json"
text = lambda value, protocol: base64.b64encode(pickle.dumps(value, protocol)).decode()
pickles = {str(protocol): text(VALUE, protocol) for protocol in range(6)}
path.write_text(json.dumps({"pickles": pickles, "evil": [text(Evil(), protocol) for protocol in (0, 2, 4)], "value": VALUE}) + "\n")
