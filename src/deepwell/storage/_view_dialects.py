"""How the two databases say what the views need: JSON, times, and numbers out of blocks."""

from __future__ import annotations

from typing import Protocol

from ._clock import NOW

_POWER = 50  # of two, that fits into a whole number of SQLite's


class ViewDialect(Protocol):
    """The words of one database; all of it is text of SQL."""

    def read(self, table: str, *columns: str) -> str:
        """Return what joins the JSON of a table's text columns, parsed once a row."""
        ...

    def json(self, table: str, column: str) -> str:
        """Return the parsed JSON of a column that `read` has joined."""
        ...

    def text(self, value: str, *path: str) -> str:
        """Return the text at a place inside JSON; of a list or an object, its JSON."""
        ...

    def number(self, value: str, *path: str) -> str:
        """Return the number there; NULL where there is a list or text, as `inf` is."""
        ...

    def whole(self, value: str, *path: str) -> str:
        """Return the whole number there."""
        ...

    def whole_in(self, column: str, *path: str) -> str:
        """Return the whole number in the JSON of a text column."""
        ...

    def items(self, value: str, *path: str) -> str:
        """Return the items of the list there, with commas, as options take them."""
        ...

    def each(self, value: str, name: str, alias: str) -> str:
        """Return what joins the items of a list of objects."""
        ...

    def item(self, alias: str) -> str:
        """Return one of these objects."""
        ...

    def item_place(self, alias: str) -> str:
        """Return where it stands in its list, from 1."""
        ...

    def now(self) -> str:
        """Return the time of the database in seconds since 1970."""
        ...

    def time(self, column: str) -> str:
        """Return seconds since 1970 as `2026-11-23 01:08:00`, UTC."""
        ...

    def joined(self, column: str) -> str:
        """Return the values of a column in their order, with commas."""
        ...

    def places(self, block: str, size: int) -> str:
        """Return what joins the places of a block's numbers of `size` bytes."""
        ...

    def word(self, block: str, size: int) -> str:
        """Return the unsigned little-endian number at such a place; of 8 bytes the lower 7."""
        ...

    def float32(self, word: str) -> str:
        """Return the number with these 32 bits; NULL for NaN."""
        ...


class _Sqlite:
    def read(self, table: str, *columns: str) -> str:
        return ""  # its JSON functions keep what they have parsed

    def json(self, table: str, column: str) -> str:
        return f"{table}.{column}"

    def text(self, value: str, *path: str) -> str:
        return f"json_extract({value}, '{_place(path)}')"

    def number(self, value: str, *path: str) -> str:
        kind = f"json_type({value}, '{_place(path)}')"
        found = f"CAST({self.text(value, *path)} AS REAL)"
        return f"CASE WHEN {kind} IN ('integer', 'real') THEN {found} END"

    def whole(self, value: str, *path: str) -> str:
        return self.text(value, *path)

    def whole_in(self, column: str, *path: str) -> str:
        return self.whole(column, *path)

    def items(self, value: str, *path: str) -> str:
        return f"replace(trim({self.text(value, *path)}, '[]'), ' ', '')"

    def each(self, value: str, name: str, alias: str) -> str:
        return f"JOIN json_each({value}, '$.{name}') {alias}"

    def item(self, alias: str) -> str:
        return f"{alias}.value"

    def item_place(self, alias: str) -> str:
        return f"{alias}.key + 1"

    def now(self) -> str:
        return NOW["sqlite"]

    def time(self, column: str) -> str:
        return f"datetime({column}, 'unixepoch')"

    def joined(self, column: str) -> str:
        return f"group_concat({column}, ',')"

    def places(self, block: str, size: int) -> str:
        # A list [0,0,...] of as many items as there are numbers: their keys are the places.
        zeros = f"replace(hex(zeroblob(length({block}) / {size} - 1)), '00', '0,')"
        listed = f"'[' || {zeros} || '0]'"
        return f"JOIN json_each({listed}) i"

    def word(self, block: str, size: int) -> str:
        every = "".join(f"{byte:02X}" for byte in range(256))
        return " + ".join(
            f"{256**k} * (instr(X'{every}', substr({block}, {size} * i.key + {k + 1}, 1)) - 1)"
            for k in range(min(size, 7))
        )

    def float32(self, word: str) -> str:
        exponent, fraction = f"(({word} >> 23) & 255)", f"({word} & 8388607)"
        up, down = f"({exponent} - 150)", f"(150 - max({exponent}, 1))"
        size = (
            f"CASE WHEN {exponent} = 255 THEN CASE {fraction} WHEN 0 THEN 9e999 END "
            f"WHEN {exponent} > 150 THEN ({fraction} + 8388608) * {_two_to(up)} "
            f"ELSE ({fraction} + CASE {exponent} WHEN 0 THEN 0 ELSE 8388608 END) "
            f"/ {_two_to(down)} END"
        )
        return f"(CASE WHEN {word} >> 31 THEN -1.0 ELSE 1.0 END * {size})"


