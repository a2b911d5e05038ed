"""What every system that reads text does with its text encoder: open it, compare it with the weights, remember it."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from laban.errors import InputError, WeightsError

if TYPE_CHECKING:
    from laban.condition.text import TextEncoder


class ReadsText:
    """A mixin for systems whose `config.text` has `encoder` and `width` (and, if they use words, `tokens`).

    `_text_encoder` is the encoder in use, None before the first use; `_wanted_encoder` the fingerprint that the
    weights were trained with, None if they say nothing.
    """

    name: ClassVar[str]
    config: Any
    _text_encoder: TextEncoder | None = None
    _wanted_encoder: str | None = None
    _opening: ClassVar = threading.Lock()  # one thread opens the encoder of its own, the others wait for it

    @property
    def text_encoder(self) -> TextEncoder:
        """The encoder of texts, opened on first use.

        Raises: InputError if the configuration wants one that only the caller can give, or one of other widths;
            WeightsError if it is not the one that the weights were trained with.
        """
        text = self.config.text
        with self._opening:
            if self._text_encoder is None:
                self._text_encoder = self._own_encoder()
            encoder = self._text_encoder
        wanted = getattr(text, "token_width", None) if getattr(text, "tokens", False) else None
        if encoder.width != text.width or wanted not in (None, encoder.token_width):
            raise InputError(
                f"{self.name}: the text encoder gives widths {encoder.width} and {encoder.token_width}, the "
                f"configuration has text.width {text.width}" + (f" and text.token_width {wanted}." if wanted else ".")
            )
        if self._wanted_encoder not in (None, encoder.fingerprint):
            raise WeightsError(
                f"{self.name}: these weights were trained with text encoder {self._wanted_encoder}, this one is "
                f"{encoder.fingerprint}; restore the one they came with."
            )
        return encoder

    @text_encoder.setter
    def text_encoder(self, encoder: TextEncoder) -> None:
        self._text_encoder = encoder

    def reading_with(self, encoder: TextEncoder) -> Self:
        """The same system with another encoder; it shares the networks, and this one stays as it is."""
        other = copy.copy(self)
        other.text_encoder = encoder
        return other

    def _own_encoder(self) -> TextEncoder:
        """The one that the configuration names. Raises: InputError if only the caller can give it."""
        text = self.config.text
        if text.encoder == "hashed":
            from laban.condition.hashed import HashedText

            return HashedText(text.width)
        if text.encoder == "shipped":
            from laban.condition.text import SmallTextEncoder

            return SmallTextEncoder.load()
        raise InputError(
            f"{self.name}: this configuration has no text encoder of its own (released weights want CLIP ViT-B/32); "
            "give it with --text-encoder PATH, or set system.text_encoder."
        )

    def text_facts(self) -> dict[str, Any]:
        """For config.json: the fingerprint of the weights' encoder, or of the one in use."""
        known = self._wanted_encoder or (self._text_encoder.fingerprint if self._text_encoder else None)
        return {"text_encoder": known}

    def remember_text(self, facts: Mapping[str, Any]) -> None:
        """Takes the fingerprint from config.json; it is compared when the encoder is first needed."""
        self._wanted_encoder = facts.get("text_encoder")
