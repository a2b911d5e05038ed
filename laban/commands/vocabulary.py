"""`laban vocabulary`: what a model was trained on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from laban.actions.generate import MODEL
from laban.actions.vocabulary import VocabularyOptions
from laban.actions.vocabulary import vocabulary as entries_of
from laban.commands.output import print_json


def vocabulary(
    model: str = MODEL,
    licence: Literal["any", "commercial"] = "any",
    captions: bool = False,
    json: bool = False,
    quiet: bool = False,
) -> int:
    """List the actions that a model was trained on: an example sentence, minutes of motion, licences of the clips.

    Args:
        model: Shipped weights by name, or a folder with weights.
        licence: any, or commercial for the weights whose training data allows commercial use.
        captions: Also every sentence of the training clips.
        json: Print one JSON object.
        quiet: Print the answer alone: the names.
    """
    entries = entries_of(VocabularyOptions(model, licence))
    if json:
        print_json({"model": model, "actions": [asdict(entry) for entry in entries]})
        return 0
    if quiet:
        print("\n".join(entry.action for entry in entries))
        return 0
    width = max(len(entry.action) for entry in entries)
    for entry in entries:
        print(f"{entry.action:<{width}}  {entry.minutes:6.2f} min  {entry.example}  [{', '.join(entry.licences)}]")
        if captions:
            print("\n".join(f"{'':<{width}}              {said}" for said in entry.captions[1:]))
    print(f"{len(entries)} actions")
    return 0