class _Postgresql:
    def read(self, table: str, *columns: str) -> str:
        parsed = ", ".join(f"{_valid(f'{table}.{name}')} AS {name}" for name in columns)
        # OFFSET keeps the planner from parsing it once a use.
        return f"CROSS JOIN LATERAL (SELECT {parsed} OFFSET 0) {table}_json"

    def json(self, table: str, column: str) -> str:
        return f"{table}_json.{column}"

    def text(self, value: str, *path: str) -> str:
        return f"({value} #>> '{{{','.join(path)}}}')"

    def number(self, value: str, *path: str) -> str:
        inside = f"{value} #> '{{{','.join(path)}}}'"
        found = f"({self.text(value, *path)})::double precision"
        return f"CASE WHEN jsonb_typeof({inside}) = 'number' THEN {found} END"

    def whole(self, value: str, *path: str) -> str:
        return f"({self.text(value, *path)})::numeric::bigint"

    def whole_in(self, column: str, *path: str) -> str:
        return self.whole(f"({column}::jsonb)", *path)

    def items(self, value: str, *path: str) -> str:
        return f"replace(trim(both '[]' from {self.text(value, *path)}), ' ', '')"

    def each(self, value: str, name: str, alias: str) -> str:
        listed = f"jsonb_array_elements({value} -> '{name}') WITH ORDINALITY"
        return f"CROSS JOIN LATERAL {listed} AS {alias}(value, place)"

    def item(self, alias: str) -> str:
        return f"{alias}.value"

    def item_place(self, alias: str) -> str:
        return f"{alias}.place"

    def now(self) -> str:
        return NOW["postgresql"]

    def time(self, column: str) -> str:
        shown = "'YYYY-MM-DD HH24:MI:SS'"
        return f"to_char(to_timestamp({column}) AT TIME ZONE 'UTC', {shown})"

    def joined(self, column: str) -> str:
        return f"string_agg({column}, ',' ORDER BY {column})"

    def places(self, block: str, size: int) -> str:
        last = f"length({block}) / {size} - 1"
        return f"CROSS JOIN LATERAL generate_series(0, {last}) AS i(place)"

    def word(self, block: str, size: int) -> str:
        return " + ".join(
            f"{256**k}::bigint * get_byte({block}, {size} * i.place + {k})"
            for k in range(min(size, 7))
        )

    def float32(self, word: str) -> str:
        exponent, fraction = f"(({word} >> 23) & 255)", f"({word} & 8388607)"
        power = f"power(2.0::double precision, greatest({exponent}, 1) - 150)"
        whole = f"{fraction} + CASE {exponent} WHEN 0 THEN 0 ELSE 8388608 END"
        infinite = f"CASE {fraction} WHEN 0 THEN 'Infinity'::double precision END"
        size = f"CASE {exponent} WHEN 255 THEN {infinite} ELSE ({whole}) * {power} END"
        return f"(CASE WHEN {word} >> 31 = 1 THEN -1.0 ELSE 1.0 END * {size})"


SQLITE: ViewDialect = _Sqlite()
POSTGRESQL: ViewDialect = _Postgresql()


def _place(path: tuple[str, ...]) -> str:
    return "$." + ".".join(path)


def _two_to(power: str) -> str:
    """Return 2^power for 0 to 149: not every SQLite has `pow`."""
    tail = f"(1 << ({power} % {_POWER}))"
    heads = " ".join(f"WHEN {n} THEN {float(2 ** (n * _POWER))!r}" for n in range(3))
    return f"(CASE {power} / {_POWER} {heads} END * {tail})"


def _valid(column: str) -> str:
    r"""Return a text column as `jsonb`, which refuses escapes of NUL and of half characters.

    They come from names of files and columns that are no Unicode; all escapes of a text with one
    are then shown as they were written, as in `\u0000`.
    """
    bad = r"\\u0000|\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f])|(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f]"
    mended = rf"regexp_replace({column}, '(?<!\\)\\u', '\\\\u', 'g')"
    return f"(CASE WHEN {column} ~* '{bad}' THEN {mended} ELSE {column} END)::jsonb"
