"""What the T2M evaluator reads: captions as `word/POS`, their GloVe vectors and word classes.

Source: Guo et al. 2022 (CVPR) and the files of its release (EricGuo5513/text-to-motion). The GloVe files are pickles in
part; they are read by an unpickler that can build lists, tuples, dicts, strings and numbers, and nothing else.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from laban.errors import FormatError, InputError

CLASSES = (
    "VERB", "NOUN", "DET", "ADP", "NUM", "AUX", "PRON", "ADJ", "ADV", "Loc_VIP", "Body_VIP", "Obj_VIP", "Act_VIP",
    "Desc_VIP", "OTHER",
)  # fmt: skip
SPECIAL = {
    "Loc_VIP": "left right clockwise counterclockwise anticlockwise forward back backward up down straight curve",
    "Body_VIP": "arm chin foot feet face hand mouth leg waist eye knee shoulder thigh",
    "Obj_VIP": "stair dumbbell chair window floor car ball handrail baseball basketball",
    "Act_VIP": "walk run swing pick bring kick put squat throw hop dance jump turn stumble stop sit lift lower raise "
    "wash stand kneel stroll rub bend balance flap jog shuffle lean rotate spin spread climb",
    "Desc_VIP": "slowly carefully fast careful slow quickly happy angry sad happily angrily sadly",
}
CLASS_OF = {word: name for name, words in SPECIAL.items() for word in words.split()}
MAX_WORDS = 20  # words of a caption, without `sos` and `eos`
LARGEST = 256 << 20  # bytes of a pickle that is read
FILES = ("our_vab_data.npy", "our_vab_words.pkl", "our_vab_idx.pkl")
PLAIN = frozenset(
    "PROTO FRAME STOP MARK POP POP_MARK DUP NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT "
    "BINFLOAT UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8 EMPTY_LIST APPEND APPENDS LIST EMPTY_TUPLE TUPLE TUPLE1 "
    "TUPLE2 TUPLE3 EMPTY_DICT DICT SETITEM SETITEMS PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET".split()
)


@dataclass(frozen=True)
class Glove:
    """Words and their vectors: `vectors` (V, D) float32, `index` word -> row."""

    vectors: np.ndarray
    index: dict[str, int]

    @classmethod
    def open(cls, folder: str | Path) -> Glove:
        """From the field's three files, our_vab_data.npy, our_vab_words.pkl and our_vab_idx.pkl.

        Raises: FormatError if one is missing, unreadable, holds anything but plain values, or does not fit the rest.
        """
        folder = Path(folder)
        data, words_file, index_file = (folder / name for name in FILES)
        try:
            vectors = np.load(data, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            said = " ".join(str(error).split())
            raise FormatError(f"{data}: not an array ({said}). Pass the folder of the GloVe files.") from None
        words, numbers = read_plain(words_file), read_plain(index_file)
        if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
            raise FormatError(f"{words_file}: expected a list of words. Fetch the GloVe files again.")
        if not isinstance(numbers, dict) or not all(
            isinstance(k, str) and type(v) is int for k, v in numbers.items()
        ):  # fmt: skip
            raise FormatError(f"{index_file}: expected a dict of word to number. Fetch the GloVe files again.")
        if vectors.ndim != 2 or vectors.dtype.kind != "f" or len(vectors) != len(words):
            raise FormatError(f"{data}: has shape {vectors.shape} for {len(words)} words, expected one row per word.")
        rows = {word: numbers.get(word, -1) for word in words}
        if not all(0 <= row < len(words) for row in rows.values()) or not {"unk", "sos", "eos"} <= set(rows):
            raise FormatError(f"{index_file}: words without a row, or no unk, sos, eos. Fetch the GloVe files again.")
        if not np.isfinite(vectors).all():
            raise FormatError(f"{data}: holds NaN or infinity. Fetch the GloVe files again.")
        return cls(vectors.astype(np.float32), rows)

    def encode(self, captions: Sequence[Sequence[str]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Captions as the evaluator takes them.

        Args:
            captions: per caption its `word/POS` tokens; those after the twentieth are cut.
        Returns: vectors (B, 22, D), one-hot classes (B, 22, 15), lengths (B,) with `sos` and `eos`; the rest is
            unk/OTHER. An unknown word is unk/OTHER; an unknown POS is OTHER; a word on a list takes its class.
        Raises: InputError for a token without "/", or no caption.
        """
        if not len(captions):
            raise InputError("released_words: no caption, expected at least one. Pass lists of word/POS tokens.")
        rows = np.full((len(captions), MAX_WORDS + 2), self.index["unk"])
        classes = np.full(rows.shape, CLASSES.index("OTHER"))
        lengths = np.zeros(len(captions), np.int64)
        for i, tokens in enumerate(captions):
            kept = ["sos/OTHER", *list(tokens)[:MAX_WORDS], "eos/OTHER"]
            lengths[i] = len(kept)
            for j, token in enumerate(kept):
                word, slash, tag = token.rpartition("/")
                if not slash or not word:
                    raise InputError(f"released_words: the token {token!r} is not word/POS, as walk/VERB is. Tag it.")
                if word in self.index:
                    tag = CLASS_OF.get(word, tag)
                    rows[i, j] = self.index[word]
                    classes[i, j] = CLASSES.index(tag if tag in CLASSES else "OTHER")
        return self.vectors[rows], np.eye(len(CLASSES), dtype=np.float32)[classes], lengths


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> NoReturn:
        raise pickle.UnpicklingError("it asks for a persistent object")


def read_plain(path: str | Path) -> Any:
    """A pickle of lists, tuples, dicts, strings, numbers, booleans and None. Every opcode is looked at first.

    Raises: FormatError for anything else, a damaged file, or one over 256 MiB. Nothing of it is ever called.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise FormatError(f"{path}: larger than {LARGEST >> 20} MiB, expected a word list.")
        raw = path.read_bytes()
        for opcode, value, _ in pickletools.genops(raw):
            if opcode.name not in PLAIN:
                raise pickle.UnpicklingError(f"it holds {opcode.name}")
            # A huge memo number makes the reader reserve as much memory.
            if opcode.name in ("PUT", "LONG_BINPUT") and isinstance(value, int) and not 0 <= value <= len(raw):
                raise pickle.UnpicklingError("a memo number is out of bounds")
        return _Plain(io.BytesIO(raw)).load()
    except (OSError, pickle.UnpicklingError, ValueError, EOFError, KeyError, IndexError, TypeError, AttributeError,
            MemoryError, OverflowError, RecursionError) as error:  # fmt: skip
        said = (" ".join(str(error).split()) or type(error).__name__)[:160]
        raise FormatError(f"{path}: not a pickle of plain values ({said}). Fetch the GloVe files again.") from None
