"""A text column: its words and letter triples, hashed into a fixed number of columns.

Weinberger et al. 2009, "Feature hashing for large scale multitask learning": each item adds
+1 or -1 to one bucket, both chosen by its hash, so that collisions cancel on average. Words say
what a text is about; letter triples carry over to spellings and words never seen. Each of the
two blocks has length 1 (or 0 when the text is missing), so that long texts do not weigh more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl

from ._column_values import as_labels
from ._stable_hash import hash_texts, mix64

WORD_BUCKETS = 32  # with the triples 64 columns, as many as a category column may take
TRIPLE_BUCKETS = 32
CHUNK_ROWS = 20_000
CHUNK_LETTERS = 1 << 18  # bounds the memory for triples: some 70 bytes a letter


@dataclass(frozen=True)
class TextColumn:
    """A fitted text column; hashing has nothing to fit but its sizes.

    Attributes:
        name: of the column.
        words: buckets for words.
        triples: buckets for three bytes in a row of the lower-cased UTF-8 text, words set apart
            by single spaces.
    """

    kind: ClassVar[str] = "text"
    name: str
    words: int = WORD_BUCKETS
    triples: int = TRIPLE_BUCKETS

    @staticmethod
    def fit(series: pl.Series) -> TextColumn:
        """Return the encoder of a column of train rows."""
        return TextColumn(series.name)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the encoded columns."""
        words = [f"{self.name} words {j}" for j in range(self.words)]
        return (*words, *(f"{self.name} letters {j}" for j in range(self.triples)))

    def encode(self, series: pl.Series) -> np.ndarray:
        """Return (n, words + triples) float64."""
        tidy = _words_apart(as_labels(series))
        chunks = [
            np.concatenate(
                [_word_block(part, self.words), _triple_block(part, self.triples)], axis=1
            )
            for part in _chunks(tidy)
        ]
        return np.concatenate(chunks) if chunks else np.zeros((0, self.words + self.triples))


def _chunks(texts: pl.Series) -> Iterator[pl.Series]:
    """Yield texts in turn: a few long ones or many short ones, a very long one by itself."""
    ends = texts.str.len_bytes().cast(pl.Int64).cum_sum().to_numpy()
    start = 0
    while start < len(texts):
        before = int(ends[start - 1]) if start else 0
        fit = int(np.searchsorted(ends, before + CHUNK_LETTERS, side="right"))
        stop = min(max(fit, start + 1), start + CHUNK_ROWS)
        yield texts[start:stop]
        start = stop


def _words_apart(texts: pl.Series) -> pl.Series:
    """Return lower-cased texts as ` word word `; missing and wordless ones as one space."""
    spaced = texts.fill_null("").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ")
    return " " + spaced.str.strip_chars() + " "


def _word_block(texts: pl.Series, buckets: int) -> np.ndarray:
    words = texts.str.strip_chars().str.split(" ")
    lengths = words.list.len().to_numpy()
    flat = words.explode()
    rows = np.repeat(np.arange(len(texts)), lengths)
    real = (flat != "").to_numpy()
    return _bucket_block(rows[real], hash_texts(flat)[real], len(texts), buckets)


def _triple_block(texts: pl.Series, buckets: int) -> np.ndarray:
    letters = np.frombuffer("\n".join(texts).encode("utf-8", "replace"), np.uint8)
    rows = np.cumsum(letters == ord("\n"))
    if len(letters) < 3:
        return np.zeros((len(texts), buckets))
    wide = letters.astype(np.uint64)
    codes = (wide[:-2] << np.uint64(16)) | (wide[1:-1] << np.uint64(8)) | wide[2:]
    inside = (rows[:-2] == rows[2:]) & (letters[:-2] != ord("\n"))
    return _bucket_block(rows[:-2][inside], mix64(codes[inside]), len(texts), buckets)


def _bucket_block(rows: np.ndarray, hashes: np.ndarray, height: int, buckets: int) -> np.ndarray:
    """Return (height, buckets): signed counts, each row scaled to length 1."""
    signs = np.where(hashes >> np.uint64(63), -1.0, 1.0)
    places = rows * buckets + (hashes % np.uint64(buckets)).astype(np.int64)
    block = np.bincount(places, signs, height * buckets).reshape(height, buckets)
    lengths = np.sqrt((block**2).sum(axis=1, keepdims=True))
    return block / np.where(lengths > 0, lengths, 1.0)
