"""Round a table of proportional shares to whole numbers without changing its margins."""

from __future__ import annotations

from collections.abc import Sequence


def round_to_margins(
    row_sums: Sequence[int], column_sums: Sequence[int], least: Sequence[int]
) -> list[list[int]] | None:
    """Return whole numbers near `row_sums[r] * column_sums[c] / total` with exactly these sums.

    Every entry is its exact share rounded down or up, which is always possible ("controlled rounding", Cox 1987, "A
    constructive procedure for unbiased controlled rounding"), and at least `least[c]`, which may not be. Found as a
    flow: entries start rounded down, and each unit that a row still has is put into a column that still lacks one,
    units of other rows moving on where necessary.
    Differs from the paper: which entries are rounded up follows from the order of rows and columns, not from chance;
    shuffle the rows for that.

    Args:
        row_sums: the sum of each row; earlier rows are served first.
        column_sums: the sum of each column, adding up to the same total.
        least: the least entry of each column, 0 or 1.

    Returns:
        The table by row, or None where `least` cannot be met.
    """
    total = sum(row_sums)
    shares = [[divmod(row_sum * column_sum, total) for column_sum in column_sums] for row_sum in row_sums]
    base = [[max(bound, whole) for bound, (whole, _) in zip(least, row, strict=True)] for row in shares]
    may_grow = [
        [rest > 0 and whole >= bound for bound, (whole, rest) in zip(least, row, strict=True)] for row in shares
    ]
    grown = [[False] * len(column_sums) for _ in row_sums]
    row_lacks = [row_sum - sum(row) for row_sum, row in zip(row_sums, base, strict=True)]
    column_lacks = [column_sum - sum(row[column] for row in base) for column, column_sum in enumerate(column_sums)]
    if min(row_lacks) < 0 or min(column_lacks) < 0:
        return None

    def place(row: int, tried: set[int]) -> bool:
        """Place one more unit of `row`, in none of the columns `tried`; return whether there was a way."""
        for column, column_lack in enumerate(column_lacks):
            if column in tried or grown[row][column] or not may_grow[row][column]:
                continue
            tried.add(column)
            if column_lack > 0:
                column_lacks[column] -= 1
            else:
                others = (other for other in range(len(base)) if grown[other][column] and place(other, tried))
                moved = next(others, None)
                if moved is None:
                    continue
                grown[moved][column] = False
            grown[row][column] = True
            return True
        return False

    if not all(place(row, set()) for row, num_units in enumerate(row_lacks) for _ in range(num_units)):
        return None
    return [[entry + more for entry, more in zip(*rows, strict=True)] for rows in zip(base, grown, strict=True)]
